"""An enforcer that only remembers: for an observer, replays, drills and tests. Passes the same suite as the gateway."""

from collections.abc import Sequence

from rempart.containment.measure import Enforcement, due
from rempart.containment.names import Lease
from rempart.instants import Instant


class MemoryEnforcer:
    """Implements `ports.Enforcer` and `ports.Lessor` without a world."""

    def __init__(self) -> None:
        self._held = Enforcement(stands={})
        self.leases: list[Lease] = []
        """Every lease that was ever given, in order."""

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Remember what is wanted, less what is over already."""
        self._held = due(wanted, now)

    def settle(self) -> None:
        """Nothing starts later here."""

    def hold(self, leases: Sequence[Lease]) -> None:
        """Remember the leases."""
        self.leases += leases

    def refused(self) -> dict[str, int]:
        """Nothing passes here, so nothing is refused."""
        return {}

    def read(self, now: Instant) -> Enforcement:
        """What was wanted last, with everything whose time has come fallen since."""
        return due(self._held, now)
