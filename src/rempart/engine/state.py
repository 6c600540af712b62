"""The state of the station, and the fold that makes it from facts.

`fold` is total and knows no rules: whether a fact may be is decided in `step`, before it is sealed. It takes facts
about doors that site.toml no longer has, and about incidents whose first fact was erased; `fitted` ends the fold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from rempart.accounts.person import Person
from rempart.care.ledger import Ledger
from rempart.care.rehearsal import Rehearsal
from rempart.containment.barrier import passages
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand, stricter
from rempart.detection.finding import Kind, Level, Outcome
from rempart.duties.ledger import DutyLedger
from rempart.engine import casework, facts, listening, retention, taming, unmasking
from rempart.engine.caring import CareFact, noted
from rempart.engine.facts import AnyFact
from rempart.engine.listening import Listening
from rempart.engine.orders import GateAnswer
from rempart.engine.people import after_it
from rempart.engine.retention import Kept
from rempart.engine.taming import Taming
from rempart.engine.unmasking import Unmasking
from rempart.incidents.casefile import CaseFile
from rempart.incidents.incident import Incident, IncidentState, Qualification, Sentence
from rempart.incidents.ranking import weight
from rempart.instants import Duration, Instant
from rempart.reopening.dossier import Dossier, Override, Partner, Proof
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site
from rempart.telling.alert import TEST, Alert, Delivery, Urgency
from rempart.telling.digest import NOTHING, Day

NEVER = Instant(0)
"""Before anything was decided."""


class Posture(StrEnum):
    """The stance of the whole site."""

    NORMAL = "normal"
    WATCHFUL = "watchful"
    CONTAINED = "contained"
    REOPENING = "reopening"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One opening's present stand, since when, and whether it was reopened since the cut."""

    stand: Stand
    since: Instant
    reopened: bool = False
    visitor: str = ""
    """Who is let in for minutes; empty when nobody is."""
    source: str = ""
    """From where the visitor comes."""
    provisional: bool = False
    """Shut until ``stand.until`` unless somebody confirms it."""
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """A door that came to stand otherwise, and by whom."""

    at: Instant
    opening: str
    was: OpeningState
    state: OpeningState
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A block or an isolation: attributable to a person or to the station."""

    target: str
    since: Instant
    until: Instant | None
    by: str
    reason: str
    incident: str | None = None
    provisional: bool = False
    """It ends at ``until`` unless somebody confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One gate's answer, with the proof."""

    answer: GateAnswer
    proof: str
    by: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A measure that waits for a person."""

    id: str
    incident: str
    action: str
    target: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything the station has decided. ``tallies`` counts merged findings and is not part of the evidence."""

    site: str
    posture: Posture = Posture.NORMAL
    since: Instant = NEVER
    kept: Kept
    """Attached files and what keeps their bytes. Without a default: a snapshot from before it is left aside."""
    doors: Mapping[str, Door] = field(default_factory=dict)
    contained_for: frozenset[str] = frozenset()
    """Incidents the site is contained for; empty when it is not."""
    contained: bool = False
    contained_until: Instant | None = None
    """When the cut falls back unless somebody confirms it."""
    blocked: Mapping[str, Measure] = field(default_factory=dict)
    isolated: Mapping[str, Measure] = field(default_factory=dict)
    barred: Mapping[str, Measure] = field(default_factory=dict)
    warned: frozenset[tuple[str, str, Instant, int]] = frozenset()
    """Deadlines that were announced: of what, of which target, when, and how many hours before."""
    gates: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    proposals: Mapping[str, Proposed] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    known: Mapping[str, None] = field(default_factory=dict)
    """Ids of findings that were sealed, oldest first; bounded by `KNOWN`."""
    automatic: tuple[tuple[Instant, str], ...] = ()
    """When the station acted by itself within the last hour, and on what: its budget."""
    reopened: tuple[str, ...] = ()
    """Openings in the order in which they were reopened since the last cut."""
    unmaskings: Mapping[str, Unmasking] = field(default_factory=dict)
    """Incidents whose masks somebody asked, or was allowed, to look behind."""
    people: Mapping[str, Person] = field(default_factory=dict)
    """Whoever has an account, by id."""
    dossier: Dossier = field(default_factory=Dossier)
    """What people decided and proved about reopening, beside the gates."""
    cut_since: Instant = NEVER
    """When the site was cut, if it is; a repeated order does not change it."""
    care: Ledger = field(default_factory=Ledger)
    listening: Listening = field(default_factory=Listening)
    """Logs that are silent."""
    cases: Mapping[str, CaseFile] = field(default_factory=dict)
    """The case files of the incidents that are kept in mind, by the incident's id."""
    duties: DutyLedger = field(default_factory=DutyLedger)
    """What was answered and sent about legal duties."""
    swings: tuple[Swing, ...] = ()
    """How doors came to stand otherwise, oldest first; bounded by `SWINGS`."""
    news_at: Instant | None = None
    """When the public was told that there will be news."""
    taming: Taming = field(default_factory=Taming)
    """Exceptions that people made by an order."""
    tallies: Mapping[str, int] = field(default_factory=dict, compare=False)
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    """What asks, or asked, for a person; bounded by `ALERTS`."""
    answers: tuple[Duration, ...] = ()
    """From alert to a person acting, of the last alerts that could not wait."""
    day: Day = NOTHING
    """What was counted since the last summary."""
    yesterday: Day | None = None
    """The last summary."""
    day_ended: Instant = NEVER
    wrong_codes: tuple[Instant, ...] = field(default=(), compare=False)
    """When wrong codes came by text message; not part of the evidence."""
    last_beacon: Instant = field(default=NEVER, compare=False)
    """When a machine inside last called a commander; repeats are not sealed, so not part of the evidence."""
    asked_of: frozenset[str] = field(default=frozenset(), compare=False)
    """Ids of messages that the sender was asked for; not part of the evidence."""


