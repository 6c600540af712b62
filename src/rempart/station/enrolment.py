"""Enrolment: one-time links, what people choose to sign in with, and what orders about accounts do to the keychain."""

import secrets
from collections.abc import Iterable

from rempart.accounts.conversation import (
    SHORTEST_PASSWORD,
    CredentialsKept,
    LinkGood,
    LinkOpened,
    LinkUsed,
    People,
    PersonShown,
    SessionShown,
    Turned,
    Why,
)
from rempart.accounts.credential import (
    Envelope,
    How,
    Kept,
    Link,
    Passkey,
    Password,
    RecoveryCode,
    Session,
    Totp,
)
from rempart.accounts.pace import place
from rempart.accounts.person import Person, Role
from rempart.accounts.secret import CODE_BYTES, ENVELOPE_BYTES, SECRET_BYTES, code, digest, token
from rempart.accounts.session import lives
from rempart.adapters import credentials
from rempart.adapters.credentials import PasskeyRefused
from rempart.engine import facts, orders
from rempart.engine.inputs import Witnessed
from rempart.engine.orders import AnyOrder
from rempart.errors import RempartError
from rempart.instants import Duration, after, hours
from rempart.station.authentication import Authentication

LINK_LASTS: Duration = hours(48)
"""How long a one-time link is good."""

RECOVERY_CODES = 10

_SEES_ALL = frozenset({Role.TECHNICIAN, Role.PRIVACY_OFFICER})


