"""An incident: findings that belong to one attack, its state and its qualification (OCSF 2005, NIST SP 800-61)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rempart.detection.finding import Kind, Level
from rempart.instants import Instant


class IncidentState(StrEnum):
    """Where the handling of an incident stands."""

    OPEN = "open"
    CONTAINED = "contained"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A plain sentence as data: a message key and typed arguments.

    Arguments are text, whole numbers or instants; text may be hostile, is capped at 120 characters, and is escaped
    by the edge that shows it.
    """

    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What is thought to have happened. Kept with its history; "unknown" is a valid answer."""

    author: str = "unknown"
    intent: str = "unknown"
    ransom: str = "unknown"
    outcome: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One attack as the station understands it."""

    id: str
    opened: Instant
    last_seen: Instant
    state: IncidentState
    level: Level
    kinds: frozenset[Kind]
    actors: frozenset[str]
    """Addresses outside that took part."""
    accounts: frozenset[str]
    """Accounts known to have been misused: a sign-in succeeded while under attack."""
    assets: frozenset[str]
    """Addresses inside that took part or were reached."""
    findings: int
    hosts: frozenset[str] = frozenset()
    """Names of machines that told what happened on them."""
    story: tuple[tuple[Instant, Sentence], ...] = ()
    """What happened, in order, one sentence a step."""
    qualification: Qualification = Qualification()
    persons_touched: int | None = None
    """Distinct persons whose care files were opened in it; None while not counted."""


def begun(name: str, at: Instant, state: IncidentState, level: Level) -> Incident:
    """An incident of which nothing more is known than that it began."""
    return Incident(
        id=name,
        opened=at,
        last_seen=at,
        state=state,
        level=level,
        kinds=frozenset(),
        actors=frozenset(),
        accounts=frozenset(),
        assets=frozenset(),
        findings=0,
    )
