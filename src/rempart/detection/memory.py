"""What detectors remember, as bytes and back: their pasts outlive a restart. Data only, nothing in it can run.

MessagePack. Each detector's memories stand under their names; what is new to a newer version begins empty, and what it
does not know any more is passed over.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any, Protocol, get_args, get_origin, runtime_checkable

import msgspec


@runtime_checkable
class Memory(Protocol):
    """Something a detector remembers."""

    def plain(self) -> Any:
        """It as values that `written` knows."""
        ...

    def recall(self, plain: Any) -> None:
        """Take in what `plain` gave, once it was written and read. Raises ValueError when it is something else."""
        ...


def written(detectors: Iterable[object]) -> bytes:
    """All memories of all detectors."""
    told = {
        type(detector).__name__: {name: memory.plain() for name, memory in _memories(detector).items()}
        for detector in detectors
    }
    return msgspec.msgpack.encode(told, enc_hook=list)


def recall(detectors: Iterable[object], data: bytes) -> None:
    """Give the detectors what was written of them. Raises ValueError when it is not understood."""
    told = msgspec.msgpack.decode(data)
    if not isinstance(told, dict):
        raise ValueError("these are no memories")
    for detector in detectors:
        kept = told.get(type(detector).__name__, {})
        if not isinstance(kept, dict):
            raise ValueError(f"these are no memories of {type(detector).__name__}")
        for name, memory in _memories(detector).items():
            if name in kept:
                memory.recall(kept[name])


def typed(plain: Any, kind: Any) -> Any:
    """A value that was read, as the type it was written from. Raises ValueError when it is not of it."""
    return msgspec.convert(plain, kind, dec_hook=_typed)


def key(plain: Any) -> Any:
    """What things are told apart by: a text, or texts and numbers. Raises ValueError for anything else."""
    return typed(plain, str | tuple[str | int, ...])


def _memories(detector: object) -> dict[str, Memory]:
    return {name: value for name, value in vars(detector).items() if isinstance(value, Memory)}


def _typed(kind: Any, plain: Any) -> Any:
    match get_origin(kind):
        case origin if origin is deque:
            return deque(typed(plain, list[get_args(kind)[0]]))  # type: ignore[misc]
        case origin if origin is OrderedDict:
            names, values = get_args(kind)
            return OrderedDict(typed(plain, dict[names, values]))  # type: ignore[valid-type]
    raise NotImplementedError(f"{kind} cannot be remembered")
