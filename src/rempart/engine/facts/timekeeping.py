"""Facts about timekeeping: whether the clock is believed."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class ClockLeapt(Fact, frozen=True, tag=True, kw_only=True):
    """The clock is far ahead of what is believed: nothing is erased by it until it returns, or a person confirms it."""

    believed: Instant
    """What the time should be, by what the station lived through itself."""


class ClockReturned(Fact, frozen=True, tag=True, kw_only=True):
    """The clock is near what is believed again."""


class ClockConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """A person says that the clock is right, though it leapt."""

    by: str
    reason: str


TimekeepingFact = ClockLeapt | ClockReturned | ClockConfirmed
