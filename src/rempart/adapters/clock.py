"""The one place that asks what time it is."""

import ctypes
import time

from rempart.engine.timekeeping import Reckoning
from rempart.instants import Duration, Instant


class SystemClock:
    """The system's UTC clock."""

    def now(self) -> Instant:
        """The present instant."""
        return Instant(time.time_ns() // 1000)


def kept_right() -> bool | None:
    """Whether the kernel says that something keeps its clock right (adjtimex(2)); None when it does not say."""
    time_error, room = 5, 512  # struct timex has 208 bytes; zeroed, it changes nothing and only asks
    said = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(room))
    return None if said < 0 else said != time_error


def reckon() -> Reckoning:
    """What the kernel knows of the time beside its clock."""
    lived = Duration(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)
    return Reckoning(lived=lived, kept_right=kept_right())
