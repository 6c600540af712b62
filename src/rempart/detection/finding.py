"""A finding: a rule matched these events, with this severity (OCSF 2004 Detection Finding)."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant


class Level(IntEnum):
    """Sigma's levels, comparable."""

    INFORMATIONAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Kind(StrEnum):
    """What a finding usually means; the policy speaks of these, never of single rules."""

    SCAN = "scan"  # looking for doors
    PROBE = "probe"  # trying known holes on a published service
    GUESSING = "guessing"  # trying passwords
    SIGN_IN = "sign-in"  # somebody got in; news only if it concerns an incident
    INTRUSION = "intrusion"  # code ran, or a door was opened, that should not
    COMMAND = "command"  # a machine inside obeys somebody outside (beaconing)
    EXFILTRATION = "exfiltration"  # much more than usual goes out
    RECORDS = "records"  # care files opened by the hundred
    DEVICE = "device"  # something new on the network
    OTHER = "other"


class Outcome(StrEnum):
    """What the event itself shows about success."""

    ATTEMPT = "attempt"
    BLOCKED = "blocked"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Proof:
    """One field and its value that made the rule fire. Hostile text, capped at 200 characters."""

    field: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule matched.

    ``id`` is deterministic: the same events and rules give the same ids on any run, so a restarted watch changes
    nothing and the guard can drop what it knows.
    """

    id: str
    rule: str
    title: str
    level: Level
    kind: Kind
    outcome: Outcome
    time: Instant
    source: str
    record: int
    spoofable: bool
    """True when one forged packet or line could have caused it; never a ground for an automatic measure."""
    observables: tuple[Observable, ...] = ()
    proofs: tuple[Proof, ...] = ()
    tags: tuple[str, ...] = ()
    """ATT&CK tags as Sigma writes them, e.g. ``attack.t1110``."""
    author: str = ""
    count: int = 1
    """How many events stand behind it."""

    def those(self, role: Role, kind: ObservableKind) -> tuple[str, ...]:
        """The values of the observables with that role and kind."""
        return tuple(o.value for o in self.observables if o.role is role and o.kind is kind)
