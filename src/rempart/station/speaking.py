"""Speaking: what watch says to the guard, and what it is asked and told there.

Findings are sent until the guard acknowledges them; when it goes away, it is called again and again.
"""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

from rempart.adapters.socket import Connection, dial
from rempart.detection.finding import Finding
from rempart.errors import StationUnreachable
from rempart.messages import (
    CountPersons,
    ExceptionsStand,
    FindingsAccepted,
    FindingsReported,
    LogsSilent,
    PersonsCounted,
    Rebuilding,
    ToWatch,
)
from rempart.station.headcount import Headcounts
from rempart.station.outbox import Outbox
from rempart.station.rulebook import Rulebook

_log = logging.getLogger("rempart.watch")

RECONNECT = 0.5
"""Seconds between two calls to a guard that does not answer."""


class Speaking:
    """The conversation of one watch with its guard. For one asyncio loop."""

    def __init__(self, socket: Path, outbox: Outbox, headcounts: Headcounts, rulebook: Rulebook) -> None:
        self._socket = socket
        self._outbox = outbox
        self._headcounts = headcounts
        self._rulebook = rulebook
        self._connection: Connection | None = None

    async def say(self, said: PersonsCounted | LogsSilent | Rebuilding) -> bool:
        """Say what is said again later in any case. False when nobody heard."""
        if self._connection is None:
            return False
        try:
            await self._connection.send(said)
        except ConnectionError:
            return False
        return True

    async def run(self) -> None:
        """Keep a conversation with the guard going, until cancelled."""
        unreachable = False
        while True:
            try:
                connection = await dial(self._socket, incoming=ToWatch)
            except StationUnreachable as fault:
                if not unreachable:
                    _log.warning("findings wait: %s", fault.diagnostics())
                unreachable = True
                await asyncio.sleep(RECONNECT)
                continue
            _log.info("connected to the guard")
            unreachable = False
            await self._converse(connection)
            _log.warning("the guard went away; findings wait")
            await asyncio.sleep(RECONNECT)

    async def _converse(self, connection: Connection) -> None:
        """Send and hear until either ends."""
        self._connection = connection
        sides = [asyncio.ensure_future(side) for side in (self._report(connection), self._hear(connection))]
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connection = None
            connection.close()
            self._outbox.disconnected()
            for side in sides:
                side.cancel()
            for ended in await asyncio.gather(*sides, return_exceptions=True):
                if isinstance(ended, Exception) and not isinstance(ended, ConnectionError):
                    raise ended

    async def _report(self, connection: Connection) -> None:
        while True:
            if findings := self._outbox.take():
                await _send(connection, findings)
            else:
                await self._outbox.changed()

    async def _hear(self, connection: Connection) -> None:
        while (message := await connection.receive()) is not None:
            match message:
                case FindingsAccepted(ids=ids):
                    self._outbox.accepted(ids)
                case CountPersons():
                    self._headcounts.ask(message)
                case ExceptionsStand(exceptions=exceptions):
                    await asyncio.to_thread(self._rulebook.take_orders, exceptions)


async def _send(connection: Connection, findings: list[Finding]) -> None:
    """Send findings in as many frames as they need."""
    try:
        await connection.send(FindingsReported(findings=findings))
    except ValueError:  # too long for a frame
        half = len(findings) // 2
        if half:
            await _send(connection, findings[:half])
            await _send(connection, findings[half:])
        else:
            _log.error("%s: sent without its proofs, which do not fit a frame", findings[0].id)
            await connection.send(
                FindingsReported(findings=[replace(findings[0], proofs=(), observables=())])
            )
