"""What the guard says, followed for the pages; and the one order a page may send.

When the guard falls silent the last status is forgotten at once: a page that shows an old truth as today's would be
worse than one that says it does not know.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from pathlib import Path

from rempart.adapters.socket import Connection, dial
from rempart.engine.orders import Contain
from rempart.errors import StationUnreachable
from rempart.instants import Instant
from rempart.messages import (
    FromConsole,
    OrderDone,
    Ordered,
    OrderRejected,
    Status,
    StatusAsked,
    StatusFollowed,
    ToOperator,
)
from rempart.ports import Clock
from rempart.site.placement import Placement

_log = logging.getLogger(__name__)

SILENCE = 10.0
"""Seconds without a word after which the guard is asked whether it still answers; it normally speaks every 3 s."""

_PATIENCE = 5.0
"""Seconds the guard has to answer a question."""

_PAUSE = 1.0
"""Seconds between two attempts to reach it."""


@dataclass(slots=True)
class Feed:
    """The guard's latest status, or None while it does not answer."""

    path: Path
    """The guard's console socket."""
    clock: Clock
    status: Status | None = None
    seen: Instant | None = None
    """When the guard last said something."""
    silence: float = SILENCE
    patience: float = _PATIENCE
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self) -> None:
        """Follow the guard until cancelled, through its restarts."""
        while True:
            try:
                connection = await dial(self.path, incoming=ToOperator)
            except StationUnreachable as gone:
                _log.debug("%s", gone)
            else:
                with contextlib.closing(connection):
                    await self._listen(connection)
            await self._take(None)
            await asyncio.sleep(_PAUSE)

    async def _listen(self, connection: Connection) -> None:
        """Take every status until the conversation ends or the guard no longer answers."""
        with contextlib.suppress(ConnectionError, StationUnreachable):
            await connection.send(StatusFollowed())
            while True:
                try:
                    async with asyncio.timeout(self.silence):
                        said = await connection.receive()
                except TimeoutError:
                    said = await self.ask(StatusAsked())
                if not isinstance(said, Status):
                    return
                await self._take(said)

    async def _take(self, status: Status | None) -> None:
        if status:
            self.seen = self.clock.now()
        elif self.status:
            _log.warning("the guard does not answer at %s", self.path)
        self.status = status
        async with self._changed:
            self._changed.notify_all()

    async def changed(self, seconds: float) -> None:
        """Wait for the next status, so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()

    async def caught_up(self, done: OrderDone) -> None:
        """Wait a moment for a status with what an order changed, and its proof, for the page that comes next."""
        for _ in range(8):
            if self.status is None or _shows(self.status, done):
                return
            await self.changed(0.25)

    async def contain(self, by: str, reason: str, session: str = "") -> OrderDone | OrderRejected:
        """Order the cut. Raises StationUnreachable when the guard does not answer: nothing is known to be cut."""
        return await self.order(Ordered(order=Contain(by=by, reason=reason), session=session))

    async def order(self, order: Ordered) -> OrderDone | OrderRejected:
        """Pass on an order. Raises StationUnreachable when the guard does not answer: nothing is known to be done."""
        answer = await self.ask(order)
        if not isinstance(answer, OrderDone | OrderRejected):
            raise StationUnreachable("the guard went away before it answered", where=str(self.path))
        return answer

    async def ask(self, question: FromConsole, patience: float = 0) -> object:
        """One question in a conversation of its own, so that it never waits behind the stream of statuses.

        ``patience``: seconds for the answer, where it takes longer than most. Raises StationUnreachable when the guard
        does not answer; None when it went away before it answered.
        """
        connection = await dial(self.path, incoming=ToOperator)
        with contextlib.closing(connection):
            try:
                async with asyncio.timeout(patience or self.patience):
                    await connection.send(question)
                    return await connection.receive()
            except (TimeoutError, ConnectionError) as fault:
                raise StationUnreachable("the guard does not answer", where=str(self.path)) from fault


def _shows(status: Status, done: OrderDone) -> bool:
    """Whether this status is from after the order, and what it changed was read back, or cannot be."""
    if done.sealed is not None and status.journal_entries < done.sealed:
        return False
    if done.enforced is None or status.placement is Placement.OBSERVER or status.enforcement_fault:
        return status.now >= max(done.received, done.enforced or done.received)
    return status.enforcement_verified is not None and status.enforcement_verified >= done.enforced
