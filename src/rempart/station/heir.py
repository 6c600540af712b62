"""Heir: rules that are to take over. They are shown the past first, so that no window begins anew.

Rules and exceptions that changed are read beside those in force; a set that cannot be used changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from rempart.adapters.store.events import Damage, EventStore
from rempart.detection.detector import Detection
from rempart.errors import RempartError
from rempart.instants import Instant, hours
from rempart.ports import Clock
from rempart.station.reading import LATE, Reader
from rempart.station.rulebook import Rulebook, Silences, kept_for_long

_log = logging.getLogger("rempart.watch")

RENEW = 1.0
"""Seconds between two looks at whether the rules have changed."""

REPLAYED = hours(24)
"""How far back the windows are rebuilt at most: hundreds of thousands of lines a minute are replayed."""


class Heir:
    """Rules that are to take over: they are shown the past first, so that no window begins anew."""

    def __init__(self, detection: Detection, store: EventStore, newest: Instant) -> None:
        """``newest``: the time of an event, from before which the longest window is shown."""
        self.detection = detection
        self._reader = Reader(detection)
        self._store = store
        self._since = Instant(max(0, newest - min(detection.longest_timespan, REPLAYED) - LATE))
        self.seen = 0
        """The last segment shown."""

    def catch_up(self) -> None:
        """See what was stored since the last time. What is found in it was for the rules in force to tell."""
        for segment in self._store.since(self._since, after=self.seen):
            if isinstance(segment, Damage):
                _log.error("%s", segment)
                self.seen = segment.last
                continue
            self._reader.findings(segment)
            self.seen = segment.id
        self.detection.hidden.clear()


class Succession:
    """Has other rules take over from those that ``reader`` works by. For one asyncio loop."""

    def __init__(
        self,
        reader: Reader,
        rulebook: Rulebook,
        silences: Silences,
        store: EventStore,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._rulebook = rulebook
        self._silences = silences
        self._store = store
        self._clock = clock
        self._asked = asyncio.Event()
        self._heir: Heir | None = None
        self._over = asyncio.Event()

    def ask(self) -> None:
        """Have the rules and exceptions read again, whether or not they seem to have changed."""
        self._asked.set()

    async def run(self, newest: Callable[[], Instant]) -> None:
        """Take up other rules when they are there, and tell what exceptions hide, until cancelled.

        ``newest`` gives the time of the newest event that was detected on.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW):
                    await self._asked.wait()
            self._silences.tell(self._reader.detection, self._clock.now())
            if self._asked.is_set() or self._rulebook.changed():
                self._asked.clear()
                await self._take_up(newest())

    async def _take_up(self, newest: Instant) -> None:
        """Read the rules and show them the past; wait until they have taken over."""
        try:
            detection = await asyncio.to_thread(self._rulebook.detection)
            heir = Heir(detection, self._store, newest)
            await asyncio.to_thread(heir.catch_up)
        except RempartError as fault:
            _log.error("the rules in force stay, the new ones cannot be used: %s", fault.diagnostics())
            return
        except Exception:
            # A fault of ours met by a crafted rule must not end the watch that works.
            _log.exception("the rules in force stay, the new ones cannot be used")
            return
        self._heir = heir
        self._over.clear()
        await self._over.wait()

    def succeed(self, last: int) -> None:
        """Between two batches, when all up to the ``last`` segment is stored: the heir sees the rest and takes over."""
        if self._heir is None or self._store.last < last:
            return
        self._heir.catch_up()
        self._heir.detection.inherit(self._reader.detection)
        self._reader.detection, self._heir = self._heir.detection, None
        self._over.set()
        kept_for_long()
        _log.info("other rules are in force")
