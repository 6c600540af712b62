"""Measures: blocks of addresses, machines in isolation, passages that are shut."""

from dataclasses import replace

from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.persistent import PersistentMap
from rempart.engine.state import BUDGETED, Measure, State, without
from rempart.instants import Instant, after


def after_it(state: State, fact: facts.MeasureFact) -> State:
    """The state after one fact about a measure."""
    match fact:
        case facts.Blocked():
            return _blocked(state, fact)
        case facts.Unblocked(target=target):
            return changed(state, blocked=PersistentMap.of(state.blocked).without(target))
        case facts.Isolated():
            return _isolated(state, fact)
        case facts.Released(asset=asset):
            return changed(state, isolated=without(state.isolated, asset))
        case facts.Barred(passage=passage):
            return changed(state, barred={**state.barred, passage: _measure(passage, fact)})
        case facts.Unbarred(passage=passage):
            return changed(state, barred=without(state.barred, passage))


def _blocked(state: State, fact: facts.Blocked) -> State:
    return changed(
        state,
        blocked=PersistentMap.of(state.blocked).with_item(
            fact.target, _measure(fact.target, fact, fact.incident)
        ),
        automatic=_spent(state, fact.at, fact.by, fact.target),
        day=replace(state.day, blocked=state.day.blocked + (fact.by == facts.MACHINE)),
    )


def _isolated(state: State, fact: facts.Isolated) -> State:
    return changed(
        state,
        isolated={**state.isolated, fact.asset: _measure(fact.asset, fact, fact.incident)},
        automatic=_spent(state, fact.at, fact.by, fact.asset),
    )


def _measure(
    target: str, fact: facts.Blocked | facts.Isolated | facts.Barred, incident: str | None = None
) -> Measure:
    return Measure(
        target=target,
        since=fact.at,
        until=fact.until,
        by=fact.by,
        reason=fact.reason,
        incident=incident,
        provisional=fact.provisional,
    )


def _spent(state: State, at: Instant, by: str, target: str) -> tuple[tuple[Instant, str], ...]:
    """The automatic measures that count against the budget, with this one if the station took it by itself."""
    if by != facts.MACHINE:
        return state.automatic
    return (*(spent for spent in state.automatic if after(spent[0], BUDGETED) > at), (at, target))
