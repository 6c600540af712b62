"""Facts: what was decided or observed, as sealed in the journal. The state is a fold over them, nothing else.

A fact's type name is the entry's kind; its fields are the entry's body. Fields are only ever added, with a default,
so that a newer station reads an older journal.
"""

import msgspec

from rempart.accounts.credential import How, Scope
from rempart.accounts.person import Role
from rempart.care.rehearsal import Becomes, Question
from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.containment.policy import Action
from rempart.detection.finding import Kind, Level, Outcome
from rempart.detection.trait import Trait
from rempart.engine.orders import GateAnswer
from rempart.instants import Instant
from rempart.reopening.dossier import ProofKind
from rempart.site.opening import OpeningState
from rempart.site.telling import Channel
from rempart.telling.alert import Urgency

MACHINE = "rempart"
"""Who acts when nobody did: the station itself."""


class Fact(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all facts. ``at`` is when it was decided, not when it was sealed."""

    at: Instant


class StationStarted(Fact, frozen=True, tag=True, kw_only=True):
    """The guard began to watch over the site."""

    site: str


class FindingJoined(Fact, frozen=True, tag=True, kw_only=True):
    """A finding belongs to an incident; the first of its sort, or the tenth, the hundredth … (``tally``)."""

    incident: str
    finding: str
    rule: str
    title: str
    level: Level
    kind: Kind
    outcome: Outcome
    actors: list[str]
    victims: list[str]
    accounts: list[str]
    assets: list[str]
    source: str
    record: int
    count: int
    tally: int
    hosts: list[str] = []


class IncidentsMerged(Fact, frozen=True, tag=True, kw_only=True):
    """Two incidents turned out to be one attack."""

    into: str
    merged: str
    by: str = MACHINE
    reason: str = ""


class Contained(Fact, frozen=True, tag=True, kw_only=True):
    """The site was cut off from the outside because of these incidents."""

    by: str
    reason: str
    incidents: list[str]
    until: Instant | None = None
    """Unless it is confirmed, it falls back then. So it is with the facts below that have this field."""


class LifelineClosed(Fact, frozen=True, tag=True, kw_only=True):
    """A named person closed a lifeline after confirming its fallback."""

    opening: str
    by: str
    reason: str
    until: Instant | None = None


class OpeningSet(Fact, frozen=True, tag=True, kw_only=True):
    """One opening was set apart from the others. ``drains``: until when requests under way may end.

    ``until`` alone: it falls back then unless somebody confirms it. With ``then`` it is on trial as before, and stands
    so from then on.
    """

    opening: str
    state: OpeningState
    by: str
    reason: str
    drains: Instant | None = None
    until: Instant | None = None
    then: OpeningState | None = None


class Blocked(Fact, frozen=True, tag=True, kw_only=True):
    """An address or network outside is blocked until then."""

    target: str
    until: Instant | None
    by: str
    reason: str
    incident: str | None = None
    provisional: bool = False
    """It ends then unless it is confirmed, and stands until lifted when it is."""


class Unblocked(Fact, frozen=True, tag=True, kw_only=True):
    """A block ended, by an order or by its time."""

    target: str
    by: str


class Isolated(Fact, frozen=True, tag=True, kw_only=True):
    """A machine inside is isolated until then."""

    asset: str
    until: Instant | None
    by: str
    reason: str
    incident: str | None = None
    provisional: bool = False


class Released(Fact, frozen=True, tag=True, kw_only=True):
    """An isolation ended, by an order or by its time."""

    asset: str
    by: str


class Barred(Fact, frozen=True, tag=True, kw_only=True):
    """A passage is shut until then."""

    passage: str
    until: Instant | None
    by: str
    reason: str
    provisional: bool = False


class Unbarred(Fact, frozen=True, tag=True, kw_only=True):
    """A barrier ended, by an order or by its time."""

    passage: str
    by: str


class ChangeConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """What waited for a confirmation stays."""

    by: str


class FellBack(Fact, frozen=True, tag=True, kw_only=True):
    """Nobody confirmed: these doors, and the cut if ``contained``, are as before; the kernel had done it already."""

    openings: list[str]
    contained: bool


class DeadlineNears(Fact, frozen=True, tag=True, kw_only=True):
    """In so many hours this ends by itself. ``what``: a trial, block, isolation or barrier; ``target``: of what."""

    what: str
    target: str
    until: Instant
    hours: int


class MeasureProposed(Fact, frozen=True, tag=True, kw_only=True):
    """The policy asks a person to approve a measure."""

    proposal: str
    incident: str
    action: str
    target: str


class ProposalSettled(Fact, frozen=True, tag=True, kw_only=True):
    """A proposal was approved."""

    proposal: str
    by: str


class GateAnswered(Fact, frozen=True, tag=True, kw_only=True):
    """A person answered one gate of one opening."""

    opening: str
    gate: str
    answer: GateAnswer
    proof: str
    by: str


class TrialStarted(Fact, frozen=True, tag=True, kw_only=True):
    """An opening is on trial until then and falls back by itself. ``overridden`` names gates that had not passed."""

    opening: str
    state: OpeningState
    until: Instant
    then: OpeningState
    by: str
    reason: str
    overridden: list[str] = []
    profile: str = "full"
    checked: list[str] = []
    """What the machine found of the gates, yes or no."""
    confirm_by: Instant | None = None
    """No second person agreed: one must confirm the override until then."""


class TrialConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """A person found the trial good: the opening keeps its trial state."""

    opening: str
    by: str


class TrialEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A trial's time ran out without confirmation; the kernel had let it fall already."""

    opening: str


class OpeningReclosed(Fact, frozen=True, tag=True, kw_only=True):
    """A relapse: the opening fell back at once because of this finding."""

    opening: str
    state: OpeningState
    incident: str
    finding: str
    rule: str
    title: str


class Normalised(Fact, frozen=True, tag=True, kw_only=True):
    """Containment ended; every opening is as it normally is."""

    by: str
    reason: str


class IncidentQualified(Fact, frozen=True, tag=True, kw_only=True):
    """What an incident is thought to be, from now on."""

    incident: str
    by: str
    author: str
    intent: str
    ransom: str
    outcome: str
    note: str = ""


class IncidentAssigned(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody with an account looks after an incident from now on; ``person`` empty: nobody in particular."""

    incident: str
    person: str
    by: str


class IncidentCommented(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody wrote something down about an incident."""

    incident: str
    text: str
    by: str


class FileAttached(Fact, frozen=True, tag=True, kw_only=True):
    """A file is kept beside the journal with an incident; here is its hash."""

    incident: str
    name: str
    size: int
    sha256: str
    note: str
    by: str


class FileErased(Fact, frozen=True, tag=True, kw_only=True):
    """The bytes of an attached file were erased, wherever it is attached. What was sealed of it stays."""

    incident: str
    sha256: str
    by: str
    reason: str


class IncidentSplit(Fact, frozen=True, tag=True, kw_only=True):
    """These findings were no part of an incident: they are one of their own, ``into``."""

    incident: str
    into: str
    findings: list[str]
    by: str
    reason: str


class QuestionAnswered(Fact, frozen=True, tag=True, kw_only=True):
    """A person answered a question that a duty hangs on. ``answer``: yes, no, unknown or a whole number."""

    incident: str
    question: str
    answer: str | int
    since: Instant | None
    why: str
    by: str


class DutyFulfilled(Fact, frozen=True, tag=True, kw_only=True):
    """A person told whom a duty names, then, with this proof."""

    incident: str
    duty: str
    on: Instant
    proof: str
    by: str


class PersonsTouched(Fact, frozen=True, tag=True, kw_only=True):
    """How many distinct persons' care files the incident's machines opened, from the accesses seen."""

    incident: str
    persons: int
    records: int


class OrderDeclined(Fact, frozen=True, tag=True, kw_only=True):
    """An order was refused, and why; from the network the first of its sort in an hour, the tenth … (``tally``)."""

    order: str
    by: str
    why: str
    tally: int = 1


class EnforcementFaulted(Fact, frozen=True, tag=True, kw_only=True):
    """The kernel or the proxy did not hold what the journal says; it was repaired, or could not be.

    ``lasts``: it could not for so long that somebody must know.
    """

    what: str
    repaired: bool
    lasts: bool = False


class QuietReturned(Fact, frozen=True, tag=True, kw_only=True):
    """Nothing more was seen of these incidents for a day: they are closed."""

    incidents: list[str]


class SealedLate(Fact, frozen=True, tag=True, kw_only=True):
    """A tightening was applied before it could be sealed: the disk took too long or was full."""

    what: list[str]
    milliseconds: int


class PersonEnrolled(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody has an account, with these roles."""

    person: str
    name: str
    roles: list[Role]
    by: str


class RolesSet(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody has these roles from now on."""

    person: str
    roles: list[Role]
    by: str


class PersonDisabled(Fact, frozen=True, tag=True, kw_only=True):
    """An account may not be used."""

    person: str
    by: str
    reason: str


class PersonEnabled(Fact, frozen=True, tag=True, kw_only=True):
    """An account may be used again."""

    person: str
    by: str
    reason: str


class LinkIssued(Fact, frozen=True, tag=True, kw_only=True):
    """A one-time link was made with which a person chooses anew what they sign in with."""

    person: str
    by: str


class CredentialsChosen(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody used their link: a password, a code generator and perhaps a passkey, named by its key's SHA-256."""

    person: str
    passkey: str
    where: str


class PasskeyAllowed(Fact, frozen=True, tag=True, kw_only=True):
    """A person may make one more passkey, with a link that was given to them and to nobody else."""

    person: str


class PasskeyAdded(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody used that link: they have one more passkey, named by its key's SHA-256."""

    person: str
    passkey: str
    where: str


class PasskeyRemoved(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody took back a passkey of their own."""

    person: str
    passkey: str


class PasswordChanged(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody gave themselves another password. Their other browsers are signed out."""

    person: str
    where: str


class SignedIn(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody signed in, how and from where (the address that the console saw)."""

    person: str
    how: How
    where: str
    session: str


class SignInRefused(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody could not sign in: the first time in an hour, the tenth, the hundredth … (``tally``)."""

    person: str
    """The account tried, when there is one; empty otherwise: what strangers type is not kept."""
    why: str
    where: str
    tally: int = 1


class EnvelopeOpened(Fact, frozen=True, tag=True, kw_only=True):
    """The code of the sealed envelope was used: find out by whom and why."""

    where: str
    session: str


class SessionsEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A person was signed out: everywhere, or (``session``) in one browser or program."""

    person: str
    session: str
    by: str


class TokenIssued(Fact, frozen=True, tag=True, kw_only=True):
    """A person has a token for a program."""

    person: str
    label: str
    scopes: list[Scope]
    until: Instant


class EnvelopeSealed(Fact, frozen=True, tag=True, kw_only=True):
    """A new code for the sealed envelope was made."""

    by: str


class AlertRaised(Fact, frozen=True, tag=True, kw_only=True):
    """Something asks for a person; whom it is told to follows from site.toml and the time."""

    alert: str
    code: str
    urgency: Urgency
    key: str
    arguments: dict[str, str | int]
    todo: str
    weight: int


class Told(Fact, frozen=True, tag=True, kw_only=True):
    """A message was handed over for a person, by role, or given up. Its address is not kept."""

    alert: str
    message: str
    role: str
    channel: Channel
    delivered: bool
    note: str = ""


class Acknowledged(Fact, frozen=True, tag=True, kw_only=True):
    """A person took an alert. ``how``: by an order on the station, by a reply, or by acting."""

    alert: str
    by: str
    how: str


class AlertsOver(Fact, frozen=True, tag=True, kw_only=True):
    """What these alerts were about has ended before anybody took them."""

    alerts: list[str]


class DayEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A day's summary: attacks and attempts, those that asked for a person, addresses blocked, alerts unanswered."""

    since: Instant
    incidents: int
    asked: int
    blocked: int
    unanswered: int


class RehearsalBegun(Fact, frozen=True, tag=True, kw_only=True):
    """The site is cut to try it out, until then; the kernel undoes it by itself."""

    until: Instant
    by: str
    reason: str


class RehearsalEnded(Fact, frozen=True, tag=True, kw_only=True):
    """The rehearsed cut is undone: by its time, or ``early`` by a person or because the site was contained."""

    by: str
    early: bool


class WardTicked(Fact, frozen=True, tag=True, kw_only=True):
    """A ward said whether one thing worked during the rehearsal."""

    ward: str
    question: Question
    reply: Reply
    note: str
    by: str


class SiteCorrected(Fact, frozen=True, tag=True, kw_only=True):
    """A rehearsal showed that site.toml was wrong about an opening; a technician writes the change."""

    opening: str
    becomes: Becomes
    by: str
    reason: str


class CareAttested(Fact, frozen=True, tag=True, kw_only=True):
    """A ward said whether care goes on there."""

    ward: str
    reply: Reply
    note: str
    by: str


class TroubleReported(Fact, frozen=True, tag=True, kw_only=True):
    """Staff reported that a service is slow, down or wrong."""

    trouble: str
    service: str
    ail: Ail
    ward: str
    note: str
    by: str


class TroubleSettled(Fact, frozen=True, tag=True, kw_only=True):
    """A trouble has its remedy."""

    trouble: str
    remedy: str
    by: str


class OutsideTicked(Fact, frozen=True, tag=True, kw_only=True):
    """An action outside the wall was done, or could not be."""

    item: str
    action: str
    reply: Reply
    proof: str
    by: str


class TickedByHand(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody said that a step at the firewall or the switch was done, or is not (any more). Nobody checked it."""

    action: Action
    target: str
    """Empty: the site's cut."""
    step: str
    """As site.toml words it; empty: what is true everywhere."""
    reply: Reply
    note: str
    by: str
    on: Instant | None = None
    """When it was done, as they say; None: they did not say, or an older station did not ask."""


class PaperKept(Fact, frozen=True, tag=True, kw_only=True):
    """Something was noted on paper while an opening was closed, and must be entered afterwards."""

    paper: str
    opening: str
    what: str
    by: str


class PaperEntered(Fact, frozen=True, tag=True, kw_only=True):
    """A pile of paper was entered."""

    paper: str
    by: str


class ProbeTurned(Fact, frozen=True, tag=True, kw_only=True):
    """A probe began, or ceased, to get an answer."""

    probe: str
    answered: bool
    detail: str


class PackChanged(Fact, frozen=True, tag=True, kw_only=True):
    """The downtime pack is another file than before. ``sha256`` empty: it is gone."""

    sha256: str
    written: Instant


class LogsTurned(Fact, frozen=True, tag=True, kw_only=True):
    """Logs fell silent, or were heard again (or are followed no more): their paths, or names of the station's own."""

    silent: list[str]
    heard: list[str]


class WatchMuted(Fact, frozen=True, tag=True, kw_only=True):
    """Watch, which detects, says nothing since then: whether logs are followed at all is not known."""

    since: Instant


class WatchHeard(Fact, frozen=True, tag=True, kw_only=True):
    """Watch speaks again."""


class ClockLeapt(Fact, frozen=True, tag=True, kw_only=True):
    """The clock is far ahead of what is believed: nothing is erased by it until it returns, or a person confirms it."""

    believed: Instant
    """What the time should be, by what the station lived through itself."""


class ClockReturned(Fact, frozen=True, tag=True, kw_only=True):
    """The clock is near what is believed again."""


class ClockConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """A person says that the clock is right, though it leapt."""

    by: str
    reason: str


class StageSet(Fact, frozen=True, tag=True, kw_only=True):
    """A person moved an opening to another stage of the plan."""

    opening: str
    stage: int
    by: str
    reason: str


class PartnerNoted(Fact, frozen=True, tag=True, kw_only=True):
    """What the other side asks before it lets us in again, and whether it is met."""

    opening: str
    condition: str
    met: bool
    by: str


class ProofGiven(Fact, frozen=True, tag=True, kw_only=True):
    """Secrets were renewed, a machine was checked, or a backup was restored in a test, on a date."""

    proves: ProofKind
    subject: str
    on: Instant
    proof: str
    by: str


class OverrideConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """A second person agreed afterwards to a trial that was started without one."""

    opening: str
    by: str


class VisitBegun(Fact, frozen=True, tag=True, kw_only=True):
    """A named person of a supplier may come in until then; the kernel ends it.

    ``overridden``: what stood against it. ``hosts`` and ``certificate``: what it is limited to; empty: to nothing.
    """

    opening: str
    visitor: str
    source: str
    until: Instant
    by: str
    reason: str
    overridden: list[str] = []
    hosts: list[str] = []
    certificate: str = ""


class VisitEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A visit's minutes ran out; the kernel had closed the opening already."""

    opening: str
    visitor: str


class NewsAnnounced(Fact, frozen=True, tag=True, kw_only=True):
    """The public is told that there will be news then; None: it is told nothing."""

    news_at: Instant | None
    by: str


class UnmaskingAsked(Fact, frozen=True, tag=True, kw_only=True):
    """The privacy officer asked to know who stands behind the masks of an incident, for this purpose."""

    incident: str
    by: str
    purpose: str
    length: int


class Unmasked(Fact, frozen=True, tag=True, kw_only=True):
    """A second person agreed: until then the names may be read by those whose role allows it."""

    incident: str
    by: str
    asked_by: str
    purpose: str
    until: Instant


class NamesRead(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody read who stands behind the masks of an incident. ``by`` empty: on the box itself."""

    incident: str
    by: str


class ExceptionMade(Fact, frozen=True, tag=True, kw_only=True):
    """A person decided not to be told what a rule finds where these fields have these values, until that day (UTC)."""

    exception: str
    """`rempart.detection.exception.Exemption.id`."""
    rule: str
    traits: list[Trait]
    by: str
    reason: str
    until: str
    even_grave: bool = False


class ExceptionEnded(Fact, frozen=True, tag=True, kw_only=True):
    """An exception ended before its day, by an order."""

    exception: str
    by: str
    reason: str


AnyFact = (
    StationStarted
    | FindingJoined
    | IncidentsMerged
    | Contained
    | LifelineClosed
    | OpeningSet
    | Blocked
    | Unblocked
    | Isolated
    | Released
    | Barred
    | Unbarred
    | ChangeConfirmed
    | FellBack
    | DeadlineNears
    | MeasureProposed
    | ProposalSettled
    | GateAnswered
    | TrialStarted
    | TrialConfirmed
    | TrialEnded
    | OpeningReclosed
    | Normalised
    | IncidentQualified
    | IncidentAssigned
    | IncidentCommented
    | FileAttached
    | FileErased
    | IncidentSplit
    | QuestionAnswered
    | DutyFulfilled
    | PersonsTouched
    | OrderDeclined
    | EnforcementFaulted
    | QuietReturned
    | SealedLate
    | PersonEnrolled
    | RolesSet
    | PersonDisabled
    | PersonEnabled
    | LinkIssued
    | CredentialsChosen
    | PasskeyAllowed
    | PasskeyAdded
    | PasskeyRemoved
    | PasswordChanged
    | SignedIn
    | SignInRefused
    | EnvelopeOpened
    | SessionsEnded
    | TokenIssued
    | EnvelopeSealed
    | UnmaskingAsked
    | Unmasked
    | NamesRead
    | AlertRaised
    | Told
    | Acknowledged
    | AlertsOver
    | DayEnded
    | RehearsalBegun
    | RehearsalEnded
    | WardTicked
    | SiteCorrected
    | CareAttested
    | TroubleReported
    | TroubleSettled
    | OutsideTicked
    | TickedByHand
    | PaperKept
    | PaperEntered
    | ProbeTurned
    | PackChanged
    | LogsTurned
    | WatchMuted
    | WatchHeard
    | ClockLeapt
    | ClockReturned
    | ClockConfirmed
    | StageSet
    | PartnerNoted
    | ProofGiven
    | OverrideConfirmed
    | VisitBegun
    | VisitEnded
    | NewsAnnounced
    | ExceptionMade
    | ExceptionEnded
)


FACTS = frozenset(kind.__name__ for kind in AnyFact.__args__)
"""The kinds of journal entries that are facts; the others are the journal's own."""


def kind_of(fact: AnyFact) -> str:
    """The journal entry's kind."""
    return type(fact).__name__


def body_of(fact: AnyFact) -> dict[str, object]:
    """The fact as a plain body for the journal: text, whole numbers, booleans, null, lists and maps."""
    built = msgspec.to_builtins(fact)
    assert isinstance(built, dict)
    return built


def read(body: object) -> AnyFact:
    """A fact from a journal body. Raises `msgspec.ValidationError` when it is none."""
    fact: AnyFact = msgspec.convert(body, AnyFact)
    return fact
