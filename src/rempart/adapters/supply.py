"""Rule sets on disk: taken in from a folder, an archive or an address, put in place at once, and taken back.

    STATE/rules/current      the set in force: a link, changed by one rename, so that a reader sees the old or the new
    STATE/rules/previous     the set before it, for `Supply.rollback`
    STATE/rules/sets/ID/     about.json, and files/ with the rules and their samples; never changed once it is there

What is taken in was written by others. Only ordinary files with the endings of `KEPT` are kept, under plain names below
the set's own folder; links, devices and programs are left out and counted. A name that leads out of the folder
(CWE-22, "zip slip"), a name given twice, or more than the limits below (CWE-409, archive bombs) refuses the whole set;
sizes are counted while unpacking, whatever the archive says of itself, and what it says of itself is bounded before it
is read. A checksum is compared before anything is unpacked. Nothing is executed, and nothing is fetched unless the
operator names the address; to another host than that, only with a checksum.
"""

import contextlib
import errno
import fcntl
import gzip
import hashlib
import json
import os
import shutil
import ssl
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol, cast
from urllib.parse import urlsplit

from rempart.edge import whole
from rempart.edge.archive import zip_entries
from rempart.edge.patience import Patience
from rempart.errors import InputRefused, PrivilegeMissing, RempartError
from rempart.instants import Instant

KEPT = frozenset({".yml", ".yaml", ".json", ".ndjson", ".log", ".evtx", ".toml", ".md", ".txt"})
"""Endings of what a set may hold: rules, their samples, and what is to be read about them (licences)."""

MAX_ARCHIVE = 32 << 20
"""Bytes of an archive."""
MAX_UNPACKED = 256 << 20
"""Bytes of all that an archive unpacks to, kept or not."""
MAX_FILE = 32 << 20
"""Bytes of one kept file."""
MAX_FILES = 50_000
"""Entries of one set, kept or not, and folders made for them."""
MAX_NAME = 400
"""Characters of one name with its folders."""

MAX_HEADER = 1 << 18
"""Bytes of what a tar says of one entry, before it or of all entries that follow."""
MAX_NOTES = 100
"""Notes (pax headers) of a tar on all entries that follow."""

_CHUNK = 1 << 16
_PATIENCE = 30
"""Seconds without a byte before a download is given up."""
_FETCH = 900
"""Seconds for a whole download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFiles:
    """One set of rule files, as it lies on the disk."""

    folder: Path
    """Where its files are."""
    source: str
    """What the operator named."""
    sha256: str
    """Of the archive's bytes; of a folder, of the lines ``sha256sum`` prints for its kept files, sorted by name."""
    kept: int
    left_out: int
    """Entries that were no ordinary file with one of the endings."""
    installed: Instant | None = None

    @property
    def id(self) -> str:
        """The name of its folder among the sets."""
        return self.sha256[:16]