MOST_PROOFS = 1_000
"""Dated proofs of one kind that are kept in mind; the journal has them all."""

KNOWN = 5_000
"""How many sealed finding ids are remembered against repeats; older ones are beyond any replay of watch."""

ALERTS = 200
"""Alerts that are kept in mind, the latest; the journal has them all."""

ANSWERS = 50
"""How many answers the time to a person acting is measured on."""

TALLIES = 4_000
"""How many sorts of findings are counted apart; the longest unseen are forgotten first, and told again."""

MOST_PARTIES = 1_000
"""Addresses, and accounts, that one incident is known by; those that come later are in the journal only."""

MOST_TOLD = 200
"""Sentences of one incident's story that findings may add."""

SWINGS = 1_000
"""How many swings of doors are remembered, for the picture of an incident; the journal has them all."""

_HOUR = 3_600_000_000

_V = TypeVar("_V")


def initial(site: Site) -> State:
    """The state before the first fact: every opening as it normally is."""
    doors = {o.id: Door(stand=Stand(state=o.normally), since=NEVER) for o in site.openings}
    return State(site=site.id, doors=doors, kept={})


def folded(state: State, site: Site, these: Iterable[AnyFact]) -> State:
    """The state after all these facts."""
    for fact in these:
        state = fold(state, site, fact)
    return state


def fitted(state: State, site: Site) -> State:
    """The state with the doors and machines that the site has now: site.toml may have changed since the facts.

    A new door stands as it normally does, or as the cut leaves it while the site is contained; so does one about
    which nothing was ever decided. What the site no longer has, is gone. Beside the path nothing is held: every door
    stands as it normally does, and no measure stands; back in the path they are recalled from the journal.
    """
    if not site.enforces:
        return replace(state, doors=initial(site).doors, blocked={}, isolated={}, barred={}, reopened=())
    doors = {
        o.id: door
        if (door := state.doors.get(o.id)) and door.since != NEVER
        else Door(stand=Stand(state=_shut(o) if state.contained else o.normally), since=NEVER)
        for o in site.openings
    }
    machines = {asset.id for asset in site.assets}
    return replace(
        state,
        doors=doors,
        isolated={name: measure for name, measure in state.isolated.items() if name in machines},
        barred={
            name: measure for name, measure in state.barred.items() if name in {*map(str, passages(site))}
        },
        gates={name: answers for name, answers in state.gates.items() if name in doors},
        reopened=tuple(name for name in state.reopened if name in doors),
    )


def enforcement(state: State) -> Enforcement:
    """What the kernel and the proxy should hold in this state."""
    return Enforcement(
        stands={name: door.stand for name, door in state.doors.items()},
        contained=state.contained,
        contained_until=state.contained_until,
        blocked={target: measure.until for target, measure in state.blocked.items()},
        isolated={asset: measure.until for asset, measure in state.isolated.items()},
        closed_since={
            name: door.since
            for name, door in state.doors.items()
            if door.stand.state is OpeningState.CLOSED and door.since != NEVER
        },
        news_at=state.news_at,
        barred={passage: measure.until for passage, measure in state.barred.items()},
    )


