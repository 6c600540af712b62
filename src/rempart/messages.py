"""What guard, watch and console say to one another over unix sockets.

One frame is a 4-byte big-endian length and that many bytes of JSON (msgspec, tagged by type). A frame longer than
`MAX_FRAME` or of an unknown type ends the connection: the peer is wrong or hostile. Each socket has its own union,
so that a taken-over watch cannot even spell an order.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.accounts.conversation import FromVisitor, Held, NamesAsked, PasskeyAnswer, PeopleAsked, ToVisitor
from rempart.detection.finding import Finding
from rempart.detection.trait import Trait
from rempart.duties.answers import Answers
from rempart.engine.facts import MACHINE
from rempart.engine.handwork import Checked
from rempart.engine.orders import AnyOrder
from rempart.engine.state import Posture as Posture
from rempart.engine.state import Swing
from rempart.engine.why import Reason
from rempart.incidents.casefile import MOST_FILE_BYTES, CaseFile
from rempart.incidents.incident import IncidentState, Qualification, Sentence
from rempart.instants import Instant
from rempart.phrase import Phrase, phrase
from rempart.site.opening import OpeningState
from rempart.site.placement import Placement
from rempart.telling.alert import AlertState, Delivery, Urgency
from rempart.telling.digest import NOTHING, Day
from rempart.telling.message import Message

MAX_FRAME = 1 << 20
"""Bytes in the longest frame."""


# -- watch -> guard ----------------------------------------------------------------------------------------------


class FindingsReported(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Findings, oldest first. Sent again after a restart; the guard drops the ids it knows."""

    findings: list[Finding]