class Supply:
    """The rule sets of one station. One operator at a time changes them; anybody may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def current(self) -> RuleFiles | None:
        """The set in force; its folder is the real one, which stays when another takes its place."""
        return self._linked("current")

    @property
    def previous(self) -> RuleFiles | None:
        """The set that a rollback brings back."""
        return self._linked("previous")

    @contextlib.contextmanager
    def staged(self, source: str, *, sha256: str | None = None) -> Iterator[RuleFiles]:
        """A set taken in beside those in place, to be looked at before `switch`; it is gone afterwards.

        Raises `InputRefused` when the source cannot be used or has another checksum.
        """
        with _told(self.folder):
            for folder in (self.folder, self.folder / "sets"):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)
            room = tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-", ignore_cleanup_errors=True)
        with room as name, self._alone():
            with _told(Path(source)):
                taken = _taken(source, Path(name), sha256)
            yield taken

    def switch(self, staged: RuleFiles, now: Instant) -> RuleFiles:
        """Put a staged set in force and keep the one before it. A power cut leaves the old or the new."""
        with _told(self.folder):
            place = self.folder / "sets" / staged.id
            if not place.exists():
                about = {**asdict(staged), "folder": "files", "installed": now}
                (staged.folder.parent / "about.json").write_text(
                    json.dumps(about, indent=1), encoding="ascii"
                )
                _readable_by_all(staged.folder.parent)
                os.sync()  # one flush for thousands of files
                staged.folder.parent.rename(place)
                whole.settle(place.parent)
            before = self._target("current")
            if before is not None and before != place.resolve():
                self._link("previous", before)
            self._link("current", place)
            self._forget_older()
        return _about(place)

    def rollback(self) -> RuleFiles:
        """Put the previous set in force again; doing it twice changes nothing in the end."""
        now, then = self._target("current"), self._target("previous")
        if now is None or then is None:
            raise InputRefused("no set was in force before", where=str(self.folder), now="Install one.")
        with _told(self.folder), self._alone():
            self._link("current", then)
            self._link("previous", now)
            return _about(then)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputRefused(
                    "somebody else is changing the rules", where=str(self.folder), now="Try again."
                ) from None
            yield

    def _linked(self, name: str) -> RuleFiles | None:
        with _told(self.folder):
            target = self._target(name)
            return None if target is None else _about(target)

    def _target(self, name: str) -> Path | None:
        link = self.folder / name
        return link.resolve() if link.is_dir() else None

    def _link(self, name: str, target: Path) -> None:
        beside = self.folder / f".{name}"
        beside.unlink(missing_ok=True)
        beside.symlink_to(Path("sets", target.name))
        beside.replace(self.folder / name)
        whole.settle(self.folder)

    def _forget_older(self) -> None:
        held = {self._target("current"), self._target("previous")}
        for folder in (self.folder / "sets").iterdir():
            if folder.resolve() not in held:
                shutil.rmtree(folder)


def _about(place: Path) -> RuleFiles:
    try:
        said = json.loads((place / "about.json").read_text(encoding="ascii"))
        return RuleFiles(**{**said, "folder": place / "files"})
    except (OSError, ValueError, TypeError) as fault:
        raise InputRefused(
            f"what is known of this rule set cannot be read: {fault}",
            where=str(place),
            now="Install a set again: `rempart rules install`.",
        ) from fault


def _readable_by_all(folder: Path) -> None:
    """Watch reads rules as a user of its own, whatever the operator's umask."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextlib.contextmanager
def _told(where: Path) -> Iterator[None]:
    """What the disk refuses, in words."""
    try:
        yield
    except PermissionError as fault:
        raise PrivilegeMissing(
            f"not permitted: {_shown(str(fault.filename))}", where=_shown(str(where)), now="Do it as root."
        ) from fault
    except OSError as fault:
        raise RempartError(
            f"the disk refuses: {fault.strerror or fault}",
            where=_shown(str(where)),
            now="Nothing was switched.",
        ) from fault


def _shown(text: str) -> str:
    return ascii(text)[1:-1][:MAX_NAME]


# -- taking in --------------------------------------------------------------------------------------------------------


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _taken(source: str, room: Path, wanted: str | None) -> RuleFiles:
    """The source's files, copied below ``room``; of an archive with another checksum nothing is unpacked."""
    hold = _Hold(source, room / "set" / "files")
    if "://" not in source and Path(source).is_dir():
        _copy_folder(Path(source), hold)
        return hold.done(_meant(hold.digest(), wanted, source))
    archive = room / "archive"
    _copy_archive(source, archive, pinned=wanted is not None)
    with archive.open("rb") as file:
        digest = _meant(hashlib.file_digest(file, "sha256").hexdigest(), wanted, source)
    _unpack(archive, hold)
    return hold.done(digest)


def _meant(digest: str, wanted: str | None, source: str) -> str:
    """The digest, when it is the one that was asked for."""
    if wanted is not None and wanted.lower() != digest:
        raise InputRefused(
            f"its SHA-256 is {digest}, not {ascii(wanted)[1:-1]}",
            where=_shown(source),
            now="It is not what was meant: ask its author. Nothing was changed.",
        )
    return digest


def _copy_archive(source: str, archive: Path, *, pinned: bool) -> None:
    if "://" in source:
        _fetch(source, archive, pinned=pinned)
    elif Path(source).is_file():
        with Path(source).open("rb") as file:
            _spool(file, archive, source)
    else:
        raise InputRefused(
            "there is no such file or folder", where=_shown(source), now="Name a set of rules."
        )


