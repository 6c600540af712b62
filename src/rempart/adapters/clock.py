"""The one place that asks what time it is."""

import time

from rempart.instants import Instant


class SystemClock:
    """The system's UTC clock."""

    def now(self) -> Instant:
        """The present instant."""
        return Instant(time.time_ns() // 1000)
