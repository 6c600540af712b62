"""Seals facts on the one thread that writes the journal, in order; says when it took too long, and forgets nothing."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from rempart.adapters.journal import Journal
from rempart.engine.facts import AnyFact, body_of, kind_of
from rempart.engine.inputs import Delayed
from rempart.errors import JournalUnwritable, RempartError
from rempart.instants import Instant
from rempart.ports import Clock

_log = logging.getLogger("rempart.guard")

PATIENCE = 0.050
"""Seconds whoever ordered a tightening, which is applied meanwhile, waits for its seal; then it is sealed late."""

SNAPSHOT_EVERY = 500
"""Entries after which the state is sealed whole, so that the fold at start stays short."""

SNAPSHOT_SHARE = 2_000
"""Bytes of a snapshot for which one more entry is waited until the next: 100,000 blocks make one of 14 MB, and sealed
every 500 entries they would be written with the square of their number."""

RELIEVE_EVERY = 48
"""Entries after which the journal's WAL is emptied beside the sealing, before a seal would have to do it."""

MOST_WAITING = 5_000
"""Seals that wait for a disk that refuses; beyond it watch keeps its findings."""

_AGAIN = 1.0
"""Seconds between two attempts to write what the disk refused."""

Facts = Sequence[AnyFact]

_Made = TypeVar("_Made")


class Scribe:
    """The journal as the guard uses it. What could not be sealed in time is sealed late, before anything newer."""

    def __init__(
        self, journal: Journal, clock: Clock, when_late: Callable[[Delayed], Awaitable[object]]
    ) -> None:
        """``when_late`` is told of each sealing that came after its deed, once it is done."""
        self._journal = journal
        self._clock = clock
        self._when_late = when_late
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._relief = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-relief")
        self._relieved_at = journal.head[0]
        self._waiting: list[tuple[Facts, Instant]] = []
        self._again: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._snapshot_at = journal.head[0] + SNAPSHOT_EVERY

    @property
    def head(self) -> tuple[int, bytes]:
        """Entries sealed, and the root over them."""
        return self._journal.head

    async def seal(self, decided: Facts) -> int:
        """Seal, however long it takes; the entry's number. Raises `JournalUnwritable`."""
        return await self._on_thread(partial(self._write, decided, self._clock.now()))

    def seal_within_patience(self, decided: Facts) -> Awaitable[int | None]:
        """Begin to seal, now, whenever it is awaited.

        Awaited: the entry's number, or None when the disk takes too long or refuses: it is then sealed late.
        """
        began = self._clock.now()
        loop = asyncio.get_running_loop()
        sealing = loop.run_in_executor(self._thread, partial(self._write, decided, began))
        return loop.create_task(self._wait_for(sealing, decided, began))

    async def _wait_for(self, sealing: "asyncio.Future[int]", decided: Facts, began: Instant) -> int | None:
        done, _ = await asyncio.wait({sealing}, timeout=PATIENCE)
        if done and sealing.exception() is None:
            return sealing.result()
        self._in_background(self._see_through(sealing, decided, began))
        return None

    @property
    def burdened(self) -> bool:
        """Whether so much waits for the disk that no more findings should be taken in."""
        return len(self._waiting) >= MOST_WAITING

    async def checkpoint(self) -> None:
        """Sign a checkpoint that is kept, after everything decided so far has been sealed."""
        try:
            await self._on_thread(lambda: self._journal.checkpoint(at=self._clock.now()))
        except JournalUnwritable as fault:
            _log.error("no checkpoint was kept: %s", fault.diagnostics())

    async def snapshot_if_due(self, image: Callable[[], bytes]) -> None:
        """Seal the whole state when the last time is long ago. ``image`` makes its bytes."""
        if self._journal.head[0] < self._snapshot_at:
            return
        made = image()
        try:
            await self.snapshot(made)
        except JournalUnwritable as fault:
            _log.error("no snapshot was kept: %s", fault.diagnostics())
        self._snapshot_at = self._journal.head[0] + max(SNAPSHOT_EVERY, len(made) // SNAPSHOT_SHARE)

    async def snapshot(self, image: bytes) -> None:
        """Seal the whole state, and keep a checkpoint. Raises `JournalUnwritable`."""
        await self._on_thread(lambda: self._journal.snapshot(image, at=self._clock.now()))
        await self.checkpoint()

    def close(self) -> None:
        """Let what is being sealed be sealed. After it nothing more can be."""
        self._thread.shutdown(wait=True)
        self._relief.shutdown(wait=True)

    async def _on_thread(self, work: Callable[[], _Made]) -> _Made:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write(self, decided: Facts, now: Instant) -> int:
        self._write_waiting()
        number = self._journal.seal_all([(kind_of(f), body_of(f)) for f in decided], at=now).number
        if number - self._relieved_at >= RELIEVE_EVERY:
            self._relieved_at = number
            self._relief.submit(self._journal.relieve)
        return number

    def _write_waiting(self) -> None:
        while self._waiting:
            decided, since = self._waiting[0]
            self._journal.seal_all([(kind_of(f), body_of(f)) for f in decided], at=since, late=True)
            self._waiting.pop(0)

    async def _see_through(self, sealing: "asyncio.Future[int]", decided: Facts, began: Instant) -> None:
        """Finish a seal that took too long; what the disk refuses is sealed before anything newer."""
        try:
            await sealing
        except (RempartError, OSError) as fault:
            _log.error("the journal cannot be written, containing goes on: %s", fault)
            self._waiting.append((decided, began))
            if self._again is None or self._again.done():
                self._again = asyncio.get_running_loop().create_task(self._try_again())
        else:
            await self._tell_late(decided, began)

    async def _try_again(self) -> None:
        """Seal what waits, however long the disk refuses, and say once what was late."""
        late: dict[int, tuple[Facts, Instant]] = {}
        while self._waiting:
            late |= {id(kept): kept for kept in self._waiting}
            await asyncio.sleep(_AGAIN)
            with contextlib.suppress(RempartError, OSError):  # said already; tried again until it works
                await self._on_thread(self._write_waiting)
        kept = list(late.values())
        await self._tell_late([fact for facts, _ in kept for fact in facts], min(began for _, began in kept))

    async def _tell_late(self, decided: Facts, began: Instant) -> None:
        now = self._clock.now()
        kinds = tuple(dict.fromkeys(kind_of(fact) for fact in decided))
        await self._when_late(Delayed(now, kinds, (now - began) // 1000))

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