class PersonsCounted(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How many distinct persons' care files the named addresses opened."""

    request: str
    persons: int
    records_opened: int


class LogsSilent(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """All logs that used to speak and are silent now: paths of site.toml, or `rempart.engine.listening.OWN`.

    Said once a minute, whether or not it has changed.
    """

    logs: list[Annotated[str, Meta(max_length=200)]]


class Rebuilding(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """After a start: how far watch is in reading again what it kept, in bunches of lines. No log is followed yet."""

    done: Annotated[int, Meta(ge=0, le=1 << 53)]
    total: Annotated[int, Meta(ge=0, le=1 << 53)]


FromWatch = FindingsReported | PersonsCounted | LogsSilent | Rebuilding


# -- guard -> watch ----------------------------------------------------------------------------------------------


class FindingsAccepted(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The guard has these; they need not be sent again."""

    ids: list[str]


class CountPersons(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Count distinct persons whose files were opened from these addresses inside, from ``since`` on.

    ``accounts`` narrows the count to what these accounts opened; empty: whoever was signed in.
    """

    request: str
    addresses: list[str]
    since: Instant
    accounts: list[str] = []


class ExceptionStand(msgspec.Struct, frozen=True, kw_only=True):
    """One exception that a person made by an order, and that holds."""

    rule: str
    traits: list[Trait]
    reason: str
    by: str
    until: str
    """Its last day (UTC), as 2027-01-31."""


class ExceptionsStand(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """All exceptions made by an order that hold. Sent at first and at each change."""

    exceptions: list[ExceptionStand]


ToWatch = FindingsAccepted | CountPersons | ExceptionsStand


# -- teller -> guard ---------------------------------------------------------------------------------------------


class MessageSettled(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A message was handed over, or given up."""

    alert: str
    delivery: Delivery


class CodeReplied(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Somebody answered a text message from the number to which it went."""

    role: Annotated[str, Meta(max_length=40)]
    code: Annotated[str, Meta(max_length=40)]


FromTeller = MessageSettled | CodeReplied


# -- guard -> teller ---------------------------------------------------------------------------------------------


class TellPeople(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send these; what is known by its id is not sent twice."""

    messages: list[Message]


ToTeller = TellPeople


# -- prober -> guard ---------------------------------------------------------------------------------------------


class ProbeAnswered(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A probe got an answer, or none. ``detail`` is what somebody else said: hostile text."""

    probe: Annotated[str, Meta(max_length=40)]
    answered: bool
    detail: Annotated[str, Meta(max_length=120)] = ""


class PackSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The downtime pack as it lies there. ``sha256`` empty: there is none."""

    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)]
    written: Annotated[int, Meta(ge=0, le=1 << 53)]


FromProber = ProbeAnswered | PackSeen


class Hello(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Nothing is ever said to the prober; its union needs a member."""


ToProber = Hello


# -- resolver -> guard -------------------------------------------------------------------------------------------


class NameResolved(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A listed name was resolved for a machine; what it leads to is to be leased before it is told."""

    request: int
    client: str
    name: str
    kind: str
    """A or AAAA."""
    openings: list[str]
    """Ids of the openings that the answer may open; the guard looks again."""
    addresses: list[str]
    seconds: int


class NameRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A name that was refused. Who asked is left out: nobody's reading is watched."""

    name: str
    reason: str
    times: int
    last: Instant


class NamesRefused(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What was refused since the resolver began: how often for each reason, and the latest names."""

    times: dict[str, int]
    latest: list[NameRefusal]


FromResolver = NameResolved | NamesRefused


# -- guard -> resolver -------------------------------------------------------------------------------------------


class OpeningStand(msgspec.Struct, frozen=True, kw_only=True):
    """How one opening stands."""

    state: OpeningState
    until: Instant | None = None
    then: OpeningState | None = None


class OpeningsStand(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How all openings stand, by id. Sent at first and at each change."""

    stands: dict[str, OpeningStand]
    contained: bool


class NameLeased(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The kernel holds what was asked for, or why not."""

    request: int
    fault: str = ""


ToResolver = OpeningsStand | NameLeased


# -- group door -> guard -----------------------------------------------------------------------------------------


class CutAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Somebody whose certificate is trusted cuts the whole group, this site too. The only thing that can be asked."""

    by: Annotated[str, Meta(min_length=1, max_length=120)]
    reason: Annotated[str, Meta(max_length=400)] = ""


FromGroupDoor = CutAsked


# -- console or command line -> guard ----------------------------------------------------------------------------


class Ordered(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A person's order. From the console it comes with their session and, where needed, their passkey's answer."""

    order: AnyOrder
    session: Held = ""
    answer: PasskeyAnswer | None = None
    content: Annotated[bytes, Meta(max_length=MOST_FILE_BYTES)] = b""
    """The bytes of the file that the order attaches."""


class IncidentAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Everything about one incident, as far as whoever holds the session may see it. No session: the plain story."""

    incident: Annotated[str, Meta(max_length=120)]
    session: Held = ""


class FileAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The bytes of a file that is attached to an incident."""

    incident: Annotated[str, Meta(max_length=120)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
    session: Held = ""


class SimulationAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What would this order do? Nothing is done, sealed or remembered. From the console it comes with a session."""

    order: AnyOrder
    session: Held = ""


class ChallengeAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Give me the question with which this person's passkey confirms exactly this order."""

    order: AnyOrder
    session: Held


class WhyAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What stops packets of this address?"""

    address: Annotated[str, Meta(max_length=60)]


class StatusAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send the status once."""


class StatusFollowed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send the status now and whenever it changes, until the connection ends."""


_AboutIncidents = IncidentAsked | FileAsked
FromOperator = (
    Ordered
    | SimulationAsked
    | StatusAsked
    | StatusFollowed
    | PeopleAsked
    | NamesAsked
    | WhyAsked
    | _AboutIncidents
)
FromConsole = (
    Ordered
    | SimulationAsked
    | ChallengeAsked
    | StatusAsked
    | StatusFollowed
    | NamesAsked
    | _AboutIncidents
    | FromVisitor
)


# -- guard -> console or command line ----------------------------------------------------------------------------


class Why(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Everything that may stop packets of the address asked about; the most there is room for."""

    reasons: list[Reason]


class OrderDone(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The order was carried out and read back."""

    received: Instant
    sealed: int | None
    """Number of the journal entry; None while it is to be sealed late."""
    enforced: Instant | None
    """When the kernel had acknowledged; None when nothing was to be enforced."""
    late: bool = False
    note: str = ""
    handed: str = ""
    """A secret that the order made (a link's, a token, a code), told this once."""
    console: str = ""
    """Where the console's pages are, for a secret that is used there."""


class DoorForeseen(msgspec.Struct, frozen=True, kw_only=True):
    """A door that would stand otherwise than now. ``until`` and ``then``: what it falls to by itself, and when."""

    opening: str
    now: OpeningState
    would: OpeningState
    until: Instant | None
    then: OpeningState | None


class Foreseen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What an order would do. ``refused`` empty: it would be carried out."""

    refused: str
    instead: str
    said: Phrase | None = None
    """The refusal as a phrase."""
    facts: list[str]
    """Kinds of the facts that would be sealed, in order."""
    doors: list[DoorForeseen]
    loosens: bool
    """It would let something through: it waits for its seal."""


class OrderRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The order was understood and refused, or failed; nothing was loosened."""

    what: str
    now: str = ""
    said: Phrase | None = None
    """Why, as a phrase that has words in every language; ``what`` and ``now`` are its English."""


class OpeningStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One door as it stands."""

    id: str
    name: str
    state: OpeningState
    lifeline: bool
    direction: str
    care: int
    zones: list[str]
    fallback: str
    fallback_phone: str | None = None
    trial_until: Instant | None = None
    waits: bool = False
    """Then it goes back to what it was, unless somebody confirms the change: it is no trial."""
    visitor: str = ""
    """Who is let in until then; empty when it is a trial."""
    visitor_from: str = ""
    visitor_to: list[str] = []
    """The machines inside that the visit reaches; empty: all that the opening leads to."""
    visitor_certificate: str = ""
    """SHA-256 of the client certificate that the visit must show; empty: any."""
    traffic: int | None = None
    """How much passed in the last minute, in steps from 0, nothing, to 3, much; None: not known."""
    since: Instant | None = None
    gates_passed: list[str] = []
    gates_missing: list[str] = []
    verified: Instant | None = None
    """When the kernel was last read back and agreed."""
    stage: int = 0
    """Of the plan of reopening, from 1; 0: it is not waited for (a lifeline, or normally closed)."""
    profile: str = ""
    obstacles: list[Phrase] = []
    """What stands against a trial now; empty while the site is not contained."""
    checks: list["CheckStatus"] = []
    partner: str = ""
    """The other side's own condition, while it is not met."""
    answers: list["GateStatus"] = []
    """What people said of its gates, in the gates' order."""


class GateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a person last said of a gate: yes, no, unknown or never-found, with the proof."""

    gate: str
    answer: str
    proof: str
    by: str
    at: Instant


class CheckStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine found of a gate: yes, no or unknown."""

    gate: str
    verdict: str
    detail: Phrase


class CoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of the trusted core (stage 0), and whether it was checked since the attack began."""

    id: str
    name: str
    proven: bool


class OverrideStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A trial without a second approver, and by when one must confirm it."""

    opening: str
    by: str
    due: Instant
    reason: str


class ReopeningStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where the way back stands beside the openings themselves."""

    core: list[CoreStatus] = []
    overrides: list[OverrideStatus] = []


class IncidentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as it stands."""

    id: str
    state: IncidentState
    level: int
    kinds: list[str]
    opened: Instant
    last_seen: Instant
    findings: int
    actors: list[str]
    accounts: list[str]
    assets: list[str]
    summary: Sentence
    story: list[tuple[Instant, Sentence]]
    qualification: Qualification
    persons_touched: int | None = None
    proposals: list["Proposal"] = []
    assigned: str = ""
    """Id of the person who looks after it; empty: nobody in particular."""
    unmasking: "UnmaskingStatus | None" = None
    """That somebody asked who stands behind its masks; None: nobody lately."""

    def nameless(self, called: Mapping[str, str]) -> "IncidentStatus":
        """For those who do not check on things: no name of a person, no address, no count of persons, no detail.

        ``called``: the names that anybody in the house may read, by id and address (`Site.called`).
        """
        return msgspec.structs.replace(
            self,
            persons_touched=None,
            accounts=[],
            actors=[],
            assets=list(dict.fromkeys(called[each] for each in self.assets if each in called)),
            assigned="",
            proposals=[],
            unmasking=None,
            summary=_unnamed(self.summary, called),
            story=[(at, _unnamed(sentence, called)) for at, sentence in self.story],
        )


class UnmaskingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked about the masks of one incident: by whom, for which purpose, and how far it is."""

    by: str
    purpose: str
    asked: Instant
    agreeable_until: Instant
    """Until when a second person may agree."""
    readable_until: Instant | None
    """Until when the names may be read; None: nobody has agreed."""


WITHHELD = "…"
"""Instead of what is not for whoever reads."""

_HARMLESS = frozenset({"count", "actors"})
"""Arguments of an incident's sentences that name nobody and nothing."""


def machine_only(by: str) -> str:
    """The station's own name stays; a person's does not."""
    return by if by == MACHINE else ""


def house_name(target: str, called: Mapping[str, str]) -> str:
    """What a target is called in the house; withheld when it is a stranger's address, or has no name there."""
    return target and called.get(target, WITHHELD)


def _unnamed(sentence: Sentence, called: Mapping[str, str]) -> Sentence:
    """The sentence with the names of the house only; an argument that nobody has thought of is withheld."""

    def told(name: str, value: object) -> object:
        if name in _HARMLESS:
            return value
        if name == "by":
            return machine_only(str(value))
        return ", ".join(dict.fromkeys(house_name(each, called) for each in str(value).split(", ")))

    return Sentence(sentence.key, {name: told(name, value) for name, value in sentence.arguments.items()})


class IncidentFile(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One incident with its case file. What the visitor may not see is not in it."""

    incident: IncidentStatus
    case: CaseFile
    swings: list[Swing]
    """How doors came to stand otherwise since an hour before it began, oldest first."""
    now: Instant
    answers: Answers | None = None
    """What was answered and sent about legal duties; None: not for this visitor."""
    staff: dict[str, str] = {}
    """Who may look after it: account to name. Empty: the visitor may not assign it."""
    may: list[str] = []
    """Kinds of the orders that the visitor may give about it."""


class FileTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """An attached file: bytes that nobody here has looked at."""

    name: str
    sha256: str
    content: bytes


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A measure the policy asks for and a person must approve."""

    id: str
    incident: str
    action: str
    """watch, block, isolate or contain."""
    target: str


class AlertStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as it stands: what asks for a person, whether somebody was reached, whether somebody took it."""

    id: str
    code: str
    state: AlertState
    urgency: Urgency
    about: Sentence
    todo: str
    raised: Instant
    told: list[Delivery]
    owed: int
    """Messages whose time has come and whose outcome is not known yet."""
    taken: Instant | None = None
    taken_by: str = ""


class ClockStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A duty to tell somebody that a person said applies, while it is not fulfilled. For those who check on things."""

    incident: str
    duty: str
    started: Instant
    due: Instant | None
    """None: the law gives no number."""


class MeasureStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A block, an isolation or a barrier as it stands: attributable. ``action``: block, isolate or bar."""

    target: str
    action: str
    since: Instant
    until: Instant | None
    by: str
    reason: str


class TickStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One ward's answer to one question of a rehearsal."""

    ward: str
    question: str
    reply: str
    note: str
    by: str


class CorrectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal showed about an opening, and whether site.toml says so by now."""

    opening: str
    becomes: str
    reason: str
    by: str
    written: bool


class RehearsalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The latest rehearsal. ``locked``: why the station may not contain by itself; None: it may."""

    began: Instant
    until: Instant
    by: str
    ended: Instant | None
    early: bool
    locked: Phrase | None
    ticks: list[TickStatus]
    unanswered: list[tuple[str, str]]
    corrections: list[CorrectionStatus]


class WardStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A ward in this shift: goes-on, troubled or unheard."""

    id: str
    name: str
    phone: str | None
    standing: str
    at: Instant | None = None
    note: str = ""
    by: str = ""


class TroubleStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What staff reported of a service. ``settled`` None: open."""

    id: str
    service: str
    ail: str
    ward: str
    note: str
    by: str
    at: Instant
    settled: Instant | None
    remedy: str


class OutsideStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One action outside the wall. ``number`` counts the actions of its item from 1."""

    item: str
    number: int
    action: str
    phone: str | None
    reply: str
    proof: str = ""
    by: str = ""
    at: Instant | None = None


class HandStepStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One step by hand, beside the path. ``number`` counts the steps of its deed from 1; 0: no longer in the plan."""

    action: str
    target: str
    number: int
    step: str
    """As site.toml words it; empty: what is true everywhere."""
    reply: str
    note: str = ""
    by: str = ""
    at: Instant | None = None
    """When it was said."""
    on: Instant | None = None
    """When it was done, where that was said too."""


class HandworkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What people say they did at the firewall or the switch: the steps of the cut, then blocks and isolations."""

    steps: list[HandStepStatus] = []
    cut: Checked = Checked.UNCHECKED
    """What probes say to the cut by hand. Blocks and isolations are never checked."""
    probes: list[str] = []
    """Names of the probes that say it."""


class PaperStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A pile of paper. ``entered`` None: it waits."""

    id: str
    opening: str
    what: str
    by: str
    at: Instant
    entered: Instant | None


class ProbeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A probe: what was asked, what came, and whether that is as it should be."""

    id: str
    name: str
    opening: str | None
    answered: bool | None
    """None: not asked yet."""
    right: bool | None
    """As it should be: inside, an answer; through a closed door, none. None: nothing can be said."""
    since: Instant | None
    detail: str
    history: list[tuple[Instant, bool]]


class PackStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The downtime pack. ``fresh`` False: too old, or not there."""

    path: str
    written: Instant | None
    sha256: str
    hours: int
    fresh: bool


class CareStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether care goes on."""

    rehearsal: RehearsalStatus | None = None
    locked: Phrase | None = phrase("locked-never")
    """Why the station may not contain by itself; None: it may."""
    wards: list[WardStatus] = []
    troubles: list[TroubleStatus] = []
    outside: list[OutsideStatus] = []
    papers: list[PaperStatus] = []
    probes: list[ProbeStatus] = []
    pack: PackStatus | None = None


class Status(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Everything a page or a terminal shows; read-only, published by the guard at each change."""

    site: str
    """The site's id."""
    now: Instant
    posture: Posture
    since: Instant
    cut_until: Instant | None = None
    """When the cut ends by itself unless somebody confirms it; None: it stays, or nothing is cut."""
    openings: list[OpeningStatus]
    incidents: list[IncidentStatus]
    measures: list[MeasureStatus]
    journal_entries: int
    journal_root: str
    """Hex of the RFC 6962 root over the entries."""
    enforcement_verified: Instant | None
    """When the kernel and the proxy were last read back and agreed."""
    enforcement_fault: str = ""
    """Empty, or what does not agree, in words."""
    alerts: list[AlertStatus] = []
    """What asks for a person first, then what lately did."""
    answer_seconds: list[int] = []
    """From alert to a person acting, of the last alerts that could not wait, the oldest first."""
    day: Day = NOTHING
    """What was counted since the last summary."""
    yesterday: Day | None = None
    news_at: Instant | None = None
    """When the public was told that there will be news."""
    clocks: list[ClockStatus] = []
    """Legal clocks that run, the soonest end first."""
    measures_more: int = 0
    """Blocks that stand besides those listed."""
    placement: Placement = Placement.GATEWAY
    """As an observer the station enforces nothing, and ``enforcement_verified`` is None."""
    by_hand: HandworkStatus = HandworkStatus()
    care: CareStatus = CareStatus()
    reopening: ReopeningStatus = ReopeningStatus()
    unwatched: Instant | None = None
    """Since when watch says nothing, so that an attack would not be seen; None: it speaks."""
    names_refused: NamesRefused | None = None
    """What the resolver refused; None: the site resolves no names, or nothing was refused."""
    rebuilding: tuple[int, int] | None = None
    """How far watch is in reading again what it kept, and of how much; None: it follows the logs, or says nothing."""
    clock_leapt: Instant | None = None
    """Since when, by its own account, the clock is not believed, and nothing is erased by it; None: it is."""
    left_off: dict[str, int] = {}
    """What one frame did not take, by what it is: how many of it (`rempart.station.abridged`). Empty: nothing."""


GroupAnswer = OrderDone | OrderRejected
"""What a box says to whoever cuts the group, and the guard to the group's door."""
ToGroupDoor = GroupAnswer


class GroupCutAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """From a person to each box of a group, over TLS: cut. The door adds the name in the certificate."""

    by: Annotated[str, Meta(min_length=1, max_length=55)]
    reason: Annotated[str, Meta(max_length=400)] = ""


ToOperator = OrderDone | Foreseen | OrderRejected | Status | Why | IncidentFile | FileTold | ToVisitor
