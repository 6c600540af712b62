"""What was told a moment ago is no news: the same thing is said again after a quiet time, or when it has doubled."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from rempart.detection.memory import key, typed
from rempart.instants import Duration, Instant


class Quiet:
    """Remembers what was told. While a thing goes on it is told once, and again each time its amount has doubled."""

    def __init__(self, length: Duration, most: int = 10_000) -> None:
        """``length``: how long the thing must have stopped to be news again. Of ``most`` things the oldest goes."""
        self._length = length
        self._most = most
        self._told: OrderedDict[Hashable, tuple[Instant, int]] = OrderedDict()

    def news(self, thing: Hashable, time: Instant, amount: float = 1) -> bool:
        """Whether to tell of it now; call it each time the thing is there, told or not."""
        degree = math.frexp(amount)[1]
        last, highest = self._told.get(thing, (None, 0))
        new = last is None or time - last > self._length or degree > highest
        latest = time if last is None else max(last, time)
        self._told[thing] = latest, degree if new else highest
        self._told.move_to_end(thing)
        while len(self._told) > self._most:
            self._told.popitem(last=False)
        return new

    def plain(self) -> Any:
        """See `rempart.detection.memory.Memory`."""
        return list(self._told.items())

    def recall(self, plain: Any) -> None:
        """See `rempart.detection.memory.Memory`."""
        told = typed(plain, list[tuple[Any, tuple[Instant, int]]])
        self._told = OrderedDict((key(thing), said) for thing, said in told[-self._most :])
