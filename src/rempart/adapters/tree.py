"""Looking at every file below a folder, following no link and opening nothing but plain files.

What cannot be read, changes while it is read, or lies on another file system is told as not checked, with the reason.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote_from_bytes

from rempart.evidence.baseline import Looked

_CHUNK = 1 << 20
_SAFE = "/ ._-+@()[],=:;!$&'~#"

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def look(root: Path, skipped: tuple[str, ...] = ()) -> Iterator[Looked]:
    """Everything below ``root``, the folder itself as ``.``. ``skipped`` are patterns of encoded paths to leave out.

    Raises OSError when the root cannot be looked at at all.
    """
    device = root.lstat().st_dev
    waiting = [root]
    while waiting:
        path = waiting.pop()
        shown = quote_from_bytes(os.fsencode(path.relative_to(root)), safe=_SAFE)
        if path != root and any(fnmatchcase(shown, pattern) for pattern in skipped):
            yield _blind(shown, "left out")
            continue
        try:
            status = path.lstat()
        except OSError as fault:
            yield _blind(shown, fault.strerror or "unreadable")
            continue
        if status.st_dev != device:
            yield _of(shown, status, why="on another file system")
            continue
        try:
            waiting += path.iterdir() if stat.S_ISDIR(status.st_mode) else ()
            yield _looked(path, shown, status)
        except OSError as fault:
            yield _of(shown, status, why=fault.strerror or "unreadable")


def _looked(path: Path, shown: str, status: os.stat_result) -> Looked:
    if stat.S_ISLNK(status.st_mode):
        return _of(shown, status, digest=hashlib.sha256(os.fsencode(path.readlink())).hexdigest())
    if stat.S_ISREG(status.st_mode):
        return _file(path, shown, status)
    return _of(shown, status)


def _file(path: Path, shown: str, status: os.stat_result) -> Looked:
    """A plain file's bytes. Another thing that took its name meanwhile is not opened as one (CWE-367)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        opened = os.fstat(descriptor)
        if (opened.st_dev, opened.st_ino) != (status.st_dev, status.st_ino):
            return _of(shown, status, why="it was replaced while it was looked at")
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (after.st_size, after.st_mtime_ns) != (opened.st_size, opened.st_mtime_ns):
        return _of(shown, status, why="it changed while it was read")
    return _of(shown, after, digest=digest.hexdigest())


def _of(shown: str, status: os.stat_result, *, digest: str = "", why: str = "") -> Looked:
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "other")
    return Looked(
        path=shown,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        owner=status.st_uid,
        group=status.st_gid,
        size=status.st_size if kind == "file" else 0,
        digest=digest,
        why=why,
    )


def _blind(shown: str, why: str) -> Looked:
    return Looked(path=shown, kind="unknown", mode=0, owner=0, group=0, size=0, digest="", why=why)
