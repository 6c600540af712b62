"""What the console asks the guard about accounts, and what the guard answers. Part of `rempart.messages`.

``session``, ``device`` and ``link`` are secrets that a browser holds; ``where`` is the address that the console saw.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.accounts.credential import How, Scope
from rempart.accounts.person import Role
from rempart.instants import Instant

Held = Annotated[str, Meta(max_length=128)]
Typed = Annotated[str, Meta(max_length=256)]
Signed = Annotated[str, Meta(max_length=16_384)]
"""What a browser's passkey answered, as JSON (WebAuthn level 3, 5.1.8)."""

SHORTEST_PASSWORD = 12
"""Characters; it is never the only thing asked for (NIST SP 800-63B-4, 3.1.1.2 asks for 8 then)."""


def is_fit(password: str, person: str) -> bool:
    """Whether this person may choose this password: long enough, and not made of their own name."""
    return len(password) >= SHORTEST_PASSWORD and person not in password.lower()


class PasskeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey's answer to the question with this handle."""

    handle: Held
    response: Signed


# -- console -> guard --------------------------------------------------------------------------------------------


class SignIn(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Sign in with a password and a code of the generator, or a printed recovery code."""

    name: Typed
    password: Typed
    code: Typed
    device: Held = ""
    where: Typed = ""


class PasskeyAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Give me a question for a passkey to sign in with."""


class PasskeySignIn(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Sign in with a passkey."""

    answer: PasskeyAnswer
    where: Typed = ""


class IdentityAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Give me a question for the identity provider to answer."""


class IdentitySignIn(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Sign in with what the identity provider says: its ID token, in answer to the question with this nonce."""

    token: Signed
    nonce: Typed
    where: Typed = ""


class EnvelopeSignIn(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Sign in with the code of the sealed envelope."""

    code: Typed
    where: Typed = ""


class SessionAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Whose session is this? ``looking``: a page asks by itself, and it is no use of the session."""

    session: Held
    looking: bool = False


class SignOut(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """End this session."""

    session: Held


class LinkOpened(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Whose one-time link is this, and what do they need to choose what they sign in with?"""

    link: Held
    where: Typed = ""


class LinkUsed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """They chose: a password, the first code of their generator, and a passkey where the browser can make one."""

    link: Held
    handle: Held
    password: Typed
    code: Typed
    passkey: Signed = ""
    label: Typed = ""
    where: Typed = ""


class PasskeyLinkOpened(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What does this device need to make one more passkey, for the person of this link?"""

    link: Held


class PasskeyMade(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The passkey that this device made."""

    link: Held
    answer: PasskeyAnswer
    label: Typed = ""
    where: Typed = ""


class PasswordChange(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Another password for whoever holds the session, who proves it as one signs in: the present one and a code."""

    session: Held
    password: Typed
    code: Typed
    fresh: Typed
    device: Held = ""
    where: Typed = ""


class PeopleAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Who has an account and who is signed in? Others than technicians and privacy officers see themselves."""

    session: Held


class NamesAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Who stands behind the masks of this incident?"""

    session: Held
    incident: Typed


FromVisitor = (
    SignIn
    | PasskeyAsked
    | PasskeySignIn
    | EnvelopeSignIn
    | IdentityAsked
    | IdentitySignIn
    | SessionAsked
    | SignOut
    | LinkOpened
    | LinkUsed
    | PasskeyLinkOpened
    | PasskeyMade
    | PasswordChange
    | PeopleAsked
)


# -- guard -> console --------------------------------------------------------------------------------------------


class Why(StrEnum):
    """Why somebody is not let in. Never which half of what they gave was wrong."""

    WRONG = "wrong"
    WAIT = "wait"
    BUSY = "busy"
    ENDED = "ended"
    LINK = "link"
    PASSWORD = "password"  # noqa: S105  a reason, no secret
    CODE = "code"
    PASSKEY = "passkey"
    IDENTITY = "identity"
    PROVIDER = "provider"


class Turned(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Not let in: why, and after how many seconds to try again (0: it will not help)."""

    why: Why
    seconds: int = 0


class Visitor(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Whose session it is and what they are."""

    person: str
    name: str
    roles: list[Role]
    how: How
    session: str
    """The session's name, which opens nothing."""
    ends: Instant
    passkey: bool
    """Whether they have one: orders that need it can be confirmed."""
    scopes: list[Scope] | None = None
    """Of a program's token; None: a browser."""


class SessionOpened(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Signed in. ``secret`` is for the browser's cookie, ``device`` (when not empty) for the one that stays."""

    secret: str
    visitor: Visitor
    device: str = ""


class Question(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A question for a passkey: the browser's options as JSON, good once and for two minutes."""

    handle: str
    options: str


class IdentityQuestion(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A question for the identity provider, good once and for ten minutes."""

    nonce: str


class LinkGood(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The link is good: whose it is, their generator's secret, and options for making a passkey."""

    person: str
    name: str
    handle: str
    options: str
    totp: str
    totp_address: str


class CredentialsKept(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What they chose is kept. The recovery codes are told once."""

    person: str
    recovery: list[str]
    passkey: bool


class Registration(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The link is good: whose it is, and options for making one more passkey."""

    person: str
    name: str
    handle: str
    options: str


class PasskeyKept(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """They have one more passkey."""

    person: str


class PasswordKept(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The new password holds. ``device`` is for the cookie that stays; other browsers are no longer known."""

    device: str


class PasskeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey, as its person and those who look after accounts see it."""

    id: str
    """SHA-256 of its public key, as the journal names it."""
    label: str
    made: Instant


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as people see it."""

    id: str
    person: str
    how: How
    made: Instant
    seen: Instant
    ends: Instant
    where: str
    label: str
    scopes: list[Scope] | None


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    """One account, as people see it."""

    id: str
    name: str
    roles: list[Role]
    enabled: bool
    enrolled: Instant
    passkeys: list[PasskeyShown]
    ready: bool
    """Whether they have chosen what they sign in with."""
    recovery_left: int


class People(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Accounts and sessions."""

    people: list[PersonShown]
    sessions: list[SessionShown]
    envelope: Instant | None
    """Since when a sealed envelope is good; None: there is none."""


class NamesTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The accounts behind an incident's masks. That they were told is sealed."""

    incident: str
    names: dict[str, str]
    """Mask to account."""
    until: Instant


class Done(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """It was done."""


ToVisitor = (
    Turned
    | Visitor
    | SessionOpened
    | Question
    | IdentityQuestion
    | LinkGood
    | CredentialsKept
    | Registration
    | PasskeyKept
    | PasswordKept
    | People
    | NamesTold
    | Done
)
