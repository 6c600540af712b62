"""The backup of a box as one tar file: description, journal, and, only when asked, what it signs and opens with.

The journal is copied while the guard may be writing it; nothing of the station is changed. What comes back is believed
in nothing: names are those that a backup has, every file has the hash that the list says, and the journal verifies.
"""

import hashlib
import io
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rempart.adapters.journal import verify_file
from rempart.config import Places
from rempart.edge import whole
from rempart.errors import InputRefused, JournalBroken
from rempart.instants import Instant

LIST = "backup.json"
_CONSOLE_ENV = "console.env"
_SETTING = re.compile(r"(CONSOLE|CONSOLE_NAME|CONSOLE_ORIGIN)=[A-Za-z0-9 ./:_-]*|[#;].*|")
"""A line of console.env that a backup may bring. systemd gives the guard whatever stands there: a backup that somebody
changed could name a folder of theirs as ``PYTHONPATH`` (CWE-454)."""
_LARGEST = 4 << 30
"""Bytes of one file that a backup may bring."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands first in the file."""

    format: int = 1
    site: str
    made: Instant
    keys: bool
    entries: int
    root: str
    """Hex of the RFC 6962 root over the journal's entries."""
    files: dict[str, str]
    """Name to SHA-256 in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was read and holds together. It may hold private keys, so it shows nothing of them."""

    listed: Listed
    contents: Mapping[str, bytes] = field(repr=False)


def homes(places: Places, *, keys: bool) -> dict[str, Path]:
    """Where each part lies on a box, by its name in a backup; a folder stands for all that is in it."""
    parts = {
        "site.toml": places.site,
        "exceptions.toml": places.exceptions,
        "countries.csv": places.countries,
        _CONSOLE_ENV: places.site.with_name("console.env"),
        "journal.db": places.journal,
        "attachments": places.attachments,
        "rules": places.installed_rules,
        "indicators": places.indicators,
    }
    if keys:
        parts |= {
            "keys": places.keys,
            "accounts.db": places.accounts,
            "masks.key": places.masks,
            "certificate": places.certificate,
        }
    return parts


def taken(places: Places, site: str, now: Instant, *, keys: bool) -> bytes:
    """The backup of a box as it stands. Raises `InputRefused`, or `JournalBroken` when the journal does not verify."""
    contents = dict(_gathered(homes(places, keys=keys)))
    entries, root = _proved(contents["journal.db"])
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    listed = Listed(site=site, made=now, keys=keys, entries=entries, root=root, files=sums)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in ((LIST, msgspec.json.encode(listed)), *contents.items()):
            told = tarfile.TarInfo(name)
            told.size, told.mode, told.mtime = len(content), 0o600, now // 1_000_000
            tar.addfile(told, io.BytesIO(content))
    return packed.getvalue()


def read(file: Path) -> Backup:
    """A backup, checked whole. Raises `InputRefused`, or `JournalBroken` when its journal does not hold."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            members = {member.name: _content(tar, member) for member in tar}
        listed = msgspec.json.decode(members.pop(LIST), type=Listed)
    except (OSError, tarfile.TarError, msgspec.MsgspecError, KeyError) as fault:
        raise InputRefused(
            f"this is no backup of a box: {fault}",
            where=str(file),
            now="Give the file that rempart backup made.",
        ) from fault
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    if sums != listed.files or "journal.db" not in members or "site.toml" not in members:
        raise InputRefused(
            "it is not as it was made: a file in it is missing or changed",
            where=str(file),
            now="Use another copy of the backup.",
        )
    if (listed.entries, listed.root) != _proved(members["journal.db"]):
        raise JournalBroken(
            "its journal is not the one that it lists", where=str(file), now="Use another copy of the backup."
        )
    return Backup(listed, members)


def homed(backup: Backup, places: Places) -> Iterator[tuple[Path, bytes]]:
    """Each file of a backup with where it belongs; not a console.env that is `foreign`.

    Raises `InputRefused` for a file that belongs nowhere.
    """
    known = homes(places, keys=backup.listed.keys)
    for name, content in backup.contents.items():
        if name == _CONSOLE_ENV and foreign(backup):
            continue
        part, _, below = name.partition("/")
        steps = below.split("/") if below else []
        if part not in known or any(step in ("", ".", "..") or "\0" in step for step in steps):
            raise InputRefused(f"{name!r} has no place on a box", now="Use another copy of the backup.")
        yield known[part].joinpath(*steps), content


def foreign(backup: Backup) -> str:
    """The first line of its console.env that sets something else than where the pages are; empty when there is none."""
    lines = backup.contents.get(_CONSOLE_ENV, b"").decode("utf-8", "replace").splitlines()
    return next((line for line in lines if not _SETTING.fullmatch(line) or line.endswith("\\")), "")


def _gathered(parts: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    for name, path in parts.items():
        if path.is_dir():
            for file in sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink()):
                yield f"{name}/{file.relative_to(path)}", _bytes(file)
        elif path.suffix == ".db" and path.exists():
            yield name, _database(path)
        elif path.exists():
            yield name, _bytes(path)
        elif name in ("site.toml", "journal.db"):
            raise InputRefused(
                "there is nothing to back up here",
                where=str(path),
                now="Name the station's folders with --state and --site; read them as root.",
            )


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise InputRefused(
            f"it cannot be read: {fault.strerror}", where=str(file), now="Run it as root."
        ) from fault


def _database(path: Path) -> bytes:
    """One unchanging view of an SQLite file that another process may be writing."""
    with tempfile.TemporaryDirectory(prefix="rempart-backup.") as scratch:
        copy = Path(scratch, path.name)
        try:
            with (
                closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as fault:
            raise InputRefused(
                f"it cannot be copied: {fault}", where=str(path), now="Run it as root."
            ) from fault
        return copy.read_bytes()


def _proved(journal: bytes) -> tuple[int, str]:
    """How many entries the journal has and the root over them. Raises `JournalBroken`."""
    with tempfile.TemporaryDirectory(prefix="rempart-backup.") as scratch:
        file = Path(scratch, "journal.db")
        file.touch(mode=0o600)
        file.write_bytes(journal)
        verdict = verify_file(file)
    if not verdict.ok:
        raise JournalBroken(
            f"the journal does not verify: {verdict.faults[0]}", now="rempart verify says where it is broken."
        )
    return verdict.entries, verdict.root.hex()


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    # A sparse one would be read as gigabytes of nothing out of a file of a kilobyte.
    if not member.isreg() or member.issparse() or member.size > _LARGEST:
        raise tarfile.TarError(f"{member.name!r} is no file of a backup")
    opened = tar.extractfile(member)
    assert opened is not None
    with opened:
        return opened.read()


def put(file: Path, content: bytes, owner: tuple[int, int]) -> None:
    """Write a file that only its owner reads, with its folders. Raises `InputRefused`."""
    try:
        made = [folder for folder in file.parents if not folder.exists()]
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        for each in (*made, file):
            os.chown(each, *owner)
        for folder in (file.parent, *(each.parent for each in made)):
            whole.settle(folder)
    except OSError as fault:
        raise InputRefused(
            f"it cannot be written: {fault.strerror}",
            where=str(file),
            now="Restore to an empty box, as root.",
        ) from fault
