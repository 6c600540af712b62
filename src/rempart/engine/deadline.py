"""Deadlines: those set by a person fall while somebody is there, and are announced four hours and one hour before.

What nobody confirmed falls back at its instant, whatever the hour, and a trial ends closed at its own; a machine's
blocks are short and end by themselves.
"""

from collections.abc import Iterator

from rempart.engine import facts
from rempart.engine.facts import MACHINE
from rempart.engine.state import State, is_rehearsed
from rempart.instants import Instant, hours
from rempart.site.belgian_time import first
from rempart.site.hours import Hours

AHEAD = (4, 1)
"""Hours before its end at which a deadline is announced."""

_Deadline = tuple[str, str, Instant, Instant]
"""Of what, of which target, since when, until when."""


def staffed(when: Hours, at: Instant) -> Instant:
    """The first instant from ``at`` on at which somebody who can mend things is there; ``at`` when nobody ever is."""
    return first(when.staffed, when.begins, at) or at


def nearing(state: State, now: Instant) -> Iterator[facts.DeadlineNears]:
    """What ends in less than four hours, or one, and was not announced yet."""
    for what, target, since, until in _running(state):
        for ahead in AHEAD:
            told = (what, target, until, ahead)
            if since <= until - hours(ahead) <= now < until and told not in state.warned:
                yield facts.DeadlineNears(at=now, what=what, target=target, until=until, hours=ahead)


def announcements(state: State) -> Iterator[Instant]:
    """When something is to be announced."""
    return (Instant(until - hours(ahead)) for _, _, _, until in _running(state) for ahead in AHEAD)


def _running(state: State) -> Iterator[_Deadline]:
    """Deadlines that a person set, and trials."""
    for name, door in state.doors.items():
        if door.stand.until is not None and not door.provisional and not is_rehearsed(state, name):
            yield "trial", name, door.since, door.stand.until
    for what, measures in (
        ("block", state.blocked),
        ("isolation", state.isolated),
        ("barrier", state.barred),
    ):
        for target, measure in measures.items():
            if measure.until is not None and not measure.provisional and measure.by != MACHINE:
                yield what, target, measure.since, measure.until
