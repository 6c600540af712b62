"""Watch and guard: findings, counts and silent logs in; what is accepted, asked and excepted out."""

from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.detection.finding import Finding
from rempart.detection.trait import Trait
from rempart.instants import Instant


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
    """Its last day, in Belgium, as 2027-01-31."""


class ExceptionsStand(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """All exceptions made by an order that hold. Sent at first and at each change."""

    exceptions: list[ExceptionStand]


ToWatch = FindingsAccepted | CountPersons | ExceptionsStand
