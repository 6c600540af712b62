"""Alerts: raised, told, taken, over; and the day that is counted for its summary."""

from collections.abc import Iterable
from dataclasses import replace

from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.state import State, without
from rempart.incidents.incident import Sentence
from rempart.incidents.ranking import weight
from rempart.instants import Duration, Instant
from rempart.telling.alert import TEST, Alert, Delivery, Urgency
from rempart.telling.digest import Day

ALERTS = 200
"""Alerts that are kept in mind, the latest; the journal has them all."""

ANSWERS = 50
"""How many answers the time to a person acting is measured on."""


def after_it(state: State, fact: facts.AlertFact) -> State:
    """The state after one fact about alerts, or about the end of a day."""
    match fact:
        case facts.AlertRaised():
            return _alert_raised(state, fact)
        case facts.Told():
            return _alert_told(state, fact)
        case facts.Acknowledged():
            return _alert_taken(state, fact)
        case facts.AlertsOver(at=at, alerts=ended):
            return _alerts_over(state, ended, at)
        case facts.DayEnded():
            return _day_ended(state, fact)


def _alert_raised(state: State, fact: facts.AlertRaised) -> State:
    raised = Alert(
        id=fact.alert,
        code=fact.code,
        urgency=fact.urgency,
        about=Sentence(fact.key, fact.arguments),
        todo=fact.todo,
        raised=fact.at,
        weight=fact.weight,
    )
    alerts = {**without(state.alerts, fact.alert), fact.alert: raised}  # the latest last
    while len(alerts) > ALERTS:
        del alerts[next(iter(alerts))]
    asked = state.day.asked + (fact.alert in state.incidents and fact.alert not in state.alerts)
    return changed(state, alerts=alerts, day=replace(state.day, asked=asked))


def _alert_told(state: State, fact: facts.Told) -> State:
    alert = state.alerts.get(fact.alert)
    if alert is None:
        return state
    delivery = Delivery(
        message=fact.message,
        role=fact.role,
        channel=fact.channel,
        at=fact.at,
        delivered=fact.delivered,
        note=fact.note,
    )
    return changed(state, alerts={**state.alerts, alert.id: replace(alert, told=(*alert.told, delivery))})


def _alert_taken(state: State, fact: facts.Acknowledged) -> State:
    alert = state.alerts.get(fact.alert)
    if alert is None or not alert.waits:
        return state
    incident = state.incidents.get(alert.id)  # who takes it has seen it as it is now
    seen = max(alert.weight, weight(incident)) if incident else alert.weight
    taken = replace(alert, taken=fact.at, taken_by=fact.by, weight=seen)
    answers = state.answers
    if alert.urgency is Urgency.NOW and alert.id != TEST:
        answers = (*answers, Duration(fact.at - alert.raised))[-ANSWERS:]
    return changed(state, alerts={**state.alerts, alert.id: taken}, answers=answers)


def _alerts_over(state: State, ended: Iterable[str], at: Instant) -> State:
    over = {name: replace(state.alerts[name], over=at) for name in ended if name in state.alerts}
    return changed(state, alerts={**state.alerts, **over})


def _day_ended(state: State, fact: facts.DayEnded) -> State:
    ended = Day(
        since=fact.since,
        incidents=fact.incidents,
        asked=fact.asked,
        blocked=fact.blocked,
        unanswered=fact.unanswered,
    )
    return changed(state, day=Day(since=fact.at), yesterday=ended, day_ended=fact.at)
