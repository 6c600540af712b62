"""One record of the journal: what the chain holds of it, and how it commits to a body that may be erased."""

import hmac
import re
from dataclasses import dataclass
from typing import Any

from rempart.evidence import canonical
from rempart.evidence.merkle import leaf_hash
from rempart.instants import Instant

BEGUN = "journal.begun"
KEY = "journal.key"
ERASURE = "journal.erasure"
SNAPSHOT = "journal.snapshot"

LASTING = frozenset({BEGUN, KEY, ERASURE})
"""Kinds whose bodies the verifier needs: never erased, never withheld."""

NO_ENTRY = bytes(32)
"""What entry 1 holds as the hash of the entry before."""

SALT_BYTES = 32
"""HMAC pads shorter keys with zeros: salts of one length never meet."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The fields of one entry (docs/design/journal.md). Hashes are 32 bytes."""

    number: int
    at: Instant
    kind: str
    late: bool
    digest: bytes
    previous: bytes

    def encode(self) -> bytes:
        """The bytes that are hashed."""
        return canonical.encode(
            {
                "number": self.number,
                "at": self.at,
                "kind": self.kind,
                "late": self.late,
                "digest": self.digest.hex(),
                "previous": self.previous.hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Entry":
        """The entry in these bytes; keys it does not know are left aside. Raises `canonical.NotCanonical`."""
        fields = canonical.decode(data)
        if not isinstance(fields, dict):
            raise canonical.NotCanonical("not a map")
        return cls(
            number=_whole(fields, "number"),
            at=Instant(_whole(fields, "at")),
            kind=_matching(fields, "kind", _KIND),
            late=_truth(fields, "late"),
            digest=bytes.fromhex(_matching(fields, "digest", _HASH)),
            previous=bytes.fromhex(_matching(fields, "previous", _HASH)),
        )


@dataclass(frozen=True, slots=True)
class Record:
    """An entry's bytes with what is kept beside them. ``body`` and ``salt`` are None when erased or withheld."""

    number: int
    entry: bytes
    salt: bytes | None = None
    body: bytes | None = None
    withheld: bool = False


def valid_kind(kind: str) -> bool:
    """Whether the word can be an entry's kind."""
    return _KIND.fullmatch(kind) is not None


def commitment(salt: bytes, body: bytes) -> bytes:
    """The digest by which an entry holds its body (HMAC-SHA256, RFC 2104)."""
    return hmac.digest(salt, body, "sha256")


def hash_of(entry: bytes) -> bytes:
    """An entry's hash: its leaf hash in the tree, and what the next entry holds."""
    return leaf_hash(entry)


def _whole(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise canonical.NotCanonical(f"{name} is no integer")
    return value


def _truth(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise canonical.NotCanonical(f"{name} is neither true nor false")
    return value


def _matching(fields: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise canonical.NotCanonical(f"{name} is not of the form {form.pattern}")
    return value
