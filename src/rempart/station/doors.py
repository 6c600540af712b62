"""The guard's doors: a socket each, who may come to it, and what may be said there."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rempart.adapters.socket import Handler, Listener, Rate, serve

_MODE = 0o666
"""Of every socket: the kernel tells whose process comes, and that decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Ids of the users that the guard hears, each at the door of its own process."""

    watch: int
    teller: int
    prober: int
    resolver: int
    group: int
    console: int
    operators: frozenset[int]


@dataclass(frozen=True, slots=True)
class Door:
    """One socket. ``incoming`` is the union of the message types that may be said there."""

    socket: Path
    callers: frozenset[int]
    incoming: Any
    handler: Handler
    rate: Rate = field(default_factory=Rate)
    max_connections: int = 16


@asynccontextmanager
async def opened(doors: Iterable[Door], *, own: int) -> AsyncIterator[None]:
    """Open them in order and close them at the end. The user ``own`` may come to each. Raises InputRefused."""
    async with AsyncExitStack() as listening:
        for door in doors:
            await listening.enter_async_context(await _open(door, own))
        yield


async def _open(door: Door, own: int) -> Listener:
    return await serve(
        door.socket,
        mode=_MODE,
        allowed_uids=door.callers | {own},
        incoming=door.incoming,
        handler=door.handler,
        rate=door.rate,
        max_connections=door.max_connections,
    )
