"""Enrolment: one-time links, what people choose to sign in with, and what orders about accounts do to the keychain."""

import secrets
from collections.abc import Iterable

from rempart.accounts.conversation import (
    CredentialsKept,
    LinkGood,
    LinkOpened,
    LinkUsed,
    PasskeyKept,
    PasskeyLinkOpened,
    PasskeyMade,
    PasskeyShown,
    PasswordChange,
    PasswordKept,
    People,
    PersonShown,
    Registration,
    SessionShown,
    Turned,
    Why,
    is_fit,
)
from rempart.accounts.credential import (
    Device,
    Envelope,
    How,
    Kept,
    Link,
    Passkey,
    PasskeyLink,
    Password,
    RecoveryCode,
    Session,
    Totp,
)
from rempart.accounts.pace import place
from rempart.accounts.person import Person
from rempart.accounts.secret import CODE_BYTES, ENVELOPE_BYTES, SECRET_BYTES, code, digest, token
from rempart.accounts.session import lives
from rempart.adapters import credentials
from rempart.adapters.credentials import PasskeyRefused
from rempart.engine import facts, orders
from rempart.engine.inputs import Witnessed
from rempart.engine.orders import AnyOrder
from rempart.engine.rights import OVERSEERS
from rempart.errors import OrderRefused, RempartError
from rempart.instants import Duration, after, hours, minutes
from rempart.station.authentication import Authentication

LINK_LASTS: Duration = hours(48)
"""How long a one-time link is good."""

PASSKEY_LINK_LASTS: Duration = minutes(15)
"""How long the link for one more passkey is good: time to fetch the other device."""

MOST_PASSKEYS = 8
"""Passkeys of one person."""

