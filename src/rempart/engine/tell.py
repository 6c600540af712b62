"""What is told to people: which facts ask for somebody, what ends an alert, and which messages are due.

Nothing that a log says gets into a message: zones and openings by their names in site.toml, and numbers. At most
`A_DAY` incidents a day ask for somebody; beyond that only what weighs more than all of them does, and the rest asks
together, the fewer times the more it is. So nobody can make the station send a message an attempt, nor hide one grave
thing behind many.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rempart.care.reply import Reply
from rempart.engine import facts, listening
from rempart.engine.changed import changed
from rempart.engine.facts import MACHINE, AnyFact
from rempart.engine.inputs import Notify
from rempart.engine.state import State
from rempart.incidents.incident import Incident, IncidentState, Sentence
from rempart.incidents.ranking import Concern, concern, gravest, weight
from rempart.instants import Duration, Instant, after, hours, minutes, recent
from rempart.site.site import Site
from rempart.telling import digest, escalation
from rempart.telling.alert import TEST, Alert, AlertState, Delivery, Urgency, code
from rempart.telling.digest import Day
from rempart.telling.message import Message

A_DAY = 3
"""Incidents that ask for somebody within a day, each by itself."""

CROWD = "crowd"
"""The alert by which all others ask together: at the first, and each time they are `GROWN` times as many."""

GROWN = 4

ENFORCEMENT = "enforcement"
CUT = "cut"
JOURNAL = "journal"
ENVELOPE = "envelope"
SILENCE = "silence"
"""The alert by which all logs that are silent ask together."""
WATCH = "watch"
CLOCK = "clock"
RETURNED = "returned"

GUESSES = 5
"""Wrong codes by text message within an hour, after which none is taken."""

_LONGEST_NOTE = 200
_HOUR: Duration = hours(1)
_DAY: Duration = hours(24)
_SAME_TROUBLE: Duration = minutes(30)
"""A trouble of the station's own that comes back sooner asks nobody again."""

_ZONES = 3
"""Zones that a message names."""


# -- what asks for somebody ---------------------------------------------------------------------------------------


def alerts(
    site: Site, before: State, after_it: State, decided: Iterable[AnyFact], now: Instant
) -> tuple[AnyFact, ...]:
    """The facts about alerts that follow from what was just decided."""
    decided = tuple(decided)
    touched = {fact.incident: None for fact in decided if isinstance(fact, facts.FindingJoined)}
    made: list[AnyFact] = [
        *_taken(before, decided, now),
        *_over(after_it, decided, now),
        *_troubles(site, after_it, decided, now),
    ]
    for name in touched:
        incident = after_it.incidents.get(name)
        if incident and (raised := _incident(site, after_it, incident, now)):
            made.append(raised)
    return tuple(made)


