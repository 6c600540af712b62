"""The fold: the state after a fact, by what the fact is about.

`fold` is total and knows no rules: whether a fact may be is decided in `step`, before it is sealed. It takes facts
about doors that site.toml no longer has, and about incidents whose first fact was erased; `fitted` ends the fold.
"""

from collections.abc import Iterable
from dataclasses import replace

from rempart.engine import facts, handwork, listening, people, retention, taming, timekeeping, unmasking
from rempart.engine.changed import changed
from rempart.engine.facts import AnyFact
from rempart.engine.fold import alerts, care, casefiles, cut, doors, duties, incidents, measures, reopening
from rempart.engine.state import NEVER, State, Swing, standing
from rempart.instants import Instant
from rempart.site.site import Site

SWINGS = 1_000
"""How many swings of doors are remembered, for the picture of an incident; the journal has them all."""

_KeptFact = (
    facts.CaseworkFact
    | facts.CredentialFact
    | facts.DutyFact
    | facts.TimekeepingFact
    | facts.BoxRestored
    | facts.OrderDeclined
    | facts.EnforcementFaulted
    | facts.SealedLate
)
"""What is kept in the journal, in case files or with the accounts, and changes nothing here."""


def folded(state: State, site: Site, these: Iterable[AnyFact]) -> State:
    """The state after all these facts."""
    for fact in these:
        state = fold(state, site, fact)
    return state


def fold(state: State, site: Site, fact: AnyFact) -> State:
    """The state after one fact, with what is kept of it beside the state itself."""
    after = _after(state, site, fact)
    return changed(
        after,
        cases=casefiles.after_it(state, after, fact),
        duties=duties.after_it(state.duties, fact),
        kept=retention.after_it(state.kept, fact),
        swings=_swung(state, after, fact),
        timekeeping=timekeeping.after_it(state.timekeeping, fact),
    )


def _swung(before: State, after: State, fact: AnyFact) -> tuple[Swing, ...]:
    """The swings with those that this fact made."""
    if after.doors is before.doors:
        return before.swings
    by = getattr(fact, "by", facts.MACHINE)
    fresh = tuple(
        Swing(at=fact.at, opening=name, was=standing(before, name).state, state=door.stand.state, by=by)
        for name, door in after.doors.items()
        if name in before.doors and standing(before, name).state is not door.stand.state
    )
    return (*before.swings, *fresh)[-SWINGS:] if fresh else before.swings


def _after(state: State, site: Site, fact: AnyFact) -> State:
    """The state after one fact, by what the fact is about."""
    if isinstance(fact, facts.StationStarted):
        return _started(state, fact.at)
    if isinstance(fact, facts.IncidentFact):
        return incidents.after_it(state, fact)
    if isinstance(fact, facts.CutFact):
        return cut.after_it(state, site, fact)
    if isinstance(fact, facts.DoorFact):
        return doors.after_it(state, fact)
    if isinstance(fact, facts.MeasureFact):
        return measures.after_it(state, fact)
    if isinstance(fact, facts.ReopeningFact):
        return reopening.after_it(state, fact)
    if isinstance(fact, facts.AlertFact):
        return alerts.after_it(state, fact)
    if isinstance(fact, facts.PeopleFact):
        return changed(state, people=people.after_it(state.people, fact))
    if isinstance(fact, facts.TamingFact):
        return changed(state, taming=taming.after_it(state.taming, fact))
    if isinstance(fact, facts.UnmaskingFact):
        return changed(state, unmaskings=unmasking.after_it(state.unmaskings, fact))
    if isinstance(fact, facts.ListeningFact):
        return changed(state, listening=listening.after_it(state.listening, fact))
    if isinstance(fact, facts.TickedByHand):
        return changed(state, by_hand=handwork.after_it(state.by_hand, fact))
    if isinstance(fact, _KeptFact):
        return state
    return care.after_it(state, site, fact)


def _started(state: State, at: Instant) -> State:
    begun = state if state.day.since != NEVER else changed(state, day=replace(state.day, since=at))
    return changed(begun, since=at) if state.since == NEVER else begun