class Enrolment:
    """How people come to have what they sign in with, and how it is taken from them."""

    def __init__(self, authentication: Authentication) -> None:
        self._who = authentication
        self._keychain = authentication.keychain

    # -- one-time links ------------------------------------------------------------------------------------------

    def open_link(self, asked: LinkOpened) -> LinkGood | Turned:
        """What the person of this link needs to choose. Opening it uses nothing up: scanners of mail open links too."""
        link, person = self._link(asked.link)
        if link is None or person is None:
            return Turned(why=Why.LINK)
        secret, chance = credentials.totp_secret(), secrets.token_bytes(SECRET_BYTES)
        return LinkGood(
            person=person.id,
            name=person.name,
            handle=self._who.keep_question(chance, link.digest, extra=secret),
            options=credentials.registration(self._who.party, person.id, person.name, chance),
            totp=secret,
            totp_address=credentials.totp_address(secret, person.id, self._who.party.name),
        )

    async def use_link(self, asked: LinkUsed) -> CredentialsKept | Turned:
        """Keep what they chose, instead of everything they had. The link is then used up.

        Raises `RempartError` when the disk refuses: nothing is changed then.
        """
        link, person = self._link(asked.link)
        if link is None or person is None:
            return Turned(why=Why.LINK)
        if len(asked.password) < SHORTEST_PASSWORD or person.id in asked.password.lower():
            return Turned(why=Why.PASSWORD)
        question = self._who.take_question(asked.handle, link.digest)
        now = self._who.clock.now()
        totp = Totp(person=person.id, secret=question.extra if question else "")
        step = credentials.totp_step(totp, asked.code, now) if question else None
        if question is None or step is None:
            return Turned(why=Why.CODE)
        try:
            passkeys = [self._made(person, question.chance, asked)] if asked.passkey else []
        except PasskeyRefused:
            return Turned(why=Why.PASSKEY)
        self._keychain.change_now((), [link])  # used up before anything takes time: a link is good once
        printed = [code(secrets.token_bytes(CODE_BYTES)).text for _ in range(RECOVERY_CODES)]
        fresh: list[Kept] = [
            Password(person=person.id, hash=await self._who.passwords.made(asked.password)),
            Totp(person=person.id, secret=totp.secret, used=step),
            *(RecoveryCode(person=person.id, digest=digest(each)) for each in printed),
            *passkeys,
        ]
        try:
            await self._keychain.change(fresh, self._keychain.of(person.id))
        except RempartError:
            self._keychain.change_now([link])
            raise
        named = digest(passkeys[0].public_key) if passkeys else ""
        chosen = facts.CredentialsChosen(at=now, person=person.id, passkey=named, where=place(asked.where))
        await self._who.told(Witnessed(now, chosen))
        return CredentialsKept(person=person.id, recovery=printed, passkey=bool(passkeys))

    def _made(self, person: Person, chance: bytes, asked: LinkUsed) -> Passkey:
        label, now = asked.label.strip() or "passkey", self._who.clock.now()
        party = self._who.party
        return credentials.registered(party, person.id, chance, asked.passkey, label=label[:60], now=now)

    def _link(self, secret: str) -> tuple[Link | None, Person | None]:
        link = self._keychain.find(Link, digest(secret))
        if link is None or self._who.clock.now() >= link.ends:
            return None, None
        person = self._who.people().get(link.person)
        return (link, person) if person and person.enabled else (None, None)

    # -- what orders do ------------------------------------------------------------------------------------------

    async def carry_out(self, order: AnyOrder) -> str:
        """What a sealed order about accounts does here; the secret it makes, told once. Raises `RempartError`."""
        match order:
            case orders.EnrolPerson(person=person) | orders.IssueLink(person=person):
                return await self._new_link(person)
            case orders.DisablePerson(person=person):
                self._keychain.change_now((), self._sessions(person))
            case orders.EndSessions(person=person, session=session):
                self._keychain.change_now((), self._sessions(person, session))
            case orders.IssueToken():
                return await self._new_token(order)
            case orders.SealEnvelope():
                printed = code(secrets.token_bytes(ENVELOPE_BYTES)).text
                fresh = Envelope(digest=digest(printed), made=self._who.clock.now())
                await self._keychain.change([fresh], self._keychain.all(Envelope))
                return printed
            case _:
                pass
        return ""

    async def _new_link(self, person: str) -> str:
        secret = token(secrets.token_bytes(SECRET_BYTES)).text
        link = Link(person=person, digest=digest(secret), ends=after(self._who.clock.now(), LINK_LASTS))
        earlier = [each for each in self._keychain.all(Link) if each.person == person]
        await self._keychain.change([link], earlier)
        return secret

    async def _new_token(self, order: orders.IssueToken) -> str:
        secret, now = token(secrets.token_bytes(SECRET_BYTES)).text, self._who.clock.now()
        session = Session(
            person=order.by,
            digest=digest(secret),
            how=How.TOKEN,
            made=now,
            seen=now,
            ends=after(now, hours(24 * order.days)),
            where="",
            label=order.label,
            scopes=frozenset(order.scopes),
        )
        await self._keychain.change([session])
        return secret

    def _sessions(self, person: str, named: str = "") -> list[Session]:
        every = self._keychain.all(Session)
        return [s for s in every if s.person == person and (not named or s.id == named)]

    # -- who there is --------------------------------------------------------------------------------------------

    def people(self, session: Session | None) -> People:
        """Accounts and sessions; for others than those who look after them, their own. None: the box itself asks."""
        now = self._who.clock.now()
        known = self._who.people()
        roles = known[session.person].roles if session and session.person in known else frozenset()
        all_of_them = session is None or bool(roles & _SEES_ALL)
        shown = [p for p in known.values() if all_of_them or (session and p.id == session.person)]
        sessions = [
            s
            for s in self._keychain.all(Session)
            if lives(s, now) and (all_of_them or (session and s.person == session.person))
        ]
        envelopes = self._keychain.all(Envelope)
        return People(
            people=[self._shown(person) for person in sorted(shown, key=lambda each: each.id)],
            sessions=[_session(each) for each in _latest_first(sessions)],
            envelope=envelopes[0].made if envelopes else None,
        )

    def _shown(self, person: Person) -> PersonShown:
        has = self._keychain.of(person.id)
        return PersonShown(
            id=person.id,
            name=person.name,
            roles=sorted(person.roles),
            enabled=person.enabled,
            enrolled=person.enrolled,
            passkeys=[each.label for each in has if isinstance(each, Passkey)],
            ready=any(isinstance(each, Password) for each in has),
            recovery_left=sum(isinstance(each, RecoveryCode) for each in has),
        )


def _latest_first(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda session: session.seen, reverse=True)


def _session(session: Session) -> SessionShown:
    return SessionShown(
        id=session.id,
        person=session.person,
        how=session.how,
        made=session.made,
        seen=session.seen,
        ends=session.ends,
        where=session.where,
        label=session.label,
        scopes=None if session.scopes is None else sorted(session.scopes),
    )
