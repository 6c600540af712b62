"""Who has an account: what the orders about accounts become, and the fold that remembers them.

What people prove themselves by is not here: the guard keeps it apart from the journal (`rempart.accounts`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rempart.accounts.person import ENVELOPE, Person, Role
from rempart.engine import facts, orders
from rempart.engine.facts import MACHINE, AnyFact
from rempart.errors import OrderRefused, require
from rempart.instants import Instant, after, hours

People = Mapping[str, Person]

AboutPeople = (
    orders.EnrolPerson
    | orders.SetRoles
    | orders.DisablePerson
    | orders.EnablePerson
    | orders.IssueLink
    | orders.EndSessions
    | orders.IssueToken
    | orders.AddPasskey
    | orders.RemovePasskey
    | orders.SealEnvelope
)

_RESERVED = frozenset({MACHINE, ENVELOPE, "root"})

MOST = 500
"""Accounts at one site."""


def decide(people: People, order: AboutPeople, now: Instant) -> tuple[AnyFact, ...]:
    """The facts that an order about accounts makes; none when it would change nothing. Raises `OrderRefused`."""
    by, reason = order.by, order.reason
    match order:
        case orders.EnrolPerson(person=person, name=name, roles=roles):
            _free(people, person)
            return (facts.PersonEnrolled(at=now, person=person, name=name, roles=_listed(roles), by=by),)
        case orders.SetRoles(person=person, roles=roles):
            _other(order.by, person, "own-roles")
            if _known(people, person).roles == frozenset(roles):
                return ()
            return (facts.RolesSet(at=now, person=person, roles=_listed(roles), by=by),)
        case orders.DisablePerson(person=person):
            _other(order.by, person, "own-account")
            if not _known(people, person).enabled:
                return ()
            return (facts.PersonDisabled(at=now, person=person, by=by, reason=reason),)
        case orders.EnablePerson(person=person):
            if _known(people, person).enabled:
                return ()
            return (facts.PersonEnabled(at=now, person=person, by=by, reason=reason),)
        case orders.IssueLink(person=person):
            if not _known(people, person).enabled:
                raise OrderRefused("account-disabled", person=person)
            return (facts.LinkIssued(at=now, person=person, by=by),)
        case orders.EndSessions(person=person, session=session):
            if person != ENVELOPE:
                _known(people, person)
            return (facts.SessionsEnded(at=now, person=person, session=session, by=by),)
        case orders.IssueToken(label=label, scopes=scopes, days=days):
            _known(people, by)
            until = after(now, hours(24 * days))
            return (
                facts.TokenIssued(at=now, person=by, label=label, scopes=sorted(set(scopes)), until=until),
            )
        case orders.AddPasskey():
            _known(people, by)
            return (facts.PasskeyAllowed(at=now, person=by),)
        case orders.RemovePasskey(passkey=passkey):
            _known(people, by)
            return (facts.PasskeyRemoved(at=now, person=by, passkey=passkey),)
        case orders.SealEnvelope():
            return (facts.EnvelopeSealed(at=now, by=by),)


def after_it(people: People, fact: facts.PeopleFact) -> dict[str, Person]:
    """The people after one fact about them. Total: somebody whose first fact was erased is not there."""
    if isinstance(fact, facts.PersonEnrolled):
        roles = frozenset(fact.roles)
        person = Person(id=fact.person, name=fact.name, roles=roles, enrolled=fact.at)
        return {**people, fact.person: person}
    known = people.get(fact.person)
    if known is None:
        return dict(people)
    match fact:
        case facts.RolesSet():
            known = replace(known, roles=frozenset(fact.roles))
        case facts.PersonDisabled():
            known = replace(known, enabled=False)
        case facts.PersonEnabled():
            known = replace(known, enabled=True)
    return {**people, fact.person: known}


def _listed(roles: Iterable[Role]) -> list[Role]:
    return sorted(set(roles))


def _free(people: People, person: str) -> None:
    if person in _RESERVED:
        raise OrderRefused("reserved-name", person=person)
    if person in people:
        raise OrderRefused("account-exists", person=person)
    if len(people) >= MOST:
        raise OrderRefused("many-accounts", count=MOST)


def _known(people: People, person: str) -> Person:
    try:
        return people[person]
    except KeyError:
        raise OrderRefused("no-account", person=person) from None


def _other(by: str, person: str, why: str) -> None:
    require(by != person, why)
