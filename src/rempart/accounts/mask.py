"""Masks: what stands for a worker's account wherever an incident is shown.

A mask is made with a key that only the guard has, from the incident and the account together: within one incident the
same account has the same mask, so that its story can be followed; across incidents nobody can be followed.
"""

import base64
import hashlib
import hmac

KEY_BYTES = 32

_LETTERS = 8
"""Letters of a mask: 40 bits, so that two of an incident's thousand accounts hardly ever share one."""


def mask(key: bytes, incident: str, account: str) -> str:
    """The mask of an account in an incident: ``person-`` and eight letters or digits; nothing stays nothing."""
    if not account:
        return ""
    said = f"{len(incident)}:{incident}{account}".encode("utf-8", "surrogatepass")
    digest = hmac.new(key, said, hashlib.sha256).digest()
    return f"person-{base64.b32encode(digest).decode()[:_LETTERS].lower()}"
