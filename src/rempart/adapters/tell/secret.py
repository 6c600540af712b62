"""Passwords and keys of the ways out, each in a file that only the sender may read."""

from pathlib import Path

from rempart.errors import NotHandedOver

LONGEST = 4_096
"""Bytes of a secret."""


def secret(path: str) -> str:
    """What the file holds, without the line's end. Raises `NotHandedOver`; the secret is in no message."""
    try:
        with Path(path).open("rb") as file:
            held = file.read(LONGEST).decode().strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise NotHandedOver(
            f"the secret cannot be read: {getattr(fault, 'strerror', None) or 'it is no text'}",
            where=path,
            now="Let the user rempart-teller read this file, and nobody else.",
        ) from fault
    if not held:
        raise NotHandedOver("the secret is empty", where=path, now="Write it into this file.")
    return held