def fold(state: State, site: Site, fact: AnyFact) -> State:
    """The state after one fact, with what is kept of it beside the state itself."""
    after = _after(state, site, fact)
    return replace(
        after,
        cases=casework.after_it(state, after, fact),
        duties=casework.duties_after(state.duties, fact),
        kept=retention.after_it(state.kept, fact),
        swings=_swung(state, after, fact),
    )


def _swung(before: State, after: State, fact: AnyFact) -> tuple[Swing, ...]:
    """The swings with those that this fact made."""
    if after.doors is before.doors:
        return before.swings
    by = getattr(fact, "by", facts.MACHINE)
    fresh = tuple(
        Swing(at=fact.at, opening=name, was=_standing(before, name).state, state=door.stand.state, by=by)
        for name, door in after.doors.items()
        if name in before.doors and _standing(before, name).state is not door.stand.state
    )
    return (*before.swings, *fresh)[-SWINGS:] if fresh else before.swings


def _after(state: State, site: Site, fact: AnyFact) -> State:
    """The state after one fact, by what the fact is about."""
    if isinstance(fact, facts.StationStarted):
        return _started(state, fact.at)
    if isinstance(fact, _IncidentFact):
        return _after_incident(state, fact)
    if isinstance(fact, _CutFact):
        return _after_cut(state, site, fact)
    if isinstance(fact, _DoorFact):
        return _after_door(state, fact)
    if isinstance(fact, _MeasureFact):
        return _after_measure(state, fact)
    if isinstance(fact, _ReopeningFact):
        return _after_reopening(state, fact)
    if isinstance(fact, _TellingFact):
        return _after_telling(state, fact)
    if isinstance(fact, _PeopleFact):
        return _after_people(state, fact)
    if isinstance(fact, facts.LogsTurned):
        return replace(state, listening=listening.after_it(state.listening, fact))
    if isinstance(fact, _KeptFact):
        return state
    return _after_care(state, site, fact)


def _started(state: State, at: Instant) -> State:
    begun = state if state.day.since != NEVER else replace(state, day=replace(state.day, since=at))
    return replace(begun, since=at) if state.since == NEVER else begun


_KeptFact = (
    facts.OrderDeclined
    | facts.EnforcementFaulted
    | facts.SealedLate
    | facts.IncidentAssigned
    | facts.IncidentCommented
    | facts.FileAttached
    | facts.FileErased
    | facts.QuestionAnswered
    | facts.DutyFulfilled
    | facts.LinkIssued
    | facts.PasskeyAllowed
    | facts.PasskeyAdded
    | facts.PasskeyRemoved
    | facts.PasswordChanged
    | facts.CredentialsChosen
    | facts.SignedIn
    | facts.SignInRefused
    | facts.EnvelopeOpened
    | facts.SessionsEnded
    | facts.TokenIssued
    | facts.EnvelopeSealed
    | facts.NamesRead
)
"""What is kept in the journal, in case files or with the accounts, and changes nothing here."""


# -- care and the rehearsed cut ----------------------------------------------------------------------------------


def _after_care(state: State, site: Site, fact: CareFact) -> State:
    match fact:
        case facts.RehearsalBegun(at=at, until=until):
            state = _rehearsed(state, site, until, at)
        case facts.RehearsalEnded(at=at):
            state = _undone(state, at)
    return replace(state, care=noted(state.care, fact))


def rehearsing(state: State) -> Rehearsal | None:
    """The rehearsal whose cut stands now."""
    return state.care.rehearsal if state.care.rehearsal and state.care.rehearsal.running else None


def is_rehearsed(state: State, opening: str) -> bool:
    """Whether a door is shut by the rehearsal and will open again by itself."""
    rehearsal, door = rehearsing(state), state.doors.get(opening)
    return rehearsal is not None and door is not None and door.stand.until == rehearsal.until


def _rehearsed(state: State, site: Site, until: Instant, at: Instant) -> State:
    """Every door as the cut leaves it, and then, by the kernel's own clock, as it stands now."""
    doors = dict(state.doors)
    for opening in site.openings:
        present = _standing(state, opening.id)
        shut = _shut(opening)
        if shut is not stricter(present.state, shut) or shut is present.state:
            continue
        doors[opening.id] = Door(stand=Stand(state=shut, until=until, then=present.state), since=at)
    return replace(state, doors=doors)


