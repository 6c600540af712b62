"""Care: what a rehearsed cut does to the doors and how they come back; the rest is the ledger's."""

from rempart.containment.measure import Stand, stricter
from rempart.engine import facts
from rempart.engine.caring import noted
from rempart.engine.changed import changed
from rempart.engine.state import Door, State, is_rehearsed, standing
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site


def after_it(state: State, site: Site, fact: facts.CareFact) -> State:
    """The state after one fact about care."""
    match fact:
        case facts.RehearsalBegun(at=at, until=until):
            state = _rehearsed(state, site, until, at)
        case facts.RehearsalEnded(at=at):
            state = _undone(state, at)
    return changed(state, care=noted(state.care, fact))


def _rehearsed(state: State, site: Site, until: Instant, at: Instant) -> State:
    """Every door as the cut leaves it, and then, by the kernel's own clock, as it stands now."""
    doors = dict(state.doors)
    for opening in site.openings:
        present = standing(state, opening.id)
        shut = opening.left_by_cut
        if shut is not stricter(present.state, shut) or shut is present.state:
            continue
        doors[opening.id] = Door(stand=Stand(state=shut, until=until, then=present.state), since=at)
    return changed(state, doors=doors)


def _undone(state: State, at: Instant) -> State:
    """The doors that still stand as the rehearsal left them, as they stood before it."""
    doors = {
        name: Door(stand=Stand(state=door.stand.then or OpeningState.CLOSED), since=at)
        if is_rehearsed(state, name)
        else door
        for name, door in state.doors.items()
    }
    return changed(state, doors=doors)