class _Hold:
    """Where a set is put together: names are checked, bytes and entries are counted."""

    def __init__(self, source: str, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.kept: dict[str, str] = {}
        """Name to the SHA-256 of the file."""
        self._entries = 0
        self._folders: set[PurePosixPath] = set()
        self._unpacked = 0

    def refuse(self, what: str, now: str = "Nothing was changed; ask its author.") -> InputRefused:
        return InputRefused(what, where=_shown(self.source), now=now)

    def enter(self, name: str) -> bool:
        """Count one entry. Whether it is to be kept, by its name; raises for a name that leads elsewhere."""
        self._entries += 1
        self.room(self._entries + len(self._folders))
        parts = name.rstrip("/").split("/")
        plain = name.isprintable() and "\\" not in name and len(name) <= MAX_NAME
        plain = plain and all(len(part.encode()) < 256 for part in parts)
        if not plain or not all(parts) or {".", ".."} & set(parts[1 if parts[0] == "." else 0 :]):
            raise self.refuse(f"it holds the name {name[:MAX_NAME]!a}, which does not stay in its folder")
        return PurePosixPath(name).suffix.lower() in KEPT or parts[-1].upper() in ("LICENSE", "README")

    def room(self, entries: int) -> None:
        """Raises when so many are too many."""
        if entries > MAX_FILES:
            raise self.refuse(f"it has more than {MAX_FILES} entries")

    def take(self, name: str, content: _Bytes) -> None:
        """Keep one file."""
        self._folders.update(PurePosixPath(name).parents)
        self.room(self._entries + len(self._folders) - 1)  # one is the set's own
        path = self.folder / name
        digest, size = hashlib.sha256(), 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                while chunk := content.read(_CHUNK):
                    size += len(chunk)
                    if size > MAX_FILE:
                        raise self.refuse(f"{_shown(name)} is longer than {MAX_FILE >> 20} MiB")
                    digest.update(chunk)
                    out.write(chunk)
        except (FileExistsError, NotADirectoryError):
            raise self.refuse(f"it holds {_shown(name)} twice") from None
        self.kept[str(PurePosixPath(name))] = digest.hexdigest()

    def count(self, size: int) -> None:
        """So many bytes more were unpacked."""
        self._unpacked += size
        if self._unpacked > MAX_UNPACKED:
            raise self.refuse(f"it unpacks to more than {MAX_UNPACKED >> 20} MiB")

    def digest(self) -> str:
        """The SHA-256 of the lines of ``sha256sum`` for all kept files, sorted by name."""
        lines = "".join(f"{self.kept[name]}  {name}\n" for name in sorted(self.kept))
        return hashlib.sha256(lines.encode()).hexdigest()

    def done(self, sha256: str) -> RuleFiles:
        """The set; raises when there is no rule file in it."""
        if not any(name.lower().endswith((".yml", ".yaml")) for name in self.kept):
            raise self.refuse("it holds no rule file (.yml)", "Name a folder or archive of Sigma rules.")
        return RuleFiles(
            folder=self.folder,
            source=_shown(self.source),
            sha256=sha256,
            kept=len(self.kept),
            left_out=self._entries - len(self.kept),
        )


def _copy_folder(folder: Path, hold: _Hold) -> None:
    for parent, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in sorted(names):
            path = Path(parent, name)
            if hold.enter(path.relative_to(folder).as_posix()) and not path.is_symlink() and path.is_file():
                with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                    hold.take(path.relative_to(folder).as_posix(), _Counted(file, hold))


def _unpack(archive: Path, hold: _Hold) -> None:
    with archive.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        try:
            if start[:2] == b"PK":
                _unzip(file, hold)
            elif start[:2] == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    _untar(unpacked, hold)
            else:
                _untar(file, hold)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as fault:
            raise hold.refuse(
                f"it is no whole archive: {ascii(str(fault))[1:-1]}",
                "Use zip, tar or tar.gz; fetch it again.",
            ) from fault
        except OSError as fault:
            if fault.errno != errno.EINVAL:  # a place before the file's beginning was sought
                raise
            raise hold.refuse("it is no whole archive", "Fetch it again.") from fault
        except (NotImplementedError, RuntimeError, ValueError) as fault:  # encrypted, or packed otherwise
            raise hold.refuse(
                f"it cannot be unpacked: {ascii(str(fault))[1:-1]}", "Use zip, tar or tar.gz."
            ) from fault


def _unzip(file: IO[bytes], hold: _Hold) -> None:
    hold.room(zip_entries(file, MAX_FILES))  # the directory of all entries is read at once
    with zipfile.ZipFile(file) as packed:
        for entry in packed.infolist():
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("packed neither stored nor deflated")
            ordinary = (entry.external_attr >> 16) & 0o170000 in (0, 0o100000)
            if hold.enter(entry.filename) and ordinary and not entry.is_dir():
                with packed.open(entry) as content:
                    hold.take(entry.filename, _Counted(content, hold))


def _untar(file: _Bytes, hold: _Hold) -> None:
    counted = _Counted(file, hold, until=MAX_HEADER)
    with tarfile.open(fileobj=cast(IO[bytes], counted), mode="r|") as packed:
        while entry := packed.next():
            counted.until = None
            # A sparse one unpacks to holes that no byte of the archive stands for: nothing would count them.
            content = packed.extractfile(entry) if entry.isreg() and not entry.issparse() else None
            if hold.enter(entry.name) and content is not None:
                hold.take(entry.name, content)
            if len(packed.pax_headers) > MAX_NOTES:
                raise hold.refuse(f"it has more than {MAX_NOTES} notes on all its entries")
            packed.members.clear()  # type: ignore[attr-defined]  # those that are past, which nobody asks for again
            counted.until = packed.offset + MAX_HEADER  # where the next entry begins, and what is said of it


class _Counted:
    """Bytes as they are unpacked. Of a tar, what is skipped and headers of any length count too.

    ``until``: reading beyond is refused; what a tar says of an entry lies in memory before it can be looked at.
    """

    def __init__(self, file: _Bytes, hold: _Hold, until: int | None = None) -> None:
        self._file = file
        self._hold = hold
        self._read = 0
        self.until = until

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        content = self._file.read(size)
        self._hold.count(len(content))
        self._read += len(content)
        if self.until is not None and self._read > self.until:
            raise self._hold.refuse(f"it says more than {MAX_HEADER >> 10} KiB of one entry")
        return content


def _spool(content: _Bytes, out: Path, source: str) -> None:
    """Copy an archive, so that what is checked is what is unpacked."""
    size = 0
    with out.open("xb") as file:
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            if size > MAX_ARCHIVE:
                raise InputRefused(
                    f"it is longer than {MAX_ARCHIVE >> 20} MiB",
                    where=_shown(source),
                    now="Name a smaller archive, or a folder.",
                )
            file.write(chunk)


# -- from an address --------------------------------------------------------------------------------------------------


class _Nearby(urllib.request.HTTPRedirectHandler):
    """Where the operator's address leads on: on the same host, or anywhere when a checksum says what is meant.

    Otherwise whoever answers there could have this box ask another for what he likes, a machine inside too (CWE-918).
    """

    def __init__(self, *, pinned: bool) -> None:
        self._pinned = pinned

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        """Raises URLError for one that is not followed."""
        newurl = str(rest[-1])
        if not self._pinned and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            raise urllib.error.URLError(f"it leads on to {newurl}; name that address, or give --sha256")
        return super().redirect_request(req, *rest)


def _opener(*, pinned: bool) -> urllib.request.OpenerDirector:
    """Speaks https and nothing else, so that no redirection leads to a file or to an unprotected connection."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(
            context=Patience(_FETCH, 2 * MAX_ARCHIVE).tls(ssl.create_default_context())
        ),
        _Nearby(pinned=pinned),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _fetch(url: str, out: Path, *, pinned: bool) -> None:
    try:
        with _opener(pinned=pinned).open(url, timeout=_PATIENCE) as answer:
            _spool(answer, out, url)
    except (urllib.error.URLError, ValueError, TimeoutError, ConnectionError) as fault:
        reason = getattr(fault, "reason", fault)
        raise InputRefused(
            f"it cannot be fetched: {ascii(str(reason))[1:-1]}",
            where=_shown(url),
            now="Name an https address, or fetch the archive and name the file. Nothing was changed.",
        ) from fault
