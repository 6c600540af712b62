"""What people prove themselves by, as it is kept. Nothing here is ever an entry of the journal; secrets are masked."""

from dataclasses import dataclass, field
from enum import StrEnum

from rempart.accounts.person import Role
from rempart.instants import Instant


class How(StrEnum):
    """How somebody signed in."""

    PASSWORD_AND_CODE = "password-and-code"  # noqa: S105  a name, no secret
    PASSWORD_AND_RECOVERY = "password-and-recovery-code"  # noqa: S105
    PASSKEY = "passkey"
    SINGLE_SIGN_ON = "single-sign-on"
    ENVELOPE = "envelope"
    TOKEN = "token"  # noqa: S105


class Scope(StrEnum):
    """What a token for programs may be used for, within what its person may do."""

    READ = "read"
    ORDER = "order"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password's argon2id hash (RFC 9106), with its parameters inside."""

    person: str
    hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    """A generator of one-time codes (RFC 6238). ``used``: the last time step that was accepted, never again."""

    person: str
    secret: str = field(repr=False)
    used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey's public half, in base64url. ``sign_count`` never goes back (WebAuthn level 2, 6.1.1)."""

    person: str
    id: str
    public_key: str
    sign_count: int
    label: str
    made: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCode:
    """One printed code that stands in for the generator once."""

    person: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A browser in which this person once signed in: guessing by strangers elsewhere does not slow it down."""

    person: str
    digest: str
    made: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A one-time link with which a person sets what they prove themselves by."""

    person: str
    digest: str
    ends: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyLink:
    """A one-time link with which a person makes one more passkey, and changes nothing else."""

    person: str
    digest: str
    ends: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The code in the sealed envelope, usable once."""

    digest: str
    made: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in, in one browser; or a token for a program, with its scopes.

    ``digest`` is of the secret that the browser holds; its first twelve letters are how people name the session.
    """

    person: str
    digest: str
    how: How
    made: Instant
    seen: Instant
    ends: Instant
    where: str
    label: str = ""
    scopes: frozenset[Scope] | None = None
    """None: a browser, which may do what its person may."""
    roles: frozenset[Role] | None = None
    """Of a session that is nobody's account (the envelope); None: the person's."""

    @property
    def id(self) -> str:
        """How people name it; opens nothing."""
        return self.digest[:12]


Kept = Password | Totp | Passkey | RecoveryCode | Device | Link | PasskeyLink | Envelope | Session
"""Everything that the store of accounts keeps."""


def key_of(kept: Kept) -> tuple[str, str]:
    """What names it in the store: its type and, within it, whose or which it is."""
    match kept:
        case Password() | Totp():
            return type(kept).__name__, kept.person
        case Passkey():
            return type(kept).__name__, kept.id
        case _:
            return type(kept).__name__, kept.digest
