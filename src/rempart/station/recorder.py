"""Recorder: brings what watch has read onto the disk, in a thread of its own, forty times a second at most.

What is detected on never waits for a disk that refuses or stalls, except for a moment: see `PATIENCE`.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from rempart.adapters.store.events import Batch, EventStore, StoreFailed

_log = logging.getLogger("rempart.watch")

COMMIT = 0.025
"""Seconds between two commits: flash wears by the commit, not by the line."""

PATIENCE = 0.5
"""Seconds a finding waits for its lines to be on the disk, when it must; then it is sent all the same."""

UNWRITTEN = 64 << 20
"""Bytes kept in memory while the disk refuses; beyond that the oldest are given up, and it is said."""


class Recorder:
    """Brings batches onto the disk in a thread of its own, all that wait at once."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recorder")
        self._waiting: list[Batch] = []
        self._filled = asyncio.Event()
        self._written = asyncio.Condition()
        self._failing = False

    def put(self, batches: Sequence[Batch]) -> None:
        """Have these written, after those put before."""
        for batch in batches:
            if self._waiting and (joined := joint(self._waiting[-1], batch)):
                self._waiting[-1] = joined
            else:
                self._waiting.append(batch)
        self._filled.set()

    async def run(self) -> None:
        """Write what is put, until cancelled."""
        loop = asyncio.get_running_loop()
        begun = -COMMIT
        while True:
            await self._filled.wait()
            await asyncio.sleep(begun + COMMIT - loop.time())
            begun = loop.time()
            self._filled.clear()
            batches, self._waiting = self._waiting, []
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._store.append, batches)
                self._failing = False
            except StoreFailed as fault:
                await self._refused(batches, fault)
            async with self._written:
                self._written.notify_all()

    async def written(self, segment: int) -> None:
        """Wait until the segment is on the disk, `PATIENCE` at most, and not at all while the disk refuses."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE), self._written:
                await self._written.wait_for(lambda: self._failing or self._store.last >= segment)

    async def finish(self) -> None:
        """Write what still waits; nothing may be put any more."""
        await asyncio.to_thread(self._thread.shutdown)
        if self._waiting:
            self._store.append(self._waiting)

    async def _refused(self, batches: list[Batch], fault: StoreFailed) -> None:
        if not self._failing:
            _log.error("%s", fault.diagnostics())
        self._failing = True
        self._waiting = batches + self._waiting
        self._give_up()
        self._filled.set()
        async with self._written:
            self._written.notify_all()
        await asyncio.sleep(1)

    def _give_up(self) -> None:
        """Forget the oldest that wait when they would take too much memory."""
        sizes = [sum(map(len, batch.bodies)) for batch in self._waiting]
        excess, lines = sum(sizes) - UNWRITTEN, 0
        while excess > 0:
            excess -= sizes.pop(0)
            lines += len(self._waiting.pop(0).bodies)
        if lines:
            _log.error("%d lines were detected on but could not be kept: the disk refuses them", lines)


def joint(first: Batch, second: Batch) -> Batch | None:
    """Both as one, when nothing of another source lies between and both count as read at the same instant."""
    if (first.source, first.decoder, first.read) != (second.source, second.decoder, second.read):
        return None
    return replace(second, numbers=[*first.numbers, *second.numbers], bodies=[*first.bodies, *second.bodies])
