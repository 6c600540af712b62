"""The cut: how it begins, is confirmed, falls back and ends, and what it does to doors and incidents."""

from collections.abc import Mapping
from dataclasses import replace

from rempart.containment.measure import Stand
from rempart.detection.finding import Level
from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.fold.doors import until_confirmed, with_stand
from rempart.engine.fold.incidents import tell_contained
from rempart.engine.state import NEVER, Door, Measure, Posture, State, standing
from rempart.incidents.incident import IncidentState, Sentence
from rempart.site.opening import OpeningState
from rempart.site.site import Site


def after_it(state: State, site: Site, fact: facts.CutFact) -> State:
    """The state after one fact about the cut."""
    match fact:
        case facts.Contained():
            return _contained(state, site, fact)
        case facts.ChangeConfirmed():
            return _confirmed(state)
        case facts.FellBack():
            return _fell_back(state, fact)
        case facts.DeadlineNears(what=what, target=target, until=until, hours=ahead):
            running = {each for each in state.warned if each[2] > fact.at}
            return changed(state, warned=frozenset(running | {(what, target, until, ahead)}))
        case facts.Normalised():
            return _normalised(state, site, fact)
        case facts.NewsAnnounced(news_at=news_at):
            return changed(state, news_at=news_at)


def _contained(state: State, site: Site, fact: facts.Contained) -> State:
    doors = dict(state.doors)
    for opening in site.openings:
        door = doors.get(opening.id)
        already = door is not None and door.stand.state is OpeningState.CLOSED
        # A lifeline closed by hand, or a door normally closed, stays closed.
        shut = OpeningState.CLOSED if already else opening.left_by_cut
        stand = until_confirmed(standing(state, opening.id), shut, fact.until)
        doors[opening.id] = Door(
            stand=stand, since=fact.at, provisional=stand.until is not None, by=fact.by, reason=fact.reason
        )
    because = state.contained_for | set(fact.incidents)
    incidents = {
        name: replace(incident, state=IncidentState.CONTAINED) if name in because else incident
        for name, incident in state.incidents.items()
    }
    cut = changed(
        state,
        posture=Posture.CONTAINED,
        since=fact.at,
        contained=True,
        cut_since=state.cut_since if state.contained else fact.at,
        # A cut that stands already is not ended by one that nobody confirms.
        contained_until=None if state.contained and not state.contained_until else fact.until,
        contained_for=because,
        doors=doors,
        gates={},
        reopened=(),
        incidents=incidents,
    )
    return tell_contained(cut, fact.at, Sentence("story.contained", {"by": fact.by}))


def _confirmed(state: State) -> State:
    """All that waits for a confirmation stays."""
    doors = {
        name: replace(door, stand=Stand(state=door.stand.state), provisional=False)
        if door.provisional
        else door
        for name, door in state.doors.items()
    }
    return changed(
        state,
        doors=doors,
        contained_until=None,
        blocked=_kept(state.blocked),
        isolated=_kept(state.isolated),
        barred=_kept(state.barred),
    )


def _kept(measures: Mapping[str, Measure]) -> dict[str, Measure]:
    return {
        name: replace(measure, until=None, provisional=False) if measure.provisional else measure
        for name, measure in measures.items()
    }


def _fell_back(state: State, fact: facts.FellBack) -> State:
    """Doors that nobody confirmed stand as before; so does the site, if its cut was one of them."""
    for name in fact.openings:
        before = standing(state, name).then or OpeningState.CLOSED
        state = with_stand(state, name, Stand(state=before), fact.at)
    if not fact.contained:
        return state
    incidents = {
        name: replace(incident, state=IncidentState.OPEN) if name in state.contained_for else incident
        for name, incident in state.incidents.items()
    }
    grave = any(i.level >= Level.HIGH and i.state is not IncidentState.CLOSED for i in incidents.values())
    return changed(
        state,
        posture=Posture.WATCHFUL if grave else Posture.NORMAL,
        since=fact.at,
        contained=False,
        cut_since=NEVER,
        contained_until=None,
        contained_for=frozenset(),
        incidents=incidents,
    )


def _normalised(state: State, site: Site, fact: facts.Normalised) -> State:
    told = tell_contained(state, fact.at, Sentence("story.normal", {"by": fact.by}))
    incidents = {
        name: replace(incident, state=IncidentState.CLOSED) if name in state.contained_for else incident
        for name, incident in told.incidents.items()
    }
    doors = {o.id: Door(stand=Stand(state=o.normally), since=fact.at) for o in site.openings}
    return changed(
        told,
        incidents=incidents,
        doors=doors,
        posture=Posture.NORMAL,
        since=fact.at,
        contained=False,
        cut_since=NEVER,
        contained_until=None,
        contained_for=frozenset(),
        dossier=replace(told.dossier, partners={}, overrides={}),
        gates={},
    )
