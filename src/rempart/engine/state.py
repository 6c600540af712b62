"""The state of the station: everything it has decided, and what the kernel should hold of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import structs

from rempart.accounts.person import Person
from rempart.care.ledger import Ledger
from rempart.care.rehearsal import Rehearsal
from rempart.containment.measure import Enforcement, Stand
from rempart.duties.ledger import DutyLedger
from rempart.engine.handwork import Handwork
from rempart.engine.listening import Listening
from rempart.engine.orders import GateAnswer
from rempart.engine.retention import Kept
from rempart.engine.taming import Taming
from rempart.engine.timekeeping import Timekeeping
from rempart.engine.unmasking import Unmasking
from rempart.incidents.casefile import CaseFile
from rempart.incidents.incident import Incident
from rempart.instants import Duration, Instant, hours
from rempart.reopening.dossier import Dossier
from rempart.site.opening import OpeningState
from rempart.site.placement import Placement
from rempart.site.site import Site
from rempart.telling.alert import Alert
from rempart.telling.digest import NOTHING, Day

_V = TypeVar("_V")

NEVER = Instant(0)
"""Before anything was decided."""

BUDGETED = hours(1)
"""How long what the station did by itself counts against its budget."""


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


class State(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything the station has decided; `engine.changed` makes the next one.

    ``tallies`` counts merged findings and is not part of the evidence.
    """

    site: str
    posture: Posture = Posture.NORMAL
    since: Instant = NEVER
    kept: Kept
    """Attached files and what keeps their bytes. Without a default: a snapshot from before it is left aside."""
    placement: Placement
    """Where the station stood: beside the path a state holds no measures (`fold.fitted`). Without a default too."""
    doors: Mapping[str, Door] = msgspec.field(default_factory=dict)
    contained_for: frozenset[str] = frozenset()
    """Incidents the site is contained for; empty when it is not."""
    contained: bool = False
    contained_until: Instant | None = None
    """When the cut falls back unless somebody confirms it."""
    blocked: Mapping[str, Measure] = msgspec.field(default_factory=dict)
    """There may be 100,000 of them (`engine.persistent`)."""
    isolated: Mapping[str, Measure] = msgspec.field(default_factory=dict)
    barred: Mapping[str, Measure] = msgspec.field(default_factory=dict)
    warned: frozenset[tuple[str, str, Instant, int]] = frozenset()
    """Deadlines that were announced: of what, of which target, when, and how many hours before."""
    gates: Mapping[str, Mapping[str, Answer]] = msgspec.field(default_factory=dict)
    incidents: Mapping[str, Incident] = msgspec.field(default_factory=dict)
    proposals: Mapping[str, Proposed] = msgspec.field(default_factory=dict)
    settled: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Proposals that were approved, with their incidents: not made again while these are kept in mind."""
    known: Mapping[str, None] = msgspec.field(default_factory=dict)
    """Ids of findings that were sealed, oldest first; bounded (`fold.incidents.KNOWN`)."""
    automatic: tuple[tuple[Instant, str], ...] = ()
    """When the station acted by itself within an hour before the last time it did, and on what."""
    reopened: tuple[str, ...] = ()
    """Openings in the order in which they were reopened since the last cut."""
    unmaskings: Mapping[str, Unmasking] = msgspec.field(default_factory=dict)
    """Incidents whose masks somebody asked, or was allowed, to look behind."""
    people: Mapping[str, Person] = msgspec.field(default_factory=dict)
    """Whoever has an account, by id."""
    dossier: Dossier = msgspec.field(default_factory=Dossier)
    """What people decided and proved about reopening, beside the gates."""
    cut_since: Instant = NEVER
    """When the site was cut, if it is; a repeated order does not change it."""
    care: Ledger = msgspec.field(default_factory=Ledger)
    by_hand: Handwork = msgspec.field(default_factory=dict)
    """What people say they did at the firewall or the switch; nothing where the station stands in the path."""
    listening: Listening = msgspec.field(default_factory=Listening)
    """Logs that are silent."""
    timekeeping: Timekeeping = msgspec.field(default_factory=Timekeeping)
    """Whether the clock is believed."""
    cases: Mapping[str, CaseFile] = msgspec.field(default_factory=dict)
    """The case files of the incidents that are kept in mind, by the incident's id."""
    duties: DutyLedger = msgspec.field(default_factory=DutyLedger)
    """What was answered and sent about legal duties."""
    swings: tuple[Swing, ...] = ()
    """How doors came to stand otherwise, oldest first; bounded (`fold.fold.SWINGS`)."""
    news_at: Instant | None = None
    """When the public was told that there will be news."""
    taming: Taming = msgspec.field(default_factory=Taming)
    """Exceptions that people made by an order."""
    tallies: Mapping[str, int] = msgspec.field(default_factory=dict)
    alerts: Mapping[str, Alert] = msgspec.field(default_factory=dict)
    """What asks, or asked, for a person; bounded (`fold.alerts.ALERTS`)."""
    answers: tuple[Duration, ...] = ()
    """From alert to a person acting, of the last alerts that could not wait."""
    day: Day = NOTHING
    """What was counted since the last summary."""
    yesterday: Day | None = None
    """The last summary."""
    day_ended: Instant = NEVER
    wrong_codes: tuple[Instant, ...] = ()
    """When wrong codes came by text message; not part of the evidence."""
    last_beacon: Instant = NEVER
    """When a machine inside last called a commander; repeats are not sealed, so not part of the evidence."""
    asked_of: frozenset[str] = frozenset()
    """Ids of messages that the sender was asked for; not part of the evidence."""

    def __eq__(self, other: object) -> bool:
        """Whether the journal says the same of both."""
        return isinstance(other, State) and self._evidence() == other._evidence()

    __hash__ = None  # type: ignore[assignment]  # equal states may differ in what is no evidence

    def _evidence(self) -> dict[str, object]:
        return {name: said for name, said in structs.asdict(self).items() if name not in _NO_EVIDENCE}


_NO_EVIDENCE = frozenset({"tallies", "wrong_codes", "last_beacon", "asked_of"})
"""Fields that no fact of the journal is behind."""


def initial(site: Site) -> State:
    """The state before the first fact: every opening as it normally is."""
    doors = {o.id: Door(stand=Stand(state=o.normally), since=NEVER) for o in site.openings}
    return State(site=site.id, placement=site.placement, doors=doors, kept={})


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


def rehearsing(state: State) -> Rehearsal | None:
    """The rehearsal whose cut stands now."""
    return state.care.rehearsal if state.care.rehearsal and state.care.rehearsal.running else None


def is_rehearsed(state: State, opening: str) -> bool:
    """Whether a door is shut by the rehearsal and will open again by itself."""
    rehearsal, door = rehearsing(state), state.doors.get(opening)
    return rehearsal is not None and door is not None and door.stand.until == rehearsal.until


def standing(state: State, opening: str) -> Stand:
    """How a door stands; one that the site no longer has is closed."""
    door = state.doors.get(opening)
    return door.stand if door else Stand(state=OpeningState.CLOSED)


def without(mapping: Mapping[str, _V], key: str) -> dict[str, _V]:
    """A mapping less one name."""
    return {name: value for name, value in mapping.items() if name != key}
