"""A log is silent when nothing came for much longer than is usual for it: a machine that was muted looks like peace."""

from collections.abc import Sequence

from rempart.instants import Duration, hours

DAYS = 7
"""Days that say what is usual: the last ones on which the log spoke."""

SHORTEST: Duration = hours(1)
"""No log is called silent sooner by its own rhythm: machines are started again, and switches are replaced."""

CALM: Duration = hours(6)
"""No log is called silent sooner that paused for `CALM` / `EAGER` within its week, or has a day without a line."""

EAGER = 8
"""Times its longest pause that a log which never rests may be quiet."""

LONGEST: Duration = hours(72)
"""How long a log may be quiet while its week is not known, and what one long gap alone can make usual."""


def patience(gaps: Sequence[Duration], *, learnt: bool) -> Duration:
    """How long a log may say nothing before it is silent: half as long again as it usually does at most, and `CALM`
    at least; or `EAGER` times its longest pause where it never rests, day or night, for a whole week.

    ``gaps``: its longest between two lines on each of the last `DAYS` days on which it spoke, and today; ``learnt``: a
    whole week of it is known. What happened once (an outage, too) is believed up to `LONGEST`, what happened twice
    entirely: a house that closes at the weekend is left in peace, and so is a log that speaks once a week.
    """
    if not learnt:
        return LONGEST
    longest, second = sorted((Duration(0), Duration(0), *gaps), reverse=True)[:2]
    restless = len(gaps) > DAYS  # each day of the week, and what there is of today
    least = max(SHORTEST, min(CALM, EAGER * longest)) if restless else CALM
    return Duration(max(least, min(longest * 3 // 2, LONGEST), second * 3 // 2))
