"""Authentication: finds out who somebody is, and whether they meant this order. Whether they may, the engine decides.

Everything is decided in memory and without waiting, but for the slow hash of a password, which has a thread of its own.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rempart.accounts.authority import Authority, Proof
from rempart.accounts.conversation import (
    EnvelopeSignIn,
    Held,
    IdentityQuestion,
    IdentitySignIn,
    PasskeyAnswer,
    PasskeySignIn,
    PasswordChange,
    Question,
    SessionAsked,
    SessionOpened,
    SignIn,
    SignOut,
    Turned,
    Visitor,
    Why,
)
from rempart.accounts.credential import (
    Device,
    Envelope,
    How,
    Kept,
    Passkey,
    Password,
    RecoveryCode,
    Scope,
    Session,
    Totp,
)
from rempart.accounts.identity import KEYS_LAST, IdentityRefused, account
from rempart.accounts.pace import ACCOUNT, ADDRESS, DEVICE, Buckets, Pace, place
from rempart.accounts.person import ENVELOPE, Person, Role
from rempart.accounts.secret import SECRET_BYTES, Secret, digest, token, typed
from rempart.accounts.session import LONGEST, lives, used
from rempart.adapters import credentials, identity
from rempart.adapters.credentials import Busy, PasskeyRefused, Passwords, RelyingParty
from rempart.engine import facts
from rempart.engine.inputs import Witnessed
from rempart.engine.orders import AnyOrder
from rempart.engine.people import AboutPeople
from rempart.engine.rights import challenge
from rempart.errors import OrderRefused
from rempart.instants import Duration, Instant, after, minutes, seconds
from rempart.ports import Clock
from rempart.site.sign_on import SignOn
from rempart.station.keychain import MOST_SESSIONS, Keychain

QUESTION_LASTS: Duration = minutes(2)
"""How long a passkey has to answer."""

_PROVIDER_HAS: Duration = minutes(10)
"""How long an identity provider has to answer: its person may look for a telephone meanwhile."""

_PASSKEY = "passkey"
"""The sort of a question to any passkey, and"""
_PROVIDER = "provider"
"""of one to an identity provider: an answer to one is none to the other."""

_NO_TIME = Duration(0)

_MOST_QUESTIONS = 256
"""Questions open at once; the oldest gives way."""

_ENVELOPE_ROLES = frozenset({Role.DUTY, Role.TECHNICIAN})
"""What whoever opened the sealed envelope may do with a session alone: look, cut, block, isolate."""

Told = Callable[[Witnessed], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a passkey may answer once: the guard's chance in it, and what it is bound to."""

    chance: bytes
    bound: str
    ends: Instant
    extra: str = ""


