"""Doors: each set apart from the others, or opened for minutes to one visitor."""

from dataclasses import replace

from rempart.containment.limits import Limits
from rempart.containment.measure import Stand, stricter
from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.fold.incidents import tell_contained
from rempart.engine.state import Door, State, standing
from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.site.opening import OpeningState


def after_it(state: State, fact: facts.DoorFact) -> State:
    """The state after one fact about a door."""
    match fact:
        case facts.LifelineClosed(at=at, opening=opening, by=by):
            sentence = Sentence("story.lifeline-closed", {"opening": opening, "by": by})
            return _set(tell_contained(state, at, sentence), opening, OpeningState.CLOSED, fact)
        case facts.OpeningSet(opening=opening, state=wanted):
            return _set(state, opening, wanted, fact)
        case facts.VisitBegun(at=at, opening=opening):
            stand = Stand(
                state=OpeningState.FILTERED,
                until=fact.until,
                then=OpeningState.CLOSED,
                limits=_limits(fact),
            )
            door = Door(
                stand=stand,
                since=at,
                visitor=fact.visitor,
                source=fact.source,
                by=fact.by,
                reason=fact.reason,
            )
            return changed(state, doors={**state.doors, opening: door})
        case facts.VisitEnded(at=at, opening=opening):
            return with_stand(state, opening, Stand(state=OpeningState.CLOSED), at)


def _limits(fact: facts.VisitBegun) -> Limits | None:
    limited = fact.hosts or fact.certificate
    return (
        Limits(source=fact.source, hosts=tuple(fact.hosts), certificate=fact.certificate) if limited else None
    )


def _set(
    state: State, opening: str, wanted: OpeningState, fact: facts.OpeningSet | facts.LifelineClosed
) -> State:
    """One door set apart from the others, perhaps until somebody confirms it, or on trial as it was."""
    on_trial = fact.then if isinstance(fact, facts.OpeningSet) else None
    if on_trial:
        stand = Stand(state=wanted, until=fact.until, then=on_trial)
    else:
        stand = until_confirmed(standing(state, opening), wanted, fact.until)
    if isinstance(fact, facts.OpeningSet):
        stand = replace(stand, drains=fact.drains)
    before = state.doors.get(opening)
    door = Door(
        stand=stand,
        since=fact.at,
        reopened=before is not None and before.reopened and wanted is not OpeningState.CLOSED,
        provisional=stand.until is not None and not on_trial,
        by=fact.by,
        reason=fact.reason,
    )
    return changed(state, doors={**state.doors, opening: door})


def until_confirmed(present: Stand, wanted: OpeningState, until: Instant | None) -> Stand:
    """``wanted``, and if nobody confirms it by then, no more open than the door would have been without it."""
    fallback = present.then if present.until and present.then else present.state
    if until is None or stricter(fallback, wanted) is fallback:
        return Stand(state=wanted)
    return Stand(state=wanted, until=until, then=fallback)


def with_stand(
    state: State, opening: str, stand: Stand, at: Instant, *, reopened: bool = False, by: str = ""
) -> State:
    """The state with a door that stands so from now on."""
    door = Door(stand=stand, since=at, reopened=reopened, by=by)
    return changed(state, doors={**state.doors, opening: door})
