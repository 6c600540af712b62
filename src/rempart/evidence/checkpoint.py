"""A signed Merkle root: who vouches for the journal up to which entry (C2SP checkpoint, signed note, Ed25519)."""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rempart.instants import Instant, parse_rfc3339, rfc3339

_ED25519 = b"\x01"
_ORIGIN = re.compile(r"[!-*,-~]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_DASH = "\u2014 "


class NotACheckpoint(ValueError):
    """The text is no signed checkpoint, or the key no verifier key; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a signing key, with the name of the journal it signs for."""

    origin: str
    public: bytes
    """32 bytes, Ed25519."""

    @property
    def id(self) -> bytes:
        """Four bytes that say which key signed (C2SP signed-note)."""
        return sha256(self.origin.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.origin}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """The key that ``origin+id+base64`` names; raises `NotACheckpoint`."""
        origin, _, rest = text.partition("+")
        named, _, coded = rest.partition("+")
        data = _unbase64(coded)
        if len(data) != 33 or data[:1] != _ED25519 or not valid_origin(origin):
            raise NotACheckpoint("not an Ed25519 verifier key")
        key = cls(origin, data[1:])
        if key.id.hex() != named:
            raise NotACheckpoint(f"the verifier key's id is {key.id.hex()}, not what it says")
        return key

    @classmethod
    def of(cls, origin: str, key: Ed25519PrivateKey) -> "VerifierKey":
        """The public half of ``key``."""
        return cls(origin, key.public_key().public_bytes_raw())

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made ``signature`` over ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root over the first ``size`` entries as it was ``at`` an instant, with the ``note`` that says so, signed."""

    origin: str
    size: int
    root: bytes
    at: Instant
    note: str
    """The whole text with its signature lines: what leaves the box."""

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether the note carries a good signature of ``key``; lines of other keys are ignored."""
        text, lines = _halves(self.note)
        found = [data for name, data in map(_signature, lines) if name == key.origin and data[:4] == key.id]
        return bool(found) and all(key.signed(text.encode(), data[4:]) for data in found)


def valid_origin(origin: str) -> bool:
    """Whether the text can name a journal: printable ASCII without space or plus."""
    return _ORIGIN.fullmatch(origin) is not None


def sign(origin: str, size: int, root: bytes, at: Instant, *keys: Ed25519PrivateKey) -> Checkpoint:
    """The checkpoint, signed by every key given, in that order."""
    text = f"{origin}\n{size}\n{_base64(root)}\nat {rfc3339(at)}\n"
    lines = [_line(VerifierKey.of(origin, key).id, key.sign(text.encode()), origin) for key in keys]
    return Checkpoint(origin, size, root, at, text + "\n" + "".join(lines))


def parse(note: str) -> Checkpoint:
    """The checkpoint in a note; raises `NotACheckpoint`. Its signatures are checked by `Checkpoint.signed_by`.

    Every byte counts: a note that would be written otherwise is refused, so that no flipped bit goes unseen.
    """
    text, lines = _halves(note)
    fields = text.split("\n")
    if len(fields) != 5 or fields[4] or not valid_origin(fields[0]) or not _SIZE.fullmatch(fields[1]):
        raise NotACheckpoint("the text is not origin, size, root and instant")
    root = _unbase64(fields[2])
    if len(root) != 32 or not fields[3].startswith("at "):
        raise NotACheckpoint("the root or the instant is malformed")
    if not lines or any(len(_signature(line)[1]) < 5 for line in lines):
        raise NotACheckpoint("no signature line")
    try:
        at = parse_rfc3339(fields[3][3:])
    except ValueError as error:
        raise NotACheckpoint(f"the instant is malformed: {error}") from error
    if rfc3339(at) != fields[3][3:]:
        raise NotACheckpoint("the instant is not written as UTC with microseconds")
    return Checkpoint(fields[0], int(fields[1]), root, at, note)


def _halves(note: str) -> tuple[str, list[str]]:
    """The signed text, with its last line feed, and the signature lines."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NotACheckpoint("no blank line between the text and its signatures")
    return text + "\n", lines[:-1].split("\n")


def _line(key_id: bytes, signature: bytes, origin: str) -> str:
    return f"{_DASH}{origin} {_base64(key_id + signature)}\n"


def _signature(line: str) -> tuple[str, bytes]:
    """The name in a signature line, and key id with signature."""
    dash, _, rest = line.partition(" ")
    name, _, coded = rest.partition(" ")
    if dash != _DASH.strip() or not name:
        raise NotACheckpoint("a signature line is malformed")
    return name, _unbase64(coded)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    """Strict base64: padding bits that are not zero are another text for the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotACheckpoint(f"not base64: {error}") from error
    if _base64(data) != text:
        raise NotACheckpoint("not the shortest base64")
    return data