def _incident(site: Site, state: State, incident: Incident, now: Instant) -> facts.AlertRaised | None:
    """An incident asks once, and again only when it has become graver since somebody took it."""
    if concern(incident) is Concern.COUNTED:
        return None
    heavy, known = weight(incident), state.alerts.get(incident.id)
    if known and (heavy // 10 <= known.weight // 10 or (known.waits and known.urgency is _urgency(incident))):
        return None
    today = [a for a in state.alerts.values() if recent(a.raised, now, _DAY) and a.weight]
    if known is None and len(today) >= A_DAY and heavy <= max(a.weight for a in today):
        return _crowd(site, state, now)
    waits = any(p.incident == incident.id for p in state.proposals.values())
    return _raised(
        site,
        now,
        incident.id,
        _urgency(incident),
        Sentence(f"alert.{gravest(incident).value}", {"where": _where(site, incident)}),
        "todo.decide" if waits else "todo.look",
        heavy,
    )


def _urgency(incident: Incident) -> Urgency:
    return Urgency.NOW if concern(incident) is Concern.NOW else Urgency.CAN_WAIT


def _crowd(site: Site, state: State, now: Instant) -> facts.AlertRaised | None:
    """All the others together."""
    more = [
        i for i in state.incidents.values() if i.id not in state.alerts and concern(i) is not Concern.COUNTED
    ]
    known = state.alerts.get(CROWD)
    if (
        known
        and recent(known.raised, now, _DAY)
        and len(more) < GROWN * int(known.about.arguments.get("count", 0))
    ):
        return None
    urgent = any(concern(i) is Concern.NOW for i in more)
    return _raised(
        site,
        now,
        CROWD,
        Urgency.NOW if urgent else Urgency.CAN_WAIT,
        Sentence("alert.crowd", {"count": len(more)}),
        "todo.look",
    )


def _where(site: Site, incident: Incident) -> str:
    """The zones concerned, by their names in site.toml; empty when none is known."""
    known = {
        name: asset.zone
        for asset in site.assets
        for name in (*asset.addresses, asset.id, asset.name.casefold())
    }
    zones = {known[each] for each in incident.assets | incident.hosts if each in known}
    return ", ".join(sorted(zone.name for zone in site.zones if zone.id in zones)[:_ZONES])


def _troubles(
    site: Site, state: State, decided: tuple[AnyFact, ...], now: Instant
) -> Iterator[facts.AlertRaised]:
    """What of the station's own doings a person must know."""
    for fact in decided:
        match fact:
            case facts.Contained():
                yield _raised(site, now, CUT, Urgency.NOW, Sentence("alert.cut"), "todo.cut")
            case facts.OpeningReclosed(opening=opening):
                said = Sentence("alert.relapse", {"opening": _opening(site, opening)})
                yield _raised(site, now, f"relapse-{opening}", Urgency.NOW, said, "todo.look")
            case facts.TrialEnded(opening=opening):
                said = Sentence("alert.trial", {"opening": _opening(site, opening)})
                yield _raised(site, now, f"trial-{opening}", Urgency.CAN_WAIT, said, "todo.look")
            case facts.CareAttested(ward=ward, reply=Reply.NO) if _news(state, f"care-{ward}", now):
                said = Sentence("alert.care", {"where": _ward(site, ward)})
                yield _raised(site, now, f"care-{ward}", Urgency.NOW, said, "todo.call-ward")
            case facts.TroubleReported(ward=ward) if _news(state, f"trouble-{ward}", now):
                said = Sentence("alert.trouble", {"where": _ward(site, ward)})
                yield _raised(site, now, f"trouble-{ward}", Urgency.NOW, said, "todo.call-ward")
            case facts.EnvelopeOpened() if _news(state, ENVELOPE, now):
                yield _raised(site, now, ENVELOPE, Urgency.NOW, Sentence("alert.envelope"), "todo.envelope")
            case facts.DeadlineNears(what=what, target=target, hours=ahead):
                said = Sentence(f"alert.deadline-{what}", {"target": _opening(site, target), "hours": ahead})
                yield _raised(site, now, f"deadline-{what}-{target}", Urgency.CAN_WAIT, said, "todo.look")
            case facts.FellBack():
                yield _raised(
                    site, now, "fell-back", Urgency.CAN_WAIT, Sentence("alert.fell-back"), "todo.look"
                )
            case facts.EnforcementFaulted(lasts=True) if _news(state, ENFORCEMENT, now):
                yield _raised(
                    site, now, ENFORCEMENT, Urgency.NOW, Sentence("alert.enforcement"), "todo.technician"
                )
            case facts.StationStarted(at=at, last=int() as last):
                about = Sentence("alert.returned", {"hours": (at - last) // _HOUR})
                yield _raised(site, now, RETURNED, Urgency.NOW, about, "todo.returned")
            case facts.ClockLeapt(at=at, believed=believed):
                about = Sentence("alert.clock", {"days": (at - believed) // _DAY})
                yield _raised(site, now, CLOCK, Urgency.CAN_WAIT, about, "todo.clock")
            case facts.SealedLate() if _news(state, JOURNAL, now):
                yield _raised(
                    site, now, JOURNAL, Urgency.CAN_WAIT, Sentence("alert.journal"), "todo.technician"
                )
            case _:
                pass


def silence(site: Site, state: State, now: Instant) -> tuple[AnyFact, ...]:
    """What follows for people from the logs that are silent: one alert for all of them, over when all are heard."""
    known, silent = state.alerts.get(SILENCE), state.listening.silent
    if known and known.waits and not silent:
        return (facts.AlertsOver(at=now, alerts=[SILENCE]),)
    urgency = listening.asks(site, state.listening, known, now)
    if urgency is None:
        return ()
    names = ", ".join(sorted(log.name for log in site.logs if log.path in silent and log.name)[:_ZONES])
    about = Sentence(
        "alert.silence-named" if names else "alert.silence", {"count": len(silent), "where": names}
    )
    return (_raised(site, now, SILENCE, urgency, about, "todo.logs"),)


def muteness(site: Site, state: State, now: Instant) -> tuple[AnyFact, ...]:
    """What follows for people from a watch that says nothing: an alert for each time, over when it speaks again."""
    known, mute = state.alerts.get(WATCH), state.listening.mute
    if mute is None:
        return (facts.AlertsOver(at=now, alerts=[WATCH]),) if known and known.waits else ()
    if known and (known.waits or known.raised > mute or now - known.raised < _SAME_TROUBLE):
        return ()
    return (_raised(site, now, WATCH, Urgency.NOW, Sentence("alert.watch"), "todo.technician"),)


def _news(state: State, trouble: str, now: Instant) -> bool:
    known = state.alerts.get(trouble)
    return known is None or (not known.waits and not recent(known.raised, now, _SAME_TROUBLE))


def _ward(site: Site, name: str) -> str:
    return next((ward.name for ward in site.wards if ward.id == name), "")


def _opening(site: Site, name: str) -> str:
    return next((opening.name for opening in site.openings if opening.id == name), name)


def tested(site: Site, now: Instant) -> facts.AlertRaised:
    """The alert by which the ways to people are tried."""
    return _raised(site, now, TEST, Urgency.CAN_WAIT, Sentence("alert.test"), "todo.test")


def _raised(
    site: Site, now: Instant, alert: str, urgency: Urgency, about: Sentence, todo: str, heavy: int = 0
) -> facts.AlertRaised:
    return facts.AlertRaised(
        at=now,
        alert=alert,
        code=code(site.id, alert, now),
        urgency=urgency,
        key=about.key,
        arguments=dict(about.arguments),
        todo=todo,
        weight=heavy,
    )


# -- what ends it -------------------------------------------------------------------------------------------------


def _taken(before: State, decided: tuple[AnyFact, ...], now: Instant) -> Iterator[facts.Acknowledged]:
    """Who acts has taken it: a person's cut takes all that waits, a decision on an incident takes that incident."""
    for fact in decided:
        match fact:
            case facts.Contained(by=by) if by != MACHINE:
                meant = {name for name in before.alerts if name != TEST}
            case facts.ProposalSettled(by=by, proposal=proposal) if proposal in before.proposals:
                meant = {before.proposals[proposal].incident}
            case facts.IncidentQualified(by=by, incident=incident):
                meant = {incident}
            case _:
                continue
        for name in sorted(meant & before.alerts.keys()):
            if before.alerts[name].waits:
                yield facts.Acknowledged(at=now, alert=name, by=by, how="acted")


def _over(state: State, decided: tuple[AnyFact, ...], now: Instant) -> Iterator[facts.AlertsOver]:
    """An incident that closed, or was merged into another that asks, asks no more; nor does what was repaired."""
    ended: list[str] = []
    for fact in decided:
        match fact:
            case facts.QuietReturned() | facts.Normalised():
                ended += [name for name in state.alerts if _closed(state, name)]
            case facts.IncidentsMerged(into=into, merged=merged) if into in state.alerts:
                ended.append(merged)
            case facts.EnforcementFaulted(repaired=True):
                ended.append(ENFORCEMENT)
            case facts.ClockReturned() | facts.ClockConfirmed():
                ended.append(CLOCK)
            case _:
                pass
    waiting = sorted({name for name in ended if name in state.alerts and state.alerts[name].waits})
    if waiting:
        yield facts.AlertsOver(at=now, alerts=waiting)


def _closed(state: State, alert: str) -> bool:
    incident = state.incidents.get(alert)
    if incident is None:
        return alert.startswith("inc-")
    return incident.state is IncidentState.CLOSED


def told(site: Site, state: State, alert: str, delivery: Delivery, now: Instant) -> tuple[AnyFact, ...]:
    """What the sender says of a message, if it is one that was due: it cannot fill the journal with others."""
    known = state.alerts.get(alert)
    if known is None or delivery.message not in {m.id for m in escalation.owed(site.telling, known, now)}:
        return ()
    return (
        facts.Told(
            at=now,
            alert=alert,
            message=delivery.message,
            role=delivery.role,
            channel=delivery.channel,
            delivered=delivery.delivered,
            note=delivery.note[:_LONGEST_NOTE],
        ),
    )


def replied(
    site: Site, state: State, role: str, said: str, now: Instant
) -> tuple[State, tuple[AnyFact, ...]]:
    """An answer by text message. After `GUESSES` wrong codes in an hour none is taken: a sender can be forged.

    Whoever forges wrong ones keeps others from answering so, and no more: the alert goes on until it is taken
    on the station.
    """
    wrong = tuple(at for at in state.wrong_codes if now - at < _HOUR)
    if role not in {recipient.role for recipient in site.telling.recipients} or len(wrong) >= GUESSES:
        return state, ()
    alert = meant(state, said)
    if alert is None:
        return changed(state, wrong_codes=(*wrong, now)), ()
    if not alert.waits:
        return state, ()
    return state, (facts.Acknowledged(at=now, alert=alert.id, by=role, how="reply"),)


def meant(state: State, said: str) -> Alert | None:
    """The alert that has this code, however it was typed; None when there is none."""
    wanted = "".join(said.split()).upper()
    return next(
        (a for a in state.alerts.values() if a.code == wanted and a.state is not AlertState.OVER), None
    )


# -- the day's summary --------------------------------------------------------------------------------------------


def day_ended(site: Site, state: State, now: Instant) -> tuple[facts.DayEnded, ...]:
    """The summary, when the day is over, or began by a clock that was ahead and is right again."""
    day = state.day
    right = day.since <= after(now, _HOUR)
    if not day.since or (right and now < digest.ends(day, site.telling.digest_at)):
        return ()
    today = counted(state)
    return (
        facts.DayEnded(
            at=now,
            since=day.since,
            incidents=today.incidents,
            asked=today.asked,
            blocked=today.blocked,
            unanswered=today.unanswered,
        ),
    )


def counted(state: State) -> Day:
    """The day as it stands now."""
    waiting = sum(alert.waits for alert in state.alerts.values() if alert.id != TEST)
    return replace(state.day, unanswered=waiting)


# -- what is due --------------------------------------------------------------------------------------------------


def owed(site: Site, state: State, now: Instant) -> tuple[Message, ...]:
    """Every message whose time has come and of which it is not known that it was handed over or given up."""
    telling = site.telling
    if not telling.recipients:
        return ()
    alarms = [m for alert in state.alerts.values() for m in escalation.owed(telling, alert, now)]
    summary = digest.due(telling, state.yesterday, state.day_ended, now) if state.yesterday else ()
    return (*alarms, *summary)


def notified(site: Site, state: State, now: Instant) -> tuple[State, tuple[Notify, ...]]:
    """The state that remembers what the sender is asked for now, and the asking."""
    wanted = owed(site, state, now)
    fresh = tuple(message for message in wanted if message.id not in state.asked_of)
    if not fresh:
        return state, ()
    return changed(state, asked_of=frozenset(message.id for message in wanted)), (Notify(fresh),)


def next_due(site: Site, state: State, now: Instant) -> Instant | None:
    """When somebody is to be told next, or the day ends."""
    times = [escalation.next_due(site.telling, alert, now) for alert in state.alerts.values()]
    if state.day.since:
        times.append(digest.ends(state.day, site.telling.digest_at))
    return min((at for at in times if at is not None and at > now), default=None)
