"""A person with an account, and the roles that say what they may ask for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from rempart.instants import Instant

PERSON_ID = r"^[a-z0-9][a-z0-9.-]{1,39}$"

PersonId = Annotated[str, Meta(pattern=PERSON_ID, max_length=40)]
"""How a person is named in the journal: ``anne.dupont``."""

FullName = Annotated[str, Meta(min_length=1, max_length=120)]

ENVELOPE = "envelope"
"""Whoever opened the sealed envelope; nobody can be enrolled by this name."""


class Role(StrEnum):
    """What a person is at the institution. A person may have several."""

    DUTY = "duty"
    """Answers at night: sees how things are, cuts, asks for help."""
    TECHNICIAN = "technician"
    """Installs, tunes, reopens, looks after accounts."""
    PRIVACY_OFFICER = "privacy-officer"
    """Looks after personal data (GDPR art. 37 to 39): incidents' qualification, names of workers."""
    APPROVER = "approver"
    """The second person: director, or whoever answers for the institution."""
    OBSERVER = "observer"
    """Looks only."""
    REGION = "region"
    """The region's team: looks and advises; it never commands."""


STAFF = frozenset({Role.DUTY, Role.TECHNICIAN, Role.APPROVER, Role.PRIVACY_OFFICER})
"""Roles that answer for the house: they cut, and say how care goes. The others look only."""

INFORMED = frozenset({Role.TECHNICIAN, Role.APPROVER, Role.PRIVACY_OFFICER})
"""Roles that see names, counts of persons, addresses and technical detail."""

VOUCHING = frozenset({Role.APPROVER, Role.PRIVACY_OFFICER})
"""Roles that check on a technician. Who is to check somebody must not be made by that somebody in a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account, as the journal tells. What they prove it by is elsewhere and never in the journal."""

    id: str
    name: str
    roles: frozenset[Role]
    enrolled: Instant
    enabled: bool = True