RECOVERY_CODES = 10


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
        if not is_fit(asked.password, person.id):
            return Turned(why=Why.PASSWORD)
        question = self._who.take_question(asked.handle, link.digest)
        now = self._who.clock.now()
        totp = Totp(person=person.id, secret=question.extra if question else "")
        step = credentials.totp_step(totp, asked.code, now) if question else None
        if question is None or step is None:
            return Turned(why=Why.CODE)
        try:
            passkeys = (
                [self._made(person, question.chance, asked.passkey, asked.label)] if asked.passkey else []
            )
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
        named = _named(passkeys[0]) if passkeys else ""
        chosen = facts.CredentialsChosen(at=now, person=person.id, passkey=named, where=place(asked.where))
        await self._who.told(Witnessed(now, chosen))
        return CredentialsKept(person=person.id, recovery=printed, passkey=bool(passkeys))

    def _made(self, person: Person, chance: bytes, answer: str, label: str) -> Passkey:
        label, now = label.strip() or "passkey", self._who.clock.now()
        party = self._who.party
        return credentials.registered(party, person.id, chance, answer, label=label[:60], now=now)

    def _link(self, secret: str) -> tuple[Link, Person] | tuple[None, None]:
        link = self._keychain.find(Link, digest(secret))
        person = self._of_link(link)
        return (link, person) if link and person else (None, None)

    def _of_link(self, link: Link | PasskeyLink | None) -> Person | None:
        if link is None or self._who.clock.now() >= link.ends:
            return None
        person = self._who.people().get(link.person)
        return person if person and person.enabled else None

    # -- one more passkey, another password ----------------------------------------------------------------------

    def open_passkey_link(self, asked: PasskeyLinkOpened) -> Registration | Turned:
        """What the device needs to make a passkey for the person of this link."""
        link = self._keychain.find(PasskeyLink, digest(asked.link))
        person = self._of_link(link)
        if link is None or person is None:
            return Turned(why=Why.LINK)
        chance, held = secrets.token_bytes(SECRET_BYTES), self._who.passkeys(person.id)
        return Registration(
            person=person.id,
            name=person.name,
            handle=self._who.keep_question(chance, link.digest),
            options=credentials.registration(self._who.party, person.id, person.name, chance, held),
        )

    async def add_passkey(self, asked: PasskeyMade) -> PasskeyKept | Turned:
        """Keep the passkey that was made, beside those there are. The link is then used up.

        Raises `RempartError` when the disk refuses: nothing is changed then.
        """
        link = self._keychain.find(PasskeyLink, digest(asked.link))
        person = self._of_link(link)
        if link is None or person is None:
            return Turned(why=Why.LINK)
        question = self._who.take_question(asked.answer.handle, link.digest)
        try:
            if question is None:
                raise PasskeyRefused("the question is not open")
            passkey = self._made(person, question.chance, asked.answer.response, asked.label)
            if self._keychain.find(Passkey, passkey.id):
                raise PasskeyRefused("it is somebody's already")
        except PasskeyRefused:
            return Turned(why=Why.PASSKEY)
        self._keychain.change_now((), [link])  # used up before anything takes time: a link is good once
        try:
            await self._keychain.change([passkey])
        except RempartError:
            self._keychain.change_now([link])
            raise
        now, where = self._who.clock.now(), place(asked.where)
        added = facts.PasskeyAdded(at=now, person=person.id, passkey=_named(passkey), where=where)
        await self._who.told(Witnessed(now, added))
        return PasskeyKept(person=person.id)

    async def change_password(self, asked: PasswordChange) -> PasswordKept | Turned:
        """Another password for whoever is signed in and knows the present one and a code. Other browsers end.

        Raises `RempartError` when the disk refuses: the present one then holds.
        """
        session = self._who.session(asked.session)
        if session is None or session.scopes is not None:
            return Turned(why=Why.ENDED)
        person = session.person
        if not is_fit(asked.fresh, person):
            return Turned(why=Why.PASSWORD)
        proved = await self._who.proved(person, asked)
        if isinstance(proved, Turned):
            return proved
        device, kept = self._who.new_device(person)
        password = Password(person=person, hash=await self._who.passwords.made(asked.fresh))
        browsers = [each for each in self._sessions(person) if each.scopes is None and each.id != session.id]
        devices = [each for each in self._keychain.of(person) if isinstance(each, Device)]
        await self._keychain.change([password, device], [*browsers, *devices])
        now = self._who.clock.now()
        changed = facts.PasswordChanged(at=now, person=person, where=place(asked.where))
        await self._who.told(Witnessed(now, changed))
        return PasswordKept(device=kept)

    # -- what orders do ------------------------------------------------------------------------------------------

    def check(self, order: AnyOrder) -> None:
        """What only the keychain knows to stand against an order. Raises `OrderRefused`."""
        match order:
            case orders.AddPasskey(by=by):
                if len(self._who.passkeys(by)) >= MOST_PASSKEYS:
                    raise OrderRefused("many-passkeys", count=MOST_PASSKEYS)
            case orders.RemovePasskey(by=by, passkey=named):
                held = [_named(each) for each in self._who.passkeys(by)]
                if named not in held:
                    raise OrderRefused("no-such-passkey")
                if len(held) == 1 and not self._has_another_way_in(by):
                    raise OrderRefused("only-way-in")
            case _:
                pass

    def _has_another_way_in(self, person: str) -> bool:
        """Whether they can sign in without any passkey: a password, and the generator of its codes."""
        return bool(self._keychain.find(Password, person) and self._keychain.find(Totp, person))

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
            case orders.AddPasskey(by=by):
                return await self._new_passkey_link(by)
            case orders.RemovePasskey(by=by, passkey=named):
                gone = [each for each in self._who.passkeys(by) if _named(each) == named]
                await self._keychain.change((), gone)
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

    async def _new_passkey_link(self, person: str) -> str:
        secret = token(secrets.token_bytes(SECRET_BYTES)).text
        ends = after(self._who.clock.now(), PASSKEY_LINK_LASTS)
        earlier = [each for each in self._keychain.all(PasskeyLink) if each.person == person]
        await self._keychain.change([PasskeyLink(person=person, digest=digest(secret), ends=ends)], earlier)
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
        all_of_them = session is None or bool(roles & OVERSEERS)
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
            passkeys=[
                PasskeyShown(id=_named(each), label=each.label, made=each.made)
                for each in has
                if isinstance(each, Passkey)
            ],
            ready=any(isinstance(each, Password) for each in has),
            recovery_left=sum(isinstance(each, RecoveryCode) for each in has),
        )


def _named(passkey: Passkey) -> str:
    """How the journal names a passkey."""
    return digest(passkey.public_key)


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
