"""Timekeeping: whether the clock may be believed when something is done that nobody can undo.

A box's clock can leap by years: an empty battery, a receiver that rolled over, a forged answer of a time server. What
is cut, told or counted by it is put right with the clock; a file that was erased is not. So the time is held against
what the station lived through itself: at a start against the last fact that was sealed, later against a clock that
nobody can set. Whoever was off for longer than `LEAP` looks the same as one whose clock leapt: a person says which.
"""

from dataclasses import dataclass, field, replace

from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.instants import Duration, Instant, after, hours

LEAP: Duration = hours(7 * 24)
"""How far ahead of what is believed the clock may be: by so much may be erased too early, and no more."""

ABSENCE: Duration = hours(26)
"""A station that lives seals the end of each day, which has 25 hours at most: whose last fact is older was off."""

_NEVER = Instant(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """What is known of the time beside the clock itself; None: nobody says."""

    lived: Duration | None = None
    """How long the box is up, by a clock that cannot be set (clock_gettime(2), CLOCK_BOOTTIME)."""
    kept_right: bool | None = None
    """Whether the kernel says that something keeps its clock right (adjtimex(2))."""


UNKNOWN = Reckoning()
"""Nobody says: the clock is then held against nothing but the journal, at the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timekeeping:
    """What is believed of the time. ``leapt``: since when, by its own account, the clock is not believed."""

    last: Instant = _NEVER
    """The latest time at which a fact was sealed while the clock was believed."""
    leapt: Instant | None = None
    anchor: Instant = field(default=_NEVER, compare=False)
    """What was believed when this run was first told how long the box is up; never: it was not. No evidence."""
    lived: Duration = field(default=Duration(0), compare=False)
    """How long it was up then."""

    def believes(self, reckoning: Reckoning) -> bool:
        """Whether what waits for its time may be done for good. A clock that nothing keeps right proves nothing."""
        return self.leapt is None and reckoning.kept_right is not False


def begun(time: Timekeeping) -> Timekeeping:
    """A new run: how long the box is up is counted anew after each boot."""
    return replace(time, anchor=_NEVER)


def absent_since(time: Timekeeping, now: Instant) -> Instant | None:
    """The latest fact sealed before a station that now starts was off; None: it was not, or nobody can say."""
    known = time.last != _NEVER and time.leapt is None
    return time.last if known and now - time.last > ABSENCE else None


def reckoned(time: Timekeeping, reckoning: Reckoning, now: Instant) -> Timekeeping:
    """Remember from where this run reckons."""
    if reckoning.lived is None or time.anchor != _NEVER:
        return time
    # A box without a battery starts years behind, until somebody tells it the time: that is no leap.
    anchor = max(now, time.last) if time.leapt is None else time.last
    return replace(time, anchor=anchor, lived=reckoning.lived)


def turned(time: Timekeeping, reckoning: Reckoning, now: Instant) -> tuple[AnyFact, ...]:
    """That the clock leapt, or is as it should be again."""
    believed = _believed(time, reckoning)
    if believed == _NEVER:
        return ()
    ahead = now - believed > LEAP
    if ahead and time.leapt is None:
        return (facts.ClockLeapt(at=now, believed=believed),)
    if not ahead and time.leapt is not None:
        return (facts.ClockReturned(at=now),)
    return ()


def _believed(time: Timekeeping, reckoning: Reckoning) -> Instant:
    """What the time should be; never: nobody can say. Until a run reckons, it is what was sealed last."""
    if reckoning.lived is None or time.anchor == _NEVER:
        return time.last
    return after(time.anchor, Duration(reckoning.lived - time.lived))


def after_it(time: Timekeeping, fact: AnyFact) -> Timekeeping:
    """What is believed after one fact. Total: it takes whatever a journal holds."""
    match fact:
        case facts.ClockLeapt(at=at, believed=believed):
            return replace(time, leapt=at, last=believed)
        case facts.ClockReturned(at=at):
            return replace(time, leapt=None, last=at)
        case facts.ClockConfirmed(at=at):
            return replace(time, leapt=None, last=at, anchor=_NEVER)
        case _:
            return time if time.leapt is not None else replace(time, last=max(time.last, fact.at))