def _undone(state: State, at: Instant) -> State:
    """The doors that still stand as the rehearsal left them, as they stood before it."""
    doors = {
        name: Door(stand=Stand(state=door.stand.then or OpeningState.CLOSED), since=at)
        if is_rehearsed(state, name)
        else door
        for name, door in state.doors.items()
    }
    return replace(state, doors=doors)


# -- incidents ---------------------------------------------------------------------------------------------------


_IncidentFact = (
    facts.FindingJoined
    | facts.IncidentsMerged
    | facts.IncidentSplit
    | facts.IncidentQualified
    | facts.PersonsTouched
    | facts.QuietReturned
    | facts.MeasureProposed
    | facts.ProposalSettled
)


def _after_incident(state: State, fact: _IncidentFact) -> State:
    match fact:
        case facts.FindingJoined():
            return _joined(state, fact)
        case facts.IncidentsMerged():
            return _merged(state, fact)
        case facts.IncidentSplit():
            return _split(state, fact)
        case facts.IncidentQualified(incident=incident):
            return _qualified(state, fact) if incident in state.incidents else state
        case facts.PersonsTouched(incident=incident, persons=persons):
            if incident not in state.incidents:
                return state
            return _with_incident(state, replace(state.incidents[incident], persons_touched=persons))
        case facts.QuietReturned():
            return _quiet(state, fact)
        case facts.MeasureProposed(at=at, proposal=proposal, incident=incident, action=action, target=target):
            waiting = Proposed(id=proposal, incident=incident, action=action, target=target, at=at)
            return replace(state, proposals={**state.proposals, proposal: waiting})
        case facts.ProposalSettled(proposal=proposal):
            left = _without(state.proposals, proposal)
            return replace(state, proposals=left, settled=state.settled | {proposal})


def _joined(state: State, fact: facts.FindingJoined) -> State:
    known = {**state.known, fact.finding: None}
    while len(known) > KNOWN:
        del known[next(iter(known))]
    incident = state.incidents.get(fact.incident) or _fresh(fact)
    day = state.day
    if fact.incident not in state.incidents:
        day = replace(day, incidents=day.incidents + 1)
    grown = replace(
        incident,
        last_seen=max(incident.last_seen, fact.at),
        level=max(incident.level, fact.level),
        kinds=incident.kinds | {fact.kind},
        actors=_and(incident.actors, fact.actors),
        accounts=_and(incident.accounts, fact.accounts if fact.outcome is Outcome.SUCCESS else ()),
        assets=_and(incident.assets, fact.assets),
        hosts=_and(incident.hosts, fact.hosts),
        findings=incident.findings + 1,
        story=_told(incident, fact),
    )
    watchful = state.posture is Posture.NORMAL and grown.level >= Level.HIGH
    return replace(
        _with_incident(state, grown),
        known=known,
        last_beacon=max(state.last_beacon, fact.at) if fact.kind is Kind.COMMAND else state.last_beacon,
        day=day,
        posture=Posture.WATCHFUL if watchful else state.posture,
        since=fact.at if watchful else state.since,
    )


def _and(known: frozenset[str], more: Iterable[str]) -> frozenset[str]:
    """Those known and, as far as there is room, the new ones."""
    fresh = sorted(set(more) - known)
    return known | set(fresh[: max(0, MOST_PARTIES - len(known))])


def _fresh(fact: facts.FindingJoined) -> Incident:
    return Incident(
        id=fact.incident,
        opened=fact.at,
        last_seen=fact.at,
        state=IncidentState.OPEN,
        level=fact.level,
        kinds=frozenset(),
        actors=frozenset(),
        accounts=frozenset(),
        assets=frozenset(),
        findings=0,
    )


def _told(incident: Incident, fact: facts.FindingJoined) -> tuple[tuple[Instant, Sentence], ...]:
    """The story with one sentence more, when this sort of thing was not told yet."""
    sentence = Sentence(
        f"story.{fact.kind.value}",
        {
            "actor": ", ".join(fact.actors[:3]),
            "asset": ", ".join((fact.assets or fact.hosts or fact.victims)[:3]),
            "account": ", ".join(fact.accounts[:3]),
            "count": fact.count,
            "title": fact.title,
        },
    )
    if len(incident.story) >= MOST_TOLD or any(
        told.key == sentence.key and told.arguments["actor"] == sentence.arguments["actor"]
        for _, told in incident.story
        if "actor" in told.arguments
    ):
        return incident.story
    return (*incident.story, (fact.at, sentence))


