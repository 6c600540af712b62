"""The past of one machine or account: what it did each hour, and what of that is usual. Bounded, told in numbers."""

import hashlib
from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Generic, TypeVar

from rempart.detection.finding import Proof
from rempart.detection.memory import key, typed
from rempart.instants import Duration, Instant, hours

HOURS = 14 * 24
"""How many hours with something in them a past holds: two weeks at most where there is something in every hour."""
_MOST = 1 << 62
"""No hour has more, whatever a forged log says: what is remembered must be writable."""
_SPREAD = 1.4826
"""Median absolute deviation times this is the standard deviation where values are spread normally."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class Kept(Generic[K, V]):
    """What is remembered of each of ``most`` things; the one that was longest not asked for is forgotten first.

    ``new`` is the type of what is remembered.
    """

    most: int
    new: Callable[[], V]
    _held: OrderedDict[K, V] = field(default_factory=OrderedDict)

    def of(self, thing: K) -> V:
        """What is remembered of a thing, from now on if it was not known."""
        held = self._held.get(thing)
        if held is None:
            held = self._held[thing] = self.new()
            if len(self._held) > self.most:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(thing)
        return held

    def __len__(self) -> int:
        return len(self._held)

    def plain(self) -> Any:
        """See `Memory`."""
        return list(self._held.items())

    def recall(self, plain: Any) -> None:
        """See `Memory`."""
        pairs = [(key(thing), typed(held, self.new)) for thing, held in typed(plain, list[tuple[Any, Any]])]
        self._held = OrderedDict(pairs[-self.most :])


@dataclass(slots=True)
class Watched:
    """Since when something is known."""

    since: Instant | None = None

    def seen(self, time: Instant) -> Instant:
        """Since when, from now on if it was not known."""
        if self.since is None:
            self.since = time
        return self.since

    def plain(self) -> Any:
        """See `Memory`."""
        return self.since

    def recall(self, plain: Any) -> None:
        """See `Memory`."""
        self.since = typed(plain, Instant | None)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in an hour: the middle, the spread around it (MAD), and what all but one in fifty stay below."""

    middle: float
    spread: float
    high: float
    hours: int

    def exceeded(self, amount: float, *, deviations: float, times: float) -> bool:
        """Whether an amount is beyond the middle by so many deviations *and* beyond the highest by so many times.

        The first alone would accuse the nightly backup; the second alone whoever has a quiet past of one kind.
        """
        return amount > self.middle + deviations * _SPREAD * self.spread and amount > times * self.high

    def proofs(self) -> tuple[Proof, ...]:
        """What is shown beside what was unusual."""
        return (
            Proof("usual in an hour (median)", f"{self.middle:.0f}"),
            Proof("spread (median absolute deviation)", f"{self.spread:.0f}"),
            Proof("highest but one in fifty", f"{self.high:.0f}"),
            Proof("hours of the past", str(self.hours)),
        )


@dataclass(slots=True)
class Past:
    """The hours of one thing: those that are over, and the one that runs."""

    first: Instant | None = None
    hour: int = -1
    amount: int = 0
    done: list[int] = field(default_factory=list)
    """What the last `HOURS` hours had in which there was something."""

    def add(self, amount: int, time: Instant) -> int:
        """Count an amount to its hour; returns what the running hour has. Late amounts count to the running hour."""
        self.turn(time)
        self.amount = min(self.amount + amount, _MOST)
        return self.amount

    def turn(self, time: Instant) -> bool:
        """Let time pass. True when another hour has begun."""
        if self.first is None:
            self.first = time
        hour = time // hours(1)
        if hour <= self.hour:
            return False
        if self.amount:
            self.done = [*self.done[1 - HOURS :], self.amount]
        self.hour, self.amount = hour, 0
        return True

    def age(self, time: Instant) -> Duration:
        """For how long it has been known."""
        return Duration(time - self.first if self.first is not None else 0)

    def usual(self) -> Usual:
        """What its hours had. There must be one that is over."""
        ranked: list[int] = []
        for amount in self.done:
            insort(ranked, amount)
        middle = median(ranked)
        spread = median(abs(amount - middle) for amount in ranked)
        return Usual(middle, spread, ranked[max(0, -(-len(ranked) * 49 // 50) - 1)], len(ranked))


def short(text: str) -> bytes:
    """Eight bytes that stand for a text, to count distinct ones. No secret: who tries all texts finds it."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
