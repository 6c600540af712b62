"""Shelf: findings on their way to the pages. They are kept in bunches once a second; nothing waits for it."""

import asyncio

from rempart.adapters.store.findings import FindingStore, Seen

SHELVE = 1.0
"""Seconds between two writings of findings for the pages."""

NOTED = 5_000
"""Findings that wait for it at most."""


class Shelf:
    """The findings that wait to be written. For one asyncio loop."""

    def __init__(self, gallery: FindingStore) -> None:
        self._gallery = gallery
        self._noted: list[Seen] = []

    def note(self, seen: Seen) -> None:
        """Take a finding. A flood beyond what a second can hold is at the guard, and not on the page."""
        if len(self._noted) < NOTED:
            self._noted.append(seen)

    async def run(self) -> None:
        """Write what was noted, until cancelled."""
        while True:
            await asyncio.sleep(SHELVE)
            if noted := self._noted:
                self._noted = []
                await asyncio.to_thread(self._gallery.keep, noted)

    def finish(self) -> None:
        """Write what still waits; nothing may be noted any more."""
        self._gallery.keep(self._noted)
