"""What happened: everything the engine is told, and what it asks for in return.

Inputs are facts of the world with their instant; commands are what to do about them. Doing is elsewhere.
"""

from dataclasses import dataclass

from rempart.accounts.authority import LOCAL, Authority
from rempart.containment.measure import Enforcement
from rempart.detection.finding import Finding
from rempart.engine.facts import (
    AnyFact,
    CredentialsChosen,
    EnvelopeOpened,
    NamesRead,
    PasskeyAdded,
    PasswordChanged,
    SignedIn,
    SignInRefused,
)
from rempart.engine.orders import AnyOrder
from rempart.engine.timekeeping import UNKNOWN, Reckoning
from rempart.instants import Instant
from rempart.phrase import Phrase, advice
from rempart.telling.alert import Delivery
from rempart.telling.message import Message


@dataclass(frozen=True, slots=True)
class Started:
    """The guard is up and has folded its journal."""

    now: Instant


@dataclass(frozen=True, slots=True)
class Awaited:
    """Watch can be heard from now on, and is expected to speak."""

    now: Instant


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed, and what is known of it beside the clock."""

    now: Instant
    reckoning: Reckoning = UNKNOWN


@dataclass(frozen=True, slots=True)
class Found:
    """Watch reports a finding."""

    now: Instant
    finding: Finding


@dataclass(frozen=True, slots=True)
class Ordered:
    """A person gives an order. Who it is was proved as ``authority`` says; whether they may is decided here."""

    now: Instant
    order: AnyOrder
    authority: Authority = LOCAL


@dataclass(frozen=True, slots=True)
class Declined:
    """The guard did not believe who gave an order."""

    now: Instant
    order: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Somebody signed in, could not, chose what they sign in with, or read names: sealed; nothing else follows."""

    now: Instant
    fact: (
        CredentialsChosen
        | PasskeyAdded
        | PasswordChanged
        | SignedIn
        | SignInRefused
        | EnvelopeOpened
        | NamesRead
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Watch counted the persons whose files an incident's machines opened."""

    now: Instant
    incident: str
    persons: int
    records: int


@dataclass(frozen=True, slots=True)
class Repaired:
    """The world did not hold what was wanted; ``repaired`` says whether it does now."""

    now: Instant
    what: str
    repaired: bool
    lasts: bool = False
    """It was never found to hold for so long that somebody must know."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """A tightening was applied before its facts could be sealed; they are sealed now."""

    now: Instant
    what: tuple[str, ...]
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sender handed a message over, or gave it up."""

    now: Instant
    delivery: Delivery
    alert: str


@dataclass(frozen=True, slots=True)
class Replied:
    """Somebody who is told answered with a code, from the telephone that was told."""

    now: Instant
    role: str
    code: str


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe was answered, or was not, when it was ``asked``, which may be long before it is heard of."""

    now: Instant
    probe: str
    answered: bool
    detail: str
    asked: Instant


@dataclass(frozen=True, slots=True)
class PackRead:
    """The downtime pack was looked at. ``sha256`` empty: there is no file."""

    now: Instant
    sha256: str
    written: Instant


@dataclass(frozen=True, slots=True)
class Listened:
    """Watch says which logs are silent: all of them, each time."""

    now: Instant
    silent: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """Watch has started and reads again what it kept, so many bunches of lines of so many, before it detects."""

    now: Instant
    done: int
    total: int


AnyInput = (
    Started
    | Awaited
    | Ticked
    | Found
    | Ordered
    | Declined
    | Witnessed
    | Counted
    | Repaired
    | Delayed
    | Delivered
    | Replied
    | Probed
    | PackRead
    | Listened
    | Rebuilding
)


@dataclass(frozen=True, slots=True)
class Seal:
    """Write these facts to the journal.

    ``urgent``: nothing is loosened by them; what follows may be done before, if sealing takes too long.
    """

    facts: tuple[AnyFact, ...]
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Enforce:
    """Bring the kernel and the proxy to this."""

    wanted: Enforcement


@dataclass(frozen=True, slots=True)
class Count:
    """Ask watch how many persons' files these machines opened."""

    incident: str
    addresses: tuple[str, ...]
    accounts: tuple[str, ...]
    since: Instant


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell whoever gave the order that it is refused: why, and what can be done instead."""

    said: Phrase

    @property
    def what(self) -> str:
        """Why, in English."""
        return self.said.text

    @property
    def now(self) -> str:
        """What can be done instead, in English."""
        return advice(self.said)


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Tick again at this instant."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell these people. The sender knows what it has sent: it may be asked twice."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase the bytes of these attached files. May be asked twice; what a fault leaves is erased at the next start."""

    sha256s: tuple[str, ...]


Command = Seal | Enforce | Count | Refuse | WakeAt | Notify | Erase