def _merged(state: State, fact: facts.IncidentsMerged) -> State:
    into, gone = state.incidents.get(fact.into), state.incidents.get(fact.merged)
    if into is None or gone is None:
        return state
    whole = replace(
        into,
        state=_gravest_state(into, gone),
        qualification=gone.qualification if into.qualification == Qualification() else into.qualification,
        opened=min(into.opened, gone.opened),
        last_seen=max(into.last_seen, gone.last_seen),
        level=max(into.level, gone.level),
        kinds=into.kinds | gone.kinds,
        actors=_and(into.actors, gone.actors),
        accounts=_and(into.accounts, gone.accounts),
        assets=_and(into.assets, gone.assets),
        hosts=_and(into.hosts, gone.hosts),
        findings=into.findings + gone.findings,
        story=tuple(sorted((*into.story, *gone.story), key=lambda step: step[0])),
    )
    kept = _without(state.incidents, fact.merged)
    contained_for = state.contained_for
    if fact.merged in contained_for:
        contained_for = contained_for - {fact.merged} | {fact.into}
    proposals = {
        name: replace(p, incident=fact.into) if p.incident == fact.merged else p
        for name, p in state.proposals.items()
    }
    return replace(
        state, incidents={**kept, fact.into: whole}, contained_for=contained_for, proposals=proposals
    )


_STATES = (IncidentState.CONTAINED, IncidentState.OPEN, IncidentState.CLOSED)


def _gravest_state(*these: Incident) -> IncidentState:
    """The state of an incident of which these turned out to be parts."""
    return min((incident.state for incident in these), key=_STATES.index)


def _split(state: State, fact: facts.IncidentSplit) -> State:
    """Findings become an incident of their own; whether the site is cut for it is not changed by taking it apart."""
    incident, case = state.incidents.get(fact.incident), state.cases.get(fact.incident)
    moved = tuple(seen for seen in case.seen if seen.finding in set(fact.findings)) if case else ()
    if incident is None or case is None or not moved:
        return state
    stays, goes = casework.remainder(incident, case, moved), casework.part(incident, fact.into, moved)
    cut = fact.incident in state.contained_for
    return replace(
        state,
        incidents={**state.incidents, fact.incident: stays, fact.into: goes},
        contained_for=state.contained_for | {fact.into} if cut else state.contained_for,
    )


def _qualified(state: State, fact: facts.IncidentQualified) -> State:
    words = Qualification(author=fact.author, intent=fact.intent, ransom=fact.ransom, outcome=fact.outcome)
    return _with_incident(state, replace(state.incidents[fact.incident], qualification=words))


def _quiet(state: State, fact: facts.QuietReturned) -> State:
    """Grave incidents are kept, closed, until they are named again; noise goes from the state: the journal has it."""
    ended = {name for name in fact.incidents if name in state.incidents}
    noise = {
        name
        for name in ended
        if state.incidents[name].level < Level.HIGH or state.incidents[name].state is IncidentState.CLOSED
    }
    kept = {
        name: replace(incident, state=IncidentState.CLOSED) if name in ended else incident
        for name, incident in state.incidents.items()
        if name not in noise
    }
    calm = state.posture is Posture.WATCHFUL and not any(
        incident.state is not IncidentState.CLOSED and incident.level >= Level.HIGH
        for incident in kept.values()
    )
    return replace(
        state,
        incidents=kept,
        proposals={name: p for name, p in state.proposals.items() if p.incident not in noise},
        posture=Posture.NORMAL if calm else state.posture,
        since=fact.at if calm else state.since,
    )


def _with_incident(state: State, incident: Incident) -> State:
    return replace(state, incidents={**state.incidents, incident.id: incident})


def _tell_contained(state: State, at: Instant, sentence: Sentence) -> State:
    """Add a sentence to the story of every incident the site is contained for."""
    told = {
        name: replace(incident, story=(*incident.story, (at, sentence)))
        for name, incident in state.incidents.items()
        if name in state.contained_for
    }
    return replace(state, incidents={**state.incidents, **told})


# -- the cut and the doors ---------------------------------------------------------------------------------------


_CutFact = (
    facts.Contained
    | facts.ChangeConfirmed
    | facts.FellBack
    | facts.DeadlineNears
    | facts.Normalised
    | facts.NewsAnnounced
)

