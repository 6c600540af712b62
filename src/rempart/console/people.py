"""The page of accounts: whoever looks after them sees all, others see themselves and where they are signed in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.conversation import People, PersonShown, SessionShown, Visitor
from rempart.accounts.person import VOUCHING, Role
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, as a row."""

    id: str
    name: str
    roles: tuple[str, ...]
    held: frozenset[str]
    enabled: bool
    state: str
    changeable: bool
    """Whether a technician may change it in a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """One session, as a row."""

    id: str
    person: str
    how: str
    where: str
    seen: str
    ends: str
    this: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """Accounts and sessions."""

    me: Annotated[str, "The account that looks."]
    own: Annotated[str, "What the page of the looker's own account is called."]
    csrf: Annotated[str, "The session's form token."]
    accounts: Annotated[tuple[Account, ...], "Accounts, by id."]
    sessions: Annotated[tuple[SignedIn, ...], "Who is signed in, the last used first."]
    roles: Annotated[tuple[tuple[str, str], ...], "Roles that can be given here, each with its word."]
    technician: Annotated[bool, "Whether the one who looks may change accounts."]
    envelope: Annotated[str, "Since when a sealed envelope is good, in words."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


def people_page(people: People, visitor: Visitor, words: Words, now: Instant, csrf: str) -> PeoplePage:
    """The page, as the guard tells it to this visitor."""
    technician = _looks_after(visitor)
    envelope = moment(people.envelope, now, words) if people.envelope else ""
    return PeoplePage(
        me=visitor.person,
        own=words.say("me.title"),
        csrf=csrf,
        accounts=tuple(_account(each, visitor, words) for each in people.people),
        sessions=tuple(_session(each, visitor, words, now) for each in people.sessions),
        roles=tuple((role.value, words.say(f"role.{role.value}")) for role in Role if role not in VOUCHING),
        technician=technician,
        envelope=words.say("account.envelope-since", when=envelope)
        if envelope
        else words.say("account.envelope-none"),
        labels=words.under("label"),
        texts=words.under("account"),
    )


def _looks_after(visitor: Visitor) -> bool:
    """Whether the guard takes orders about others' accounts from them."""
    return bool(takers(orders.DisablePerson) & set(visitor.roles))


def _account(person: PersonShown, visitor: Visitor, words: Words) -> Account:
    state = "ready" if person.ready else "waiting"
    return Account(
        id=person.id,
        name=plain(person.name),
        roles=tuple(words.say(f"role.{role.value}") for role in person.roles),
        held=frozenset(role.value for role in person.roles),
        enabled=person.enabled,
        state=words.say(
            f"account.{state if person.enabled else 'disabled'}",
            passkeys=len(person.passkeys),
            recovery=person.recovery_left,
        ),
        changeable=_looks_after(visitor) and person.id != visitor.person and not VOUCHING & set(person.roles),
    )


def _session(session: SessionShown, visitor: Visitor, words: Words, now: Instant) -> SignedIn:
    return SignedIn(
        id=session.id,
        person=session.person,
        how=words.say(f"how.{session.how.value}"),
        where=plain(session.label or session.where),
        seen=moment(session.seen, now, words),
        ends=moment(session.ends, now, words),
        this=session.id == visitor.session,
    )
