"""The state as pages and terminals see it: everything shown, nothing that could be used to act."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import structs

from rempart.adapters import shipped
from rempart.care.reply import Reply
from rempart.containment.by_hand import Deed, steps
from rempart.detection.finding import Level
from rempart.duties import duty
from rempart.duties.clock import clocks
from rempart.engine import tell
from rempart.engine.handwork import CUT, HandTick, checked
from rempart.engine.returning import Outlook, ground, outlooks
from rempart.engine.state import Door, Measure, State
from rempart.engine.unmasking import ASKED_LASTS, Unmasking
from rempart.incidents.incident import Incident, IncidentState, Sentence
from rempart.instants import Instant, after
from rempart.messages import (
    AlertStatus,
    CheckStatus,
    ClockStatus,
    CoreStatus,
    GateStatus,
    HandStepStatus,
    HandworkStatus,
    IncidentStatus,
    MeasureStatus,
    NamesRefused,
    OpeningStatus,
    OverrideStatus,
    Proposal,
    ReopeningStatus,
    Status,
    UnmaskingStatus,
)
from rempart.reopening.check import unproven_core
from rempart.reopening.gate import Gate, missing
from rempart.reopening.profile import gates, profile
from rempart.site.opening import Opening
from rempart.site.site import Site
from rempart.station.care_status import care_status
from rempart.telling import escalation

Masked = Callable[[str, str], str]

_ACCOUNTS = frozenset({"account", "accounts"})
"""Arguments of sentences that name accounts, several with a comma between them."""

_SHOWN = 50
"""Incidents shown at most: open before closed, grave before noise, the latest first; the journal has them all."""

_PARTIES = 50
"""Addresses or accounts shown of one incident; the papers have them all."""

_TOLD = 60
"""Sentences shown of a story: how it began, and how it stands."""

_SHOWN_BLOCKS = 500

_SHOWN_ALERTS = 20

_SHOWN_CLOCKS = 50

OBLIGATIONS = duty.parse(shipped.text("duties/obligations.toml"))
"""The legal duties as they ship."""


def status(
    site: Site,
    state: State,
    now: Instant,
    *,
    head: tuple[int, str],
    verified: Instant | None,
    fault: str,
    names: NamesRefused | None = None,
    masked: Masked | None = None,
    traffic: Mapping[str, int] | None = None,
) -> Status:
    """The published status. ``head`` is the journal's length and root in hex.

    ``masked`` gives the mask of an account in an incident; None: accounts are shown as they are.
    ``traffic``: the step of each opening of which it is known.
    """
    verified = verified if site.enforces else None
    ahead, rebuilt = outlooks(site, state, now), state.listening.rebuilding
    foremost = sorted(state.incidents.values(), key=_concern, reverse=True)[:_SHOWN]
    return Status(
        site=site.id,
        now=now,
        posture=state.posture,
        since=state.since,
        cut_until=state.contained_until,
        openings=[
            structs.replace(
                _opening(site, state, opening, verified, ahead[opening.id]),
                traffic=(traffic or {}).get(opening.id),
            )
            for opening in site.openings
        ],
        incidents=[incident_status(state, incident, masked) for incident in foremost],
        measures=_measures(state),
        measures_more=max(0, len(state.blocked) - _SHOWN_BLOCKS),
        journal_entries=head[0],
        journal_root=head[1],
        enforcement_verified=verified,
        enforcement_fault=fault,
        names_refused=names,
        unwatched=state.listening.mute,
        rebuilding=(rebuilt.done, rebuilt.total) if rebuilt else None,
        clock_leapt=state.timekeeping.leapt,
        alerts=_alerts(site, state, now),
        clocks=_clocks(state, now),
        news_at=state.news_at,
        placement=site.placement,
        answer_seconds=[length // 1_000_000 for length in state.answers],
        day=tell.counted(state),
        yesterday=state.yesterday,
        by_hand=_by_hand(site, state),
        care=care_status(site, state, now),
        reopening=_reopening(site, state, now),
    )


def _measures(state: State) -> list[MeasureStatus]:
    """Every isolation and barrier, and the latest blocks: there may be a hundred thousand of them."""
    latest = sorted(state.blocked.values(), key=lambda measure: measure.since)[-_SHOWN_BLOCKS:]
    return [
        *(_measure("block", measure) for measure in latest),
        *(_measure("isolate", measure) for measure in state.isolated.values()),
        *(_measure("bar", measure) for measure in state.barred.values()),
    ]


def _by_hand(site: Site, state: State) -> HandworkStatus:
    """The steps of the cut, said to be done or not, then those of other deeds; nothing in the path."""
    if site.enforces:
        return HandworkStatus()
    found, probes = checked(site, state.by_hand, state.care)
    deeds = (CUT, *(deed for deed in state.by_hand if deed != CUT))
    return HandworkStatus(
        steps=[step for deed in deeds for step in _hand_steps(site, deed, state.by_hand.get(deed, {}))],
        cut=found,
        probes=list(probes),
    )


def _hand_steps(site: Site, deed: Deed, ticks: Mapping[str, HandTick]) -> Iterator[HandStepStatus]:
    planned = {step: number for number, step in enumerate(steps(site, deed), start=1)}
    for step in (*planned, *(each for each in ticks if each not in planned)):
        tick = ticks.get(step)
        yield HandStepStatus(
            action=deed.action.value,
            target=deed.target,
            number=planned.get(step, 0),
            step=step,
            reply=(tick.reply if tick else Reply.UNKNOWN).value,
            note=tick.note if tick else "",
            by=tick.by if tick else "",
            at=tick.at if tick else None,
            on=tick.on if tick else None,
        )


def _alerts(site: Site, state: State, now: Instant) -> list[AlertStatus]:
    """Those that wait, what cannot wait first, then the latest others."""
    order = sorted(state.alerts.values(), key=lambda a: (a.waits, a.urgency, a.raised), reverse=True)
    return [
        AlertStatus(
            id=alert.id,
            code=alert.code,
            state=alert.state,
            urgency=alert.urgency,
            about=alert.about,
            todo=alert.todo,
            raised=alert.raised,
            told=list(alert.told),
            owed=len(escalation.owed(site.telling, alert, now)),
            taken=alert.taken,
            taken_by=alert.taken_by,
        )
        for alert in order[:_SHOWN_ALERTS]
    ]


def _clocks(state: State, now: Instant) -> list[ClockStatus]:
    """The legal clocks that run."""
    running = clocks(state.incidents.values(), state.duties, now, OBLIGATIONS)
    return [
        ClockStatus(incident=each.incident, duty=each.duty, started=each.started, due=each.due)
        for each in running[:_SHOWN_CLOCKS]
    ]


def _opening(
    site: Site, state: State, opening: Opening, verified: Instant | None, outlook: Outlook
) -> OpeningStatus:
    door: Door = state.doors[opening.id]
    answers = state.gates.get(opening.id, {})
    passed = [gate for gate, answer in answers.items() if answer.answer.passes]
    partner = state.dossier.partners.get(opening.id)
    of = profile(site, opening)
    return OpeningStatus(
        id=opening.id,
        name=opening.name,
        state=door.stand.state,
        lifeline=opening.lifeline,
        direction=opening.direction.value,
        care=opening.care,
        zones=list(opening.zones),
        fallback=opening.fallback.text,
        fallback_phone=opening.fallback.phone,
        trial_until=door.stand.until,
        waits=door.provisional,
        visitor=door.visitor,
        visitor_from=door.source,
        visitor_to=list(door.stand.limits.hosts) if door.stand.limits else [],
        visitor_certificate=door.stand.limits.certificate if door.stand.limits else "",
        since=door.since or None,
        gates_passed=passed,
        gates_missing=[gate.value for gate in missing(passed, gates(of))],
        verified=verified,
        stage=outlook.stage,
        profile=of.value,
        obstacles=list(outlook.obstacles) if state.contained else [],
        checks=[
            CheckStatus(gate=check.gate.value, verdict=check.verdict.value, detail=check.detail)
            for check in (outlook.checks if state.contained else ())
        ],
        partner=partner.condition if partner and not partner.met else "",
        answers=[
            GateStatus(gate=gate.value, answer=said.answer.value, proof=said.proof, by=said.by, at=said.at)
            for gate in Gate
            if (said := answers.get(gate.value))
        ],
    )


def _concern(incident: Incident) -> tuple[bool, bool, Instant]:
    """What matters most comes first, so that no crowd of scanners hides it."""
    return (incident.state is not IncidentState.CLOSED, incident.level >= Level.HIGH, incident.last_seen)


def _reopening(site: Site, state: State, now: Instant) -> ReopeningStatus:
    unproven = {asset.id for asset in unproven_core(site, ground(site, state, now))}
    return ReopeningStatus(
        core=[CoreStatus(id=a.id, name=a.name, proven=a.id not in unproven) for a in site.assets if a.core],
        overrides=[
            OverrideStatus(opening=name, by=made.by, due=made.due, reason=made.reason)
            for name, made in state.dossier.overrides.items()
        ],
    )


def _incident(state: State, incident: Incident) -> IncidentStatus:
    return IncidentStatus(
        id=incident.id,
        state=incident.state,
        level=int(incident.level),
        kinds=sorted(kind.value for kind in incident.kinds),
        opened=incident.opened,
        last_seen=incident.last_seen,
        findings=incident.findings,
        actors=sorted(incident.actors)[:_PARTIES],
        accounts=sorted(incident.accounts)[:_PARTIES],
        assets=sorted(incident.assets | incident.hosts)[:_PARTIES],
        summary=summary(incident),
        story=_story(incident),
        qualification=incident.qualification,
        persons_touched=incident.persons_touched,
        proposals=[
            Proposal(id=p.id, incident=p.incident, action=p.action, target=p.target)
            for p in state.proposals.values()
            if p.incident == incident.id and incident.state is not IncidentState.CLOSED
        ][:_PARTIES],
        assigned=state.cases[incident.id].assignee if incident.id in state.cases else "",
        unmasking=_unmasking(asked) if (asked := state.unmaskings.get(incident.id)) else None,
    )


def _unmasking(asked: Unmasking) -> UnmaskingStatus:
    return UnmaskingStatus(
        by=asked.asked_by,
        purpose=asked.purpose,
        asked=asked.asked,
        agreeable_until=after(asked.asked, ASKED_LASTS),
        readable_until=asked.until,
    )


def incident_status(state: State, incident: Incident, masked: Masked | None) -> IncidentStatus:
    """One incident as the status shows it."""
    return _behind_masks(_incident(state, incident), masked)


def _behind_masks(shown: IncidentStatus, masked: Masked | None) -> IncidentStatus:
    """The incident with masks in place of accounts, wherever they are told."""
    if masked is None:
        return shown
    return structs.replace(
        shown,
        accounts=[masked(shown.id, account) for account in shown.accounts],
        summary=_hidden(shown.summary, shown.id, masked),
        story=[(at, _hidden(sentence, shown.id, masked)) for at, sentence in shown.story],
    )


def _hidden(sentence: Sentence, incident: str, masked: Masked) -> Sentence:
    told = {
        name: ", ".join(masked(incident, each) for each in str(value).split(", "))
        if name in _ACCOUNTS
        else value
        for name, value in sentence.arguments.items()
    }
    return Sentence(sentence.key, told)


def _story(incident: Incident) -> list[tuple[Instant, Sentence]]:
    story, half = incident.story, _TOLD // 2
    return list(story) if len(story) <= _TOLD else [*story[:half], *story[-half:]]


def summary(incident: Incident) -> Sentence:
    """The incident in one plain sentence: the gravest thing that was seen decides which."""
    order = ("records", "exfiltration", "command", "intrusion", "guessing", "probe", "scan", "device")
    present = {kind.value for kind in incident.kinds}
    gravest = next((kind for kind in order if kind in present), "other")
    return Sentence(
        f"incident.{gravest}",
        {
            "actors": len(incident.actors),
            "accounts": ", ".join(sorted(incident.accounts)[:3]),
            "assets": ", ".join(sorted(incident.assets | incident.hosts)[:3]),
        },
    )


def _measure(action: str, measure: Measure) -> MeasureStatus:
    return MeasureStatus(
        target=measure.target,
        action=action,
        since=measure.since,
        until=measure.until,
        by=measure.by,
        reason=measure.reason,
    )
