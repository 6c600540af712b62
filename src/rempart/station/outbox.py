"""Findings on their way to the guard: kept until acknowledged, bounded, sent again after each reconnection."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from rempart.adapters.store.events import Settled
from rempart.detection.finding import Finding
from rempart.instants import Instant

_log = logging.getLogger("rempart.watch")

LIMIT = 5_000
"""Findings kept for a guard that does not answer; beyond that the least serious go first, and it is said."""

UNDER_WAY = 200
"""Findings sent and not yet acknowledged: more would only wait in the guard's socket."""


@dataclass(slots=True)
class _Letter:
    finding: Finding
    before: Settled
    """How far all is settled when only the letters before this one are acknowledged."""
    sent: bool = False


class Outbox:
    """Findings in the order in which they were made, each once. For one asyncio loop."""

    def __init__(self, settled: Settled) -> None:
        self._letters: dict[str, _Letter] = {}
        self._seen = settled
        self._under_way = 0
        self._dropped = 0
        self._filled = asyncio.Event()

    @property
    def settled(self) -> Settled:
        """How far every finding has been acknowledged."""
        oldest = next(iter(self._letters.values()), None)
        return oldest.before if oldest else self._seen

    def put(self, findings: Iterable[Finding], segment: int, until: Instant) -> None:
        """Take the findings of the next segment, whose newest event is of ``until``."""
        before = Settled(segment - 1, self._seen.until)
        for finding in findings:
            self._letters.setdefault(finding.id, _Letter(finding, before))
        self._seen = Settled(segment, max(until, self._seen.until))
        while len(self._letters) > LIMIT:
            self._drop()
        self._filled.set()

    def take(self) -> list[Finding]:
        """What is to be sent next; empty when all is sent or too much is under way."""
        letters = [letter for letter in self._letters.values() if not letter.sent][
            : UNDER_WAY - self._under_way
        ]
        for letter in letters:
            letter.sent = True
        self._under_way += len(letters)
        return [letter.finding for letter in letters]

    def accepted(self, ids: Iterable[str]) -> None:
        """The guard has these."""
        for number in ids:
            letter = self._letters.pop(number, None)
            self._under_way -= bool(letter and letter.sent)
        self._filled.set()

    def disconnected(self) -> None:
        """What was under way may not have arrived."""
        for letter in self._letters.values():
            letter.sent = False
        self._under_way = 0
        self._filled.set()

    async def changed(self) -> None:
        """Wait until something came or was acknowledged."""
        await self._filled.wait()
        self._filled.clear()

    def _drop(self) -> None:
        """Give up the newest of the least serious."""
        least = min(reversed(self._letters.values()), key=lambda letter: letter.finding.level)
        del self._letters[least.finding.id]
        self._under_way -= least.sent
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # the 1st, 2nd, 4th, 8th …: a flood must not flood the log too
            _log.error(
                "the guard takes findings too slowly: %d of the least serious were dropped", self._dropped
            )