_DoorFact = facts.LifelineClosed | facts.OpeningSet | facts.VisitBegun | facts.VisitEnded


def _after_cut(state: State, site: Site, fact: _CutFact) -> State:
    match fact:
        case facts.Contained():
            return _contained(state, site, fact)
        case facts.ChangeConfirmed():
            return _confirmed(state)
        case facts.FellBack():
            return _fell_back(state, fact)
        case facts.DeadlineNears(what=what, target=target, until=until, hours=ahead):
            running = {each for each in state.warned if each[2] > fact.at}
            return replace(state, warned=frozenset(running | {(what, target, until, ahead)}))
        case facts.Normalised():
            return _normalised(state, site, fact)
        case facts.NewsAnnounced(news_at=news_at):
            return replace(state, news_at=news_at)


def _after_door(state: State, fact: _DoorFact) -> State:
    match fact:
        case facts.LifelineClosed(at=at, opening=opening, by=by):
            sentence = Sentence("story.lifeline-closed", {"opening": opening, "by": by})
            return _set(_tell_contained(state, at, sentence), opening, OpeningState.CLOSED, fact)
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
            return replace(state, doors={**state.doors, opening: door})
        case facts.VisitEnded(at=at, opening=opening):
            return _stand(state, opening, Stand(state=OpeningState.CLOSED), at)


def _limits(fact: facts.VisitBegun) -> Limits | None:
    limited = fact.hosts or fact.certificate
    return (
        Limits(source=fact.source, hosts=tuple(fact.hosts), certificate=fact.certificate) if limited else None
    )


