"""The key that makes masks: chance, made once, in a file that only the guard's user reads."""

import os
import secrets
from pathlib import Path

from rempart.accounts.mask import KEY_BYTES
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
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(secrets.token_bytes(KEY_BYTES))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # another key after a power cut would give everybody other masks
    finally:
        os.close(folder)
