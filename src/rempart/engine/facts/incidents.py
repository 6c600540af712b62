"""Facts about incidents: findings that join them, how they are merged, split, qualified, proposed for, and closed."""

from msgspec import field

from rempart.detection.finding import Kind, Level, Outcome
from rempart.engine.facts.fact import MACHINE, Fact


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
    hosts: list[str] = field(default_factory=list)


class IncidentsMerged(Fact, frozen=True, tag=True, kw_only=True):
    """Two incidents turned out to be one attack."""

    into: str
    merged: str
    by: str = MACHINE
    reason: str = ""


class IncidentSplit(Fact, frozen=True, tag=True, kw_only=True):
    """These findings were no part of an incident: they are one of their own, ``into``."""

    incident: str
    into: str
    findings: list[str]
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


class PersonsTouched(Fact, frozen=True, tag=True, kw_only=True):
    """How many distinct persons' care files the incident's machines opened, from the accesses seen."""

    incident: str
    persons: int
    records: int


class QuietReturned(Fact, frozen=True, tag=True, kw_only=True):
    """Nothing more was seen of these incidents for a day: they are closed."""

    incidents: list[str]


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


IncidentFact = (
    FindingJoined
    | IncidentsMerged
    | IncidentSplit
    | IncidentQualified
    | PersonsTouched
    | QuietReturned
    | MeasureProposed
    | ProposalSettled
)
