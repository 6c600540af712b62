"""What is overdue: everything whose time has come, which the kernel has let fall already; and when the next comes."""

from rempart.detection.finding import Level
from rempart.engine import deadline, facts
from rempart.engine.facts import MACHINE, AnyFact
from rempart.engine.state import State, is_rehearsed, rehearsing
from rempart.incidents.incident import IncidentState
from rempart.incidents.triage import TOGETHER
from rempart.instants import Instant, after

CROWD = 2_000
"""Incidents that are kept in mind. Beyond it something invents them, or the whole internet knocks."""


def overdue(state: State, now: Instant) -> tuple[AnyFact, ...]:
    """Everything whose time has come. The kernel has let it fall already; now it is said."""
    rehearsal = rehearsing(state)
    over = rehearsal is not None and rehearsal.until <= now
    rehearsed = [facts.RehearsalEnded(at=now, by=MACHINE, early=False)] if over else []
    trials = [
        facts.VisitEnded(at=now, opening=name, visitor=door.visitor)
        if door.visitor
        else facts.TrialEnded(at=now, opening=name)
        for name, door in state.doors.items()
        if door.stand.until is not None
        and door.stand.until <= now
        and not is_rehearsed(state, name)
        and not door.provisional
    ]
    barriers = [
        facts.Unbarred(at=now, passage=passage, by=MACHINE)
        for passage, measure in state.barred.items()
        if measure.until is not None and measure.until <= now
    ]
    blocks = [
        facts.Unblocked(at=now, target=target, by=MACHINE)
        for target, measure in state.blocked.items()
        if measure.until is not None and measure.until <= now
    ]
    isolations = [
        facts.Released(at=now, asset=asset, by=MACHINE)
        for asset, measure in state.isolated.items()
        if measure.until is not None and measure.until <= now
    ]
    quiet = [
        name
        for name, incident in state.incidents.items()
        if incident.state is IncidentState.OPEN and now - incident.last_seen > TOGETHER
    ]
    quiet += _crowded_out(state, but=set(quiet))
    ended = [facts.QuietReturned(at=now, incidents=quiet)] if quiet else []
    return (*rehearsed, *_fallen_back(state, now), *trials, *blocks, *isolations, *barriers, *ended)


def _fallen_back(state: State, now: Instant) -> tuple[AnyFact, ...]:
    """What nobody confirmed in time."""
    doors = sorted(
        name
        for name, door in state.doors.items()
        if door.provisional and door.stand.until is not None and door.stand.until <= now
    )
    contained = state.contained_until is not None and state.contained_until <= now
    return (facts.FellBack(at=now, openings=doors, contained=contained),) if doors or contained else ()


def _crowded_out(state: State, but: set[str]) -> list[str]:
    """The incidents beyond `CROWD`: noise before what is grave, the longest quiet first, never those of the cut."""
    excess = len(state.incidents) - len(but) - CROWD
    if excess <= 0:
        return []
    others = [i for name, i in state.incidents.items() if name not in but | state.contained_for]
    others.sort(key=lambda i: (i.level >= Level.HIGH, i.state is not IncidentState.CLOSED, i.last_seen))
    return [i.id for i in others[:excess]]


def next_deadline(state: State, now: Instant) -> Instant | None:
    """When the next of all this falls due; None: nothing waits."""
    stands = [door.stand.until for door in state.doors.values()]
    measures = [m.until for m in (*state.blocked.values(), *state.isolated.values(), *state.barred.values())]
    measures += [state.contained_until, *deadline.announcements(state)]
    calm = [after(i.last_seen, TOGETHER) for i in state.incidents.values() if i.state is IncidentState.OPEN]
    return min((due for due in (*stands, *measures, *calm) if due is not None and due > now), default=None)
