"""An enforcer that only remembers: for replays, drills and tests. Passes the same suite as the gateway."""

from rempart.containment.measure import Enforcement, due
from rempart.instants import Instant


class MemoryEnforcer:
    """Implements `ports.Enforcer` without a world."""

    def __init__(self) -> None:
        self._held = Enforcement(stands={})

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Remember what is wanted, less what is over already."""
        self._held = due(wanted, now)

    def read(self, now: Instant) -> Enforcement:
        """What was wanted last, with everything whose time has come fallen since."""
        return due(self._held, now)