class Authentication:
    """Sessions, passwords, codes and passkeys, against what the keychain holds."""

    def __init__(
        self,
        keychain: Keychain,
        party: RelyingParty,
        clock: Clock,
        people: Callable[[], Mapping[str, Person]],
        told: Told,
        *,
        site: str,
        sign_on: SignOn | None = None,
    ) -> None:
        """``people`` gives the accounts as they are; ``told`` is given what is to be sealed, and waited for."""
        self.keychain = keychain
        self.party = party
        self.clock = clock
        self.people = people
        self.told = told
        self._site = site
        self._sign_on = sign_on
        self._marks = secrets.token_bytes(SECRET_BYTES)
        self._answered: dict[str, Instant] = {}
        self.passwords = Passwords()
        self._buckets = Buckets()
        self._questions: dict[str, Asked] = {}

    # -- signing in ----------------------------------------------------------------------------------------------

    async def sign_in(self, asked: SignIn) -> SessionOpened | Turned:
        """With a password, and a code of the generator or a recovery code. Which half was wrong is not said."""
        name = asked.name.strip().lower()
        proved = await self.proved(name, asked)
        if isinstance(proved, Turned):
            return proved
        device, fresh = (None, "") if self._knows(name, asked.device) else self.new_device(name)
        self.keychain.change_now([device] if device else [])
        return await self._opened(name, proved, asked.where, device=fresh)

    async def proved(self, name: str, asked: SignIn | PasswordChange) -> How | Turned:
        """How it is proved that this is the person of that name; the code is then used up. No faster for guesses."""
        known = self._knows(name, asked.device)
        if wait := self._wait(name, asked.device if known else "", asked.where, self.clock.now()):
            return await self._turned(name, Why.WAIT, asked.where, wait)
        password = self.keychain.find(Password, name)
        try:
            right = await self.passwords.right(
                asked.password, password.hash if password else None, known=known
            )
        except Busy:
            return Turned(why=Why.BUSY, seconds=3)
        spent = self._second_factor(name, asked.code, self.clock.now())
        if not (right and spent and self._person(name)):
            return await self._turned(name, Why.WRONG, asked.where)
        how, put, drop = spent
        self.keychain.change_now(put, drop)
        return how

    def _second_factor(self, name: str, code: str, now: Instant) -> tuple[How, list[Kept], list[Kept]] | None:
        """How the code proves it, and what it uses up; None when it does not."""
        totp = self.keychain.find(Totp, name)
        step = credentials.totp_step(totp, code, now) if totp else None
        if totp and step is not None:
            return How.PASSWORD_AND_CODE, [replace(totp, used=step)], []
        recovery = self.keychain.find(RecoveryCode, digest(typed(code)))
        if recovery and recovery.person == name:
            return How.PASSWORD_AND_RECOVERY, [], [recovery]
        return None

    def ask_passkey(self) -> Question:
        """A question for any passkey of this station."""
        handle = self._marked(_PASSKEY, QUESTION_LASTS)
        return Question(handle=handle, options=credentials.question(self.party, _asked_by(handle), []))

    async def sign_in_with_passkey(self, asked: PasskeySignIn) -> SessionOpened | Turned:
        """With a passkey. No guessing is possible here, so nobody waits."""
        handle = asked.answer.handle
        try:
            passkey = self._claimed(asked.answer)
            count = credentials.verified(self.party, passkey, _asked_by(handle), asked.answer.response)
            if not self._answer(_PASSKEY, handle):
                raise PasskeyRefused("the question is not open")
        except PasskeyRefused:
            return await self._turned("", Why.PASSKEY, asked.where)
        if self._person(passkey.person) is None:
            return await self._turned(passkey.person, Why.WRONG, asked.where)
        self.keychain.change_now([replace(passkey, sign_count=count)])
        return await self._opened(passkey.person, How.PASSKEY, asked.where)

    def ask_identity(self) -> IdentityQuestion:
        """A question for the provider."""
        return IdentityQuestion(nonce=self._marked(_PROVIDER, _PROVIDER_HAS))

    async def sign_in_with_identity(self, asked: IdentitySignIn) -> SessionOpened | Turned:
        """With the provider's word, which the guard checks itself, with keys that root fetched. A session, no more."""
        try:
            person = await self._identified(asked)
        except IdentityRefused:
            return await self._turned("", Why.IDENTITY, asked.where)
        if self._person(person) is None:
            return await self._turned(person, Why.IDENTITY, asked.where)
        return await self._opened(person, How.SINGLE_SIGN_ON, asked.where)

    async def _identified(self, asked: IdentitySignIn) -> str:
        """The account that the token lets in; its question is then answered. Raises `IdentityRefused`."""
        now, sign_on = self.clock.now(), self._sign_on
        if sign_on is None:
            raise IdentityRefused("no provider may say who somebody is here")
        provider = await asyncio.to_thread(identity.kept, Path(sign_on.keys_file))
        if provider.issuer != sign_on.issuer or not now < after(provider.fetched, KEYS_LAST):
            raise IdentityRefused("the provider's keys are another's, or too old")
        claims = identity.signed(asked.token, provider)
        person = account(sign_on, claims, asked.nonce, now)
        if not self._answer(_PROVIDER, asked.nonce):
            raise IdentityRefused("the question is not ours, or not open (any more)")
        return person

    async def sign_in_with_envelope(self, asked: EnvelopeSignIn) -> SessionOpened | Turned:
        """With the printed code of the sealed envelope: works once, and is told to everybody."""
        envelope = self.keychain.find(Envelope, digest(typed(asked.code)))
        if envelope is None:  # 160 bits: guessing needs no slowing down
            return await self._turned("", Why.WRONG, asked.where)
        self.keychain.change_now((), [envelope])
        return await self._opened(ENVELOPE, How.ENVELOPE, asked.where, roles=_ENVELOPE_ROLES)

    async def _opened(
        self,
        person: str,
        how: How,
        where: str,
        *,
        device: str = "",
        roles: frozenset[Role] | None = None,
    ) -> SessionOpened:
        now, secret, where = self.clock.now(), _fresh(), place(where)
        session = Session(
            person=person,
            digest=digest(secret.text),
            how=how,
            made=now,
            seen=now,
            ends=after(now, LONGEST),
            where=where,
            roles=roles,
        )
        others = sorted(
            (s for s in self.keychain.all(Session) if s.person == person and s.scopes is None),
            key=lambda each: each.made,
        )
        gone = [s for s in self.keychain.all(Session) if not lives(s, now)]
        self.keychain.change_now([session], [*others[: -MOST_SESSIONS + 1], *gone])
        if how is How.ENVELOPE:
            await self.told(Witnessed(now, facts.EnvelopeOpened(at=now, where=where, session=session.id)))
        else:
            signed = facts.SignedIn(at=now, person=person, how=how, where=where, session=session.id)
            await self.told(Witnessed(now, signed))
        return SessionOpened(secret=secret.text, visitor=self._visitor(session), device=device)

    async def _turned(self, name: str, why: Why, where: str, wait: Duration = _NO_TIME) -> Turned:
        """Not let in; sealed, without what strangers typed when it names nobody."""
        now = self.clock.now()
        person = name if name in self.people() else ""
        refused = facts.SignInRefused(at=now, person=person, why=why.value, where=place(where))
        await self.told(Witnessed(now, refused))
        return Turned(why=why, seconds=-(-wait // seconds(1)))

    def _wait(self, name: str, device: str, where: str, now: Instant) -> Duration:
        """How long before this try may be made. A browser that is known passes by its own bucket only."""
        if device:
            return self._take(f"device {digest(device)}", DEVICE, now)
        by_place = self._take(f"place {place(where)}", ADDRESS, now)
        return by_place or self._take(f"account {name[:64]}", ACCOUNT, now)

    def _take(self, bucket: str, pace: Pace, now: Instant) -> Duration:
        self._buckets, wait = self._buckets.take(bucket, pace, now)
        return wait

    def _knows(self, name: str, device: str) -> bool:
        known = self.keychain.find(Device, digest(device)) if device else None
        return known is not None and known.person == name

    def new_device(self, name: str) -> tuple[Device, str]:
        """A browser that this person's guesses are counted by from now on, and the secret it keeps."""
        secret = _fresh()
        return Device(person=name, digest=digest(secret.text), made=self.clock.now()), secret.text

    # -- sessions ------------------------------------------------------------------------------------------------

    def session(self, secret: Held, *, looking: bool = False) -> Session | None:
        """The session of this secret, while it may be used; its use is noted, unless a page looks by itself."""
        session = self.keychain.find(Session, digest(secret)) if secret else None
        now = self.clock.now()
        if session is None or not lives(session, now):
            return None
        if session.roles is None and self._person(session.person) is None:
            return None
        noted = session if looking else used(session, now)
        if noted is not session:
            self.keychain.change_now([noted])
        return noted

    def who(self, asked: SessionAsked) -> Visitor | Turned:
        """Whose session it is."""
        session = self.session(asked.session, looking=asked.looking)
        return self._visitor(session) if session else Turned(why=Why.ENDED)

    def sign_out(self, asked: SignOut) -> None:
        """End a session; the person's own wish, and not sealed."""
        if session := self.keychain.find(Session, digest(asked.session)):
            self.keychain.change_now((), [session])

    def _visitor(self, session: Session) -> Visitor:
        person = self.people().get(session.person)
        roles = session.roles or (person.roles if person else frozenset())
        return Visitor(
            person=session.person,
            name=person.name if person else "",
            roles=sorted(roles),
            how=session.how,
            session=session.id,
            ends=session.ends,
            passkey=bool(self.passkeys(session.person)),
            scopes=None if session.scopes is None else sorted(session.scopes),
        )

    # -- orders --------------------------------------------------------------------------------------------------

    def ask_for_order(self, order: AnyOrder, secret: Held) -> Question:
        """The question with which this person's passkey confirms exactly this order. Raises `OrderRefused`."""
        session = self._ordering(order, secret)
        passkeys = self.passkeys(session.person)
        if not passkeys:
            raise OrderRefused("no-passkey")
        nonce = secrets.token_bytes(SECRET_BYTES)
        signed = challenge(self._site, order, nonce)
        return Question(
            handle=self.keep_question(nonce, session.digest),
            options=credentials.question(self.party, signed, passkeys),
        )

    def authority_to_be(self, order: AnyOrder, secret: Held) -> Authority:
        """By what right this order would come once the passkey has answered. Raises `OrderRefused`."""
        session = self._ordering(order, secret)
        return Authority(session.person, Proof.PASSKEY, session.roles or frozenset())

    def authority(self, order: AnyOrder, secret: Held, answer: PasskeyAnswer | None) -> Authority:
        """By what right this order comes. Raises `OrderRefused` when it is not who it says, or not what they signed."""
        session = self._ordering(order, secret)
        if answer is None:
            return Authority(session.person, Proof.SESSION, session.roles or frozenset())
        question = self.take_question(answer.handle, session.digest)
        if question is None:
            raise OrderRefused("confirmation-over")
        try:
            passkey = self._claimed(answer)
            if passkey.person != session.person:
                raise PasskeyRefused("it is another person's")
            signed = challenge(self._site, order, question.chance)
            count = credentials.verified(self.party, passkey, signed, answer.response)
        except PasskeyRefused as fault:
            raise OrderRefused("passkey-other") from fault
        self.keychain.change_now([replace(passkey, sign_count=count)])
        return Authority(session.person, Proof.PASSKEY)

    def _ordering(self, order: AnyOrder, secret: Held) -> Session:
        """The session with which an order comes. Raises `OrderRefused` when there is none, or a token not for it."""
        session = self.session(secret)
        if session is None:
            raise OrderRefused("not-signed-in")
        if session.scopes is not None and _scope(order) not in session.scopes:
            raise OrderRefused("token-scope")
        return session

    # -- passkeys' questions -------------------------------------------------------------------------------------

    def passkeys(self, person: str) -> list[Passkey]:
        """A person's passkeys."""
        return [each for each in self.keychain.all(Passkey) if each.person == person]

    def keep_question(self, chance: bytes, bound: str, extra: str = "") -> str:
        """Remember a question, bound to what it is asked for; its handle."""
        now, handle = self.clock.now(), _fresh().text
        kept = self._questions
        for name in [name for name, asked in kept.items() if now >= asked.ends]:
            del kept[name]
        while len(kept) >= _MOST_QUESTIONS:
            del kept[next(iter(kept))]
        kept[handle] = Asked(chance, bound, after(now, QUESTION_LASTS), extra)
        return handle

    def take_question(self, handle: str, bound: str) -> Asked | None:
        """The question of this handle, while it is open and asked for the same; it is then open no more."""
        asked = self._questions.pop(handle, None)
        if asked is None or asked.bound != bound or self.clock.now() >= asked.ends:
            return None
        return asked

    def _marked(self, sort: str, lasts: Duration) -> str:
        """A question that strangers may ask for. Nothing is kept of it, so that no flood of them pushes one out."""
        asked = f"{after(self.clock.now(), lasts)}.{_fresh().text}"
        return f"{asked}.{self._mark(sort, asked)}"

    def _answer(self, sort: str, question: str) -> bool:
        """Let a question of ours be answered, once. Whether it was ours, of that sort, and open."""
        now = self.clock.now()
        asked, _, mark = question.rpartition(".")
        if not secrets.compare_digest(mark.encode(), self._mark(sort, asked).encode()):
            return False
        ends = Instant(int(asked.partition(".")[0]))
        self._answered = {each: until for each, until in self._answered.items() if now < until}
        if now >= ends or question in self._answered:
            return False
        self._answered[question] = ends
        return True

    def _mark(self, sort: str, asked: str) -> str:
        return hmac.new(self._marks, f"{sort} {asked}".encode(), hashlib.sha256).hexdigest()

    def _claimed(self, answer: PasskeyAnswer) -> Passkey:
        passkey = self.keychain.find(Passkey, credentials.named(answer.response))
        if passkey is None:
            raise PasskeyRefused("nobody has this passkey")
        return passkey

    def _person(self, name: str) -> Person | None:
        person = self.people().get(name)
        return person if person and person.enabled else None

    def close(self) -> None:
        """End the threads."""
        self.passwords.close()
        self.keychain.close()


def _fresh() -> Secret:
    return token(secrets.token_bytes(SECRET_BYTES))


def _asked_by(question: str) -> bytes:
    """What a passkey signs in answer to a question that anybody may ask for."""
    return hashlib.sha256(question.encode()).digest()


def _scope(order: AnyOrder) -> Scope:
    return Scope.PEOPLE if isinstance(order, AboutPeople) else Scope.ORDER