def _contained(state: State, site: Site, fact: facts.Contained) -> State:
    doors = dict(state.doors)
    for opening in site.openings:
        door = doors.get(opening.id)
        already = door is not None and door.stand.state is OpeningState.CLOSED
        # A lifeline closed by hand, or a door normally closed, stays closed.
        shut = OpeningState.CLOSED if already else _shut(opening)
        stand = _until_confirmed(_standing(state, opening.id), shut, fact.until)
        doors[opening.id] = Door(
            stand=stand, since=fact.at, provisional=stand.until is not None, by=fact.by, reason=fact.reason
        )
    because = state.contained_for | set(fact.incidents)
    incidents = {
        name: replace(incident, state=IncidentState.CONTAINED) if name in because else incident
        for name, incident in state.incidents.items()
    }
    cut = replace(
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
    return _tell_contained(cut, fact.at, Sentence("story.contained", {"by": fact.by}))


def _until_confirmed(present: Stand, wanted: OpeningState, until: Instant | None) -> Stand:
    """``wanted``, and if nobody confirms it by then, no more open than the door would have been without it."""
    fallback = present.then if present.until and present.then else present.state
    if until is None or stricter(fallback, wanted) is fallback:
        return Stand(state=wanted)
    return Stand(state=wanted, until=until, then=fallback)


def _confirmed(state: State) -> State:
    """All that waits for a confirmation stays."""
    doors = {
        name: replace(door, stand=Stand(state=door.stand.state), provisional=False)
        if door.provisional
        else door
        for name, door in state.doors.items()
    }
    return replace(
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
        state = _stand(state, name, Stand(state=_standing(state, name).then or OpeningState.CLOSED), fact.at)
    if not fact.contained:
        return state
    incidents = {
        name: replace(incident, state=IncidentState.OPEN) if name in state.contained_for else incident
        for name, incident in state.incidents.items()
    }
    grave = any(i.level >= Level.HIGH and i.state is not IncidentState.CLOSED for i in incidents.values())
    return replace(
        state,
        posture=Posture.WATCHFUL if grave else Posture.NORMAL,
        since=fact.at,
        contained=False,
        cut_since=NEVER,
        contained_until=None,
        contained_for=frozenset(),
        incidents=incidents,
    )


def _shut(opening: Opening) -> OpeningState:
    """How a cut leaves a door."""
    if opening.lifeline and opening.normally is not OpeningState.CLOSED:
        return OpeningState.FILTERED
    return OpeningState.CLOSED


def _standing(state: State, opening: str) -> Stand:
    """How a door stands; one that the site no longer has is closed."""
    door = state.doors.get(opening)
    return door.stand if door else Stand(state=OpeningState.CLOSED)


def _trial_started(state: State, fact: facts.TrialStarted) -> State:
    sentence = Sentence("story.reopened", {"opening": fact.opening, "by": fact.by})
    told = _tell_contained(state, fact.at, sentence)
    on_trial = Stand(state=fact.state, until=fact.until, then=fact.then)
    if fact.confirm_by is not None:
        made = Override(by=fact.by, at=fact.at, due=fact.confirm_by, reason=fact.reason)
        overrides = {**told.dossier.overrides, fact.opening: made}
        told = replace(told, dossier=replace(told.dossier, overrides=overrides))
    opened = _stand(told, fact.opening, on_trial, fact.at, reopened=True, by=fact.by)
    order = opened.reopened if fact.opening in opened.reopened else (*opened.reopened, fact.opening)
    return replace(
        opened,
        reopened=order,
        posture=Posture.REOPENING if opened.contained else opened.posture,
        since=fact.at if opened.posture is Posture.CONTAINED else opened.since,
    )


def _close_again(state: State, opening: str, wanted: OpeningState, at: Instant) -> State:
    """Fall back after a trial or a relapse; every gate must be passed anew."""
    shut = _stand(state, opening, Stand(state=wanted), at)
    return replace(shut, gates=_without(shut.gates, opening))


def _normalised(state: State, site: Site, fact: facts.Normalised) -> State:
    told = _tell_contained(state, fact.at, Sentence("story.normal", {"by": fact.by}))
    incidents = {
        name: replace(incident, state=IncidentState.CLOSED) if name in state.contained_for else incident
        for name, incident in told.incidents.items()
    }
    doors = {o.id: Door(stand=Stand(state=o.normally), since=fact.at) for o in site.openings}
    return replace(
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


def _set(
    state: State, opening: str, wanted: OpeningState, fact: facts.OpeningSet | facts.LifelineClosed
) -> State:
    """One door set apart from the others, perhaps until somebody confirms it, or on trial as it was."""
    on_trial = fact.then if isinstance(fact, facts.OpeningSet) else None
    if on_trial:
        stand = Stand(state=wanted, until=fact.until, then=on_trial)
    else:
        stand = _until_confirmed(_standing(state, opening), wanted, fact.until)
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
    return replace(state, doors={**state.doors, opening: door})


def _stand(
    state: State, opening: str, stand: Stand, at: Instant, *, reopened: bool = False, by: str = ""
) -> State:
    door = Door(stand=stand, since=at, reopened=reopened, by=by)
    return replace(state, doors={**state.doors, opening: door})


# -- the way back ------------------------------------------------------------------------------------------------

_DossierFact = facts.StageSet | facts.PartnerNoted | facts.ProofGiven | facts.OverrideConfirmed

_ReopeningFact = (
    facts.GateAnswered
    | facts.TrialStarted
    | facts.TrialConfirmed
    | facts.TrialEnded
    | facts.OpeningReclosed
    | _DossierFact
)


def _after_reopening(state: State, fact: _ReopeningFact) -> State:
    match fact:
        case facts.GateAnswered(opening=opening, gate=gate):
            answer = Answer(answer=fact.answer, proof=fact.proof, by=fact.by, at=fact.at)
            of_opening = {**state.gates.get(opening, {}), gate: answer}
            return replace(state, gates={**state.gates, opening: of_opening})
        case facts.TrialStarted():
            return _trial_started(state, fact)
        case facts.TrialConfirmed(at=at, opening=opening, by=by):
            told = _tell_contained(state, at, Sentence("story.confirmed", {"opening": opening, "by": by}))
            return _stand(told, opening, Stand(state=_standing(told, opening).state), at, reopened=True)
        case facts.TrialEnded(at=at, opening=opening):
            falls_to = _standing(state, opening).then or OpeningState.CLOSED
            return _close_again(state, opening, falls_to, at)
        case facts.OpeningReclosed(at=at, opening=opening, state=wanted, title=title):
            sentence = Sentence("story.reclosed", {"opening": opening, "title": title})
            return _close_again(_tell_contained(state, at, sentence), opening, wanted, at)
        case _:
            return replace(state, dossier=_filed(state.dossier, fact))


def _filed(dossier: Dossier, fact: _DossierFact) -> Dossier:
    match fact:
        case facts.StageSet(opening=opening, stage=stage):
            return replace(dossier, stages={**dossier.stages, opening: stage})
        case facts.PartnerNoted(opening=opening, condition=condition, met=met, by=by):
            partner = Partner(condition=condition, met=met, by=by)
            return replace(dossier, partners={**dossier.partners, opening: partner})
        case facts.ProofGiven(proves=kind, subject=subject, on=on, proof=proof, by=by):
            of_kind = {**dossier.proofs.get(kind.value, {}), subject: Proof(on=on, proof=proof, by=by)}
            while len(of_kind) > MOST_PROOFS:
                del of_kind[next(iter(of_kind))]
            return replace(dossier, proofs={**dossier.proofs, kind.value: of_kind})
        case facts.OverrideConfirmed(opening=opening):
            return replace(dossier, overrides=_without(dossier.overrides, opening))


# -- measures ----------------------------------------------------------------------------------------------------

_MeasureFact = (
    facts.Blocked | facts.Unblocked | facts.Isolated | facts.Released | facts.Barred | facts.Unbarred
)


def _after_measure(state: State, fact: _MeasureFact) -> State:
    match fact:
        case facts.Blocked():
            return _blocked(state, fact)
        case facts.Unblocked(target=target):
            return replace(state, blocked=_without(state.blocked, target))
        case facts.Isolated():
            return _isolated(state, fact)
        case facts.Released(asset=asset):
            return replace(state, isolated=_without(state.isolated, asset))
        case facts.Barred(passage=passage):
            return replace(state, barred={**state.barred, passage: _measure(passage, fact)})
        case facts.Unbarred(passage=passage):
            return replace(state, barred=_without(state.barred, passage))


def _blocked(state: State, fact: facts.Blocked) -> State:
    return replace(
        state,
        blocked={**state.blocked, fact.target: _measure(fact.target, fact, fact.incident)},
        automatic=_spent(state, fact.at, fact.by, fact.target),
        day=replace(state.day, blocked=state.day.blocked + (fact.by == facts.MACHINE)),
    )


def _isolated(state: State, fact: facts.Isolated) -> State:
    return replace(
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
    """The automatic measures of the last hour, with this one if the station took it by itself."""
    recent = tuple(spent for spent in state.automatic if spent[0] > at - _HOUR)
    return (*recent, (at, target)) if by == facts.MACHINE else recent


# -- telling -----------------------------------------------------------------------------------------------------

_TellingFact = facts.AlertRaised | facts.Told | facts.Acknowledged | facts.AlertsOver | facts.DayEnded


def _after_telling(state: State, fact: _TellingFact) -> State:
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
    alerts = {**_without(state.alerts, fact.alert), fact.alert: raised}  # the latest last
    while len(alerts) > ALERTS:
        del alerts[next(iter(alerts))]
    asked = state.day.asked + (fact.alert in state.incidents and fact.alert not in state.alerts)
    return replace(state, alerts=alerts, day=replace(state.day, asked=asked))


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
    return replace(state, alerts={**state.alerts, alert.id: replace(alert, told=(*alert.told, delivery))})


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
    return replace(state, alerts={**state.alerts, alert.id: taken}, answers=answers)


def _alerts_over(state: State, ended: Iterable[str], at: Instant) -> State:
    over = {name: replace(state.alerts[name], over=at) for name in ended if name in state.alerts}
    return replace(state, alerts={**state.alerts, **over})


def _day_ended(state: State, fact: facts.DayEnded) -> State:
    ended = Day(
        since=fact.since,
        incidents=fact.incidents,
        asked=fact.asked,
        blocked=fact.blocked,
        unanswered=fact.unanswered,
    )
    return replace(state, day=Day(since=fact.at), yesterday=ended, day_ended=fact.at)


# -- people, and what they may see or hide -----------------------------------------------------------------------

_PeopleFact = (
    facts.PersonEnrolled
    | facts.RolesSet
    | facts.PersonDisabled
    | facts.PersonEnabled
    | facts.ExceptionMade
    | facts.ExceptionEnded
    | facts.UnmaskingAsked
    | facts.Unmasked
)


def _after_people(state: State, fact: _PeopleFact) -> State:
    match fact:
        case facts.ExceptionMade() | facts.ExceptionEnded():
            return replace(state, taming=taming.after_it(state.taming, fact))
        case facts.UnmaskingAsked() | facts.Unmasked():
            return replace(state, unmaskings=unmasking.after_it(state.unmaskings, fact))
        case _:
            return replace(state, people=after_it(state.people, fact))


def _without(mapping: Mapping[str, _V], key: str) -> dict[str, _V]:
    return {name: value for name, value in mapping.items() if name != key}
