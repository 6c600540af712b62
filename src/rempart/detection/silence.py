"""A log is silent when nothing came for much longer than is usual for it: a machine that was muted looks like peace."""

from collections.abc import Sequence

from rempart.instants import Duration, Instant, hours

DAYS = 7
"""Days that say what is usual."""

SHORTEST: Duration = hours(6)
"""Nobody is told sooner: a home's portal sleeps at night."""

LONGEST: Duration = hours(72)
"""Nobody is told later of a log that speaks at all."""

_GAPS = 20
"""How many times its usual gap between two lines."""


def silent(lines: Sequence[int], last: Instant, now: Instant) -> bool:
    """Whether a log has fallen silent. ``lines`` a day, today's first; ``last`` when it was heard, or since when nobody
    heard it.
    """
    heard = [each for each in lines if each]
    if not heard:
        return now - last > LONGEST
    gap = hours(24) * len(heard) // sum(heard)
    return now - last > min(max(SHORTEST, _GAPS * gap), LONGEST)
