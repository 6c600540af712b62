"""Writing a file whole: after a power cut or on a full disk its name holds the old content or the new, never half.

What is put is on the disk when `put` returns: the content first, then its name. Where a power cut may take it back,
because the folder lies in memory or the file is soon written again, ``lasting=False`` waits for no disk.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


def put(
    file: Path, content: bytes, *, mode: int = 0o600, group: int | None = None, lasting: bool = True
) -> None:
    """Put the content under that name, never open to more than ``mode`` says, whatever the umask; OSError otherwise.

    ``group``: the id of the group it is given to. One process at a time may put a file.
    """
    put_parts(file, (content,), mode=mode, group=group, lasting=lasting)


def put_parts(
    file: Path,
    parts: Iterable[bytes],
    *,
    mode: int = 0o600,
    group: int | None = None,
    lasting: bool = True,
) -> None:
    """As `put`, for what is too long to hold at once."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)  # half of one that a power cut ended; if it is a link, the link only
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.writelines(parts)
            if group is not None:
                os.fchown(out.fileno(), -1, group)
            os.fchmod(out.fileno(), mode)
            out.flush()
            if lasting:
                os.fsync(out.fileno())
        fresh.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong first is what is said
            fresh.unlink(missing_ok=True)
        raise
    if lasting:
        settle(file.parent)


def settle(folder: Path) -> None:
    """The names in a folder are on the disk: what was made, renamed or taken away there stays so."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
