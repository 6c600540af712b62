"""The key that makes masks: chance, made once, in a file that only the guard's user reads."""

import secrets
from pathlib import Path

from rempart.accounts.mask import KEY_BYTES
from rempart.edge import whole
from rempart.errors import InputRefused


def key(path: Path) -> bytes:
    """The key, made when it is not there: whole or not at all. Raises `InputRefused` when it cannot be had.

    When the file is lost, later masks differ from earlier ones; nothing else is.
    """
    try:
        if not path.exists():
            _make(path)
        held = path.read_bytes()
    except OSError as fault:
        raise InputRefused(
            f"the key of the masks cannot be had: {fault.strerror}", where=str(path), now="Is the disk full?"
        ) from fault
    if len(held) != KEY_BYTES:
        raise InputRefused(
            "the key of the masks is damaged", where=str(path), now="Remove it: another is made."
        )
    return held


def _make(path: Path) -> None:
    """Lasting: another key after a power cut would give everybody other masks."""
    whole.put(path, secrets.token_bytes(KEY_BYTES))
