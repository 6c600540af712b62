"""The one place that asks what time it is."""

import ctypes
import time

from rempart.instants import Instant


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
