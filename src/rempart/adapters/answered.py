"""Keeps the answers of the first hour in one file that only their user reads, and puts site.toml in its place."""

import contextlib
import os
import stat
from pathlib import Path

import msgspec

from rempart.edge import whole
from rempart.errors import InputRefused, phrased
from rempart.first_hour.answers import Answers
from rempart.instants import Instant, rfc3339

_MOST = 4 << 20


def read(file: Path) -> Answers:
    """What was answered before; nothing when there is no file. Raises InputRefused for one that is not ours."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as kept:
            if not stat.S_ISREG(os.fstat(kept.fileno()).st_mode):
                raise InputRefused("this is no plain file", where=str(file), now="Move it away.")
            raw = kept.read(_MOST)
        return msgspec.json.decode(raw, type=Answers)
    except FileNotFoundError:
        return Answers()
    except OSError as fault:
        raise InputRefused(
            f"the answers cannot be read: {fault.strerror}",
            where=str(file),
            now="Start as the user who answered, or as root.",
        ) from fault
    except msgspec.MsgspecError as fault:
        raise InputRefused(
            f"the answers are not understood: {fault}",
            where=str(file),
            now="Move the file away to begin anew; site.toml is not touched.",
        ) from fault


def write(file: Path, answers: Answers) -> None:
    """Keep them: a power cut leaves the old or the new. The folder is made, for this user alone."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as fault:
        raise phrased(
            InputRefused, "deed-no-folder", path=str(file.parent), detail=fault.strerror or ""
        ) from fault
    put(file, msgspec.json.format(msgspec.json.encode(answers), indent=1) + b"\n", 0o600)


def put_site(file: Path, text: str, now: Instant) -> Path | None:
    """Put the description in place; the one that was there is kept beside it and its new name given back.

    Nothing happens when it says the same already.
    """
    earlier = None
    with contextlib.suppress(FileNotFoundError):
        before = file.read_bytes()
        if before == text.encode():
            return None
        earlier = file.with_name(f"{file.name}.until-{rfc3339(now)[:19].replace(':', '')}Z")
        put(earlier, before, 0o644)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as fault:
        raise phrased(
            InputRefused, "deed-no-folder", path=str(file.parent), detail=fault.strerror or ""
        ) from fault
    put(file, text.encode(), 0o644)
    return earlier


def put(file: Path, content: bytes, mode: int) -> None:
    """Put a file in its place, whole or not at all. Raises InputRefused when that cannot be done."""
    try:
        whole.put(file, content, mode=mode)
    except OSError as fault:
        raise phrased(InputRefused, "deed-unwritten", path=str(file), detail=fault.strerror or "") from fault
