"""Facts about what people prove themselves by: links, passkeys, passwords, sessions, tokens, the envelope."""

from rempart.accounts.credential import How, Scope
from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class LinkIssued(Fact, frozen=True, tag=True, kw_only=True):
    """A one-time link was made with which a person chooses anew what they sign in with."""

    person: str
    by: str


class CredentialsChosen(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody used their link: a password, a code generator and perhaps a passkey, named by its key's SHA-256."""

    person: str
    passkey: str
    where: str


class PasskeyAllowed(Fact, frozen=True, tag=True, kw_only=True):
    """A person may make one more passkey, with a link that was given to them and to nobody else."""

    person: str


class PasskeyAdded(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody used that link: they have one more passkey, named by its key's SHA-256."""

    person: str
    passkey: str
    where: str


class PasskeyRemoved(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody took back a passkey of their own."""

    person: str
    passkey: str


class PasswordChanged(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody gave themselves another password. Their other browsers are signed out."""

    person: str
    where: str


class SignedIn(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody signed in, how and from where (the address that the console saw)."""

    person: str
    how: How
    where: str
    session: str


class SignInRefused(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody could not sign in: the first time in an hour, the tenth, the hundredth … (``tally``)."""

    person: str
    """The account tried, when there is one; empty otherwise: what strangers type is not kept."""
    why: str
    where: str
    tally: int = 1


class EnvelopeOpened(Fact, frozen=True, tag=True, kw_only=True):
    """The code of the sealed envelope was used: find out by whom and why."""

    where: str
    session: str


class SessionsEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A person was signed out: everywhere, or (``session``) in one browser or program."""

    person: str
    session: str
    by: str


class TokenIssued(Fact, frozen=True, tag=True, kw_only=True):
    """A person has a token for a program."""

    person: str
    label: str
    scopes: list[Scope]
    until: Instant


class EnvelopeSealed(Fact, frozen=True, tag=True, kw_only=True):
    """A new code for the sealed envelope was made."""

    by: str


CredentialFact = (
    LinkIssued
    | CredentialsChosen
    | PasskeyAllowed
    | PasskeyAdded
    | PasskeyRemoved
    | PasswordChanged
    | SignedIn
    | SignInRefused
    | EnvelopeOpened
    | SessionsEnded
    | TokenIssued
    | EnvelopeSealed
)
