"""Meter: how much passes each opening, counted once a minute; it changes nothing and nothing waits for it."""

from collections.abc import Callable, Mapping

from rempart.containment.traffic import traffic
from rempart.errors import EnforcementFailed
from rempart.instants import Duration, Instant, seconds
from rempart.ports import Clock
from rempart.site.site import Site

EVERY = seconds(60)


class Meter:
    """The latest steps (`rempart.containment.traffic`), by opening."""

    def __init__(self, clock: Clock, counted: Callable[[], Mapping[str, int]]) -> None:
        """``counted``: packets since the table was loaded, by the name of what counted them."""
        self.steps: Mapping[str, int] = {}
        """Empty while nothing is known: two counts are needed, and an observer has none."""
        self._clock = clock
        self._counted = counted
        self._last: tuple[Instant, Mapping[str, int]] | None = None

    def look(self, site: Site) -> None:
        """Count again, if a minute has passed. What cannot be counted is not known."""
        now = self._clock.now()
        if self._last and 0 <= now - self._last[0] < EVERY:
            return
        try:
            counted = self._counted()
        except EnforcementFailed:  # the warden says so
            counted = {}
        before, self._last = self._last, (now, counted)
        known = before is not None and before[1] and counted
        self.steps = traffic(site, before[1], counted, Duration(now - before[0])) if before and known else {}
