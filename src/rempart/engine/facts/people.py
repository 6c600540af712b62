"""Facts about people: who has an account, and with which roles."""

from rempart.accounts.person import Role
from rempart.engine.facts.fact import Fact


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


PeopleFact = PersonEnrolled | RolesSet | PersonDisabled | PersonEnabled
