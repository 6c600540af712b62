"""Secrets that people hold: made from chance that is given, kept as digests, masked when printed."""

import base64
import hashlib
from dataclasses import dataclass

SECRET_BYTES = 32
"""Bytes of chance in a session's, a link's or a token's secret."""

CODE_BYTES = 10
"""Bytes of chance in a code that is written on paper: 80 bits, 16 characters in four groups."""

ENVELOPE_BYTES = 20
"""Bytes of chance in the code of the sealed envelope: 160 bits, eight groups."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that opens something. It shows only when it is asked to."""

    text: str

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def token(chance: bytes) -> Secret:
    """A secret for machines to carry, in characters that fit a cookie and an address."""
    return Secret(base64.urlsafe_b64encode(chance).rstrip(b"=").decode())


def code(chance: bytes) -> Secret:
    """A secret for people to type: groups of four letters and digits (RFC 4648 base32, no 0, 1 or 8)."""
    letters = base64.b32encode(chance).decode().rstrip("=")
    return Secret("-".join(letters[at : at + 4] for at in range(0, len(letters), 4)))


def digest(secret: str) -> str:
    """What is kept of a secret that is all chance: SHA-256 in hex, which needs no slowness to resist guessing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def typed(text: str) -> str:
    """A code as it was printed, however it was typed."""
    letters = "".join(letter for letter in text.upper() if letter.isalnum())
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))
