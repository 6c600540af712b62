"""Opens files whatever they are packed with: zstd, gzip, bzip2, xz; also those inside a zip archive.

A path may lead into an archive: ``logs.zip/Security.evtx``. What an archive says of its sizes is not believed.
"""

import bz2
import io
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import zstandard

from rempart.edge.archive import zip_entries

UNREADABLE = (OSError, EOFError, zlib.error, zstandard.ZstdError, lzma.LZMAError, zipfile.BadZipFile)
"""What reading a packed file may raise."""

MOST_MEMBERS = 10_000
"""Files and folders of one archive that are read."""
LARGEST_COPY = 4 << 30
"""Bytes of a packed file that is laid on the disk: no event log of Windows may be larger."""

_PACKED = 1 << 10
"""Bytes unpacked at once: in zstd four bytes may stand for 128 KiB, in bzip2 forty for 900: 32 MiB at most."""
_MEMORY = 128 << 20
"""What unpacking may take of it: the most that zstd and xz use unless told otherwise."""
_AT_ONCE = 1 << 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
"""How a member may be packed; zip's LZMA may ask for any amount of memory."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open: what is in it, unpacked, and how far it was read on the disk."""

    bytes: io.BufferedReader
    size: int
    """As it is packed; of a member of an archive as it is unpacked."""
    done: Callable[[], int]
    """How much of the size was read."""
    alone: bool
    """Whether it lies on the disk as it is read: neither packed nor in an archive."""


@contextmanager
def opened(source: str) -> Iterator[Opened]:
    """The file at a path. Raises `UNREADABLE`, then and while it is read."""
    with ExitStack() as held:
        archive, name = _parted(source)
        if name is None:
            raw = held.enter_context(Path(source).open("rb"))
            size = os.fstat(raw.fileno()).st_size
        else:
            within = held.enter_context(zipfile.ZipFile(archive))
            told = within.getinfo(name) if name in within.NameToInfo else None
            if told is None:
                raise OSError(f"the archive has no {name}")
            raw, size = held.enter_context(_member(within, told)), told.file_size
        plain = _unpacked(raw)
        yield Opened(plain, size, raw.tell, alone=name is None and plain is raw)


def members(path: str) -> Iterator[str]:
    """The paths of the files in a zip archive, in its order. Raises `UNREADABLE`."""
    with Path(path).open("rb") as raw:
        if zip_entries(raw, MOST_MEMBERS) > MOST_MEMBERS:
            raise OSError(f"the archive has more than {MOST_MEMBERS} entries")
        with zipfile.ZipFile(raw) as archive:
            names = [each.filename for each in archive.infolist() if not each.is_dir()]
    yield from (f"{path}/{name}" for name in dict.fromkeys(names))


def is_archive(path: str) -> bool:
    """Whether there is a zip archive, by its first bytes: an office document would be one too."""
    try:
        with Path(path).open("rb") as raw:
            return raw.read(4) == b"PK\3\4"
    except OSError:
        return False


@contextmanager
def on_disk(source: str) -> Iterator[str]:
    """A path at which the file lies unpacked while it is needed: its own if it is not packed. Raises `UNREADABLE`."""
    with opened(source) as file:
        if file.alone:
            yield source
            return
        with tempfile.NamedTemporaryFile(prefix="rempart-") as copy:
            shutil.copyfileobj(_limited(file.bytes), copy, _AT_ONCE)
            copy.flush()
            yield copy.name


def _limited(file: io.BufferedReader) -> IO[bytes]:
    return io.BufferedReader(_Limited(file), _AT_ONCE)


def _parted(source: str) -> tuple[str, str | None]:
    """The archive that a path leads into, and the name within; no name where it leads to a file."""
    if not os.path.lexists(source):
        for place, letter in enumerate(source):
            if letter == "/" and place and is_archive(source[:place]):
                return source[:place], source[place + 1 :]
    return source, None


def _member(archive: zipfile.ZipFile, told: zipfile.ZipInfo) -> io.BufferedReader:
    if told.flag_bits & 1:
        raise OSError("it is encrypted: unpack it with its password first")
    if told.compress_type not in _METHODS:
        raise OSError(f"it is packed in a way that is not read (method {told.compress_type})")
    return io.BufferedReader(archive.open(told), _AT_ONCE)  # type: ignore[arg-type]  # it is raw enough


def _unpacked(raw: io.BufferedReader) -> io.BufferedReader:
    raw.seek(0)
    head = raw.read(6)
    raw.seek(0)
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_Frames(raw, _zstandard), _AT_ONCE)
    if head == b"\xfd7zXZ\0":
        return io.BufferedReader(_Frames(raw, _xz), _AT_ONCE)
    if head[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Frames(raw, _gzip), _AT_ONCE)
    if head[:3] == b"BZh":
        return io.BufferedReader(_Frames(raw, bz2.BZ2Decompressor), _AT_ONCE)
    return raw


class _Frame(Protocol):
    """One of the parts of a packed file that can be unpacked alone."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _zstandard() -> _Frame:
    return zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompressobj()


def _gzip() -> _Frame:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _xz() -> _Frame:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)


class Reading(io.RawIOBase):
    """What is made of another file while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something at hand."""
        while not self._held:
            if (found := self._next()) is None:
                return 0
            self._held = memoryview(found)
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size

    @abstractmethod
    def _next(self) -> bytes | None:
        """Some more, which may be nothing yet; None at the end."""


class _Frames(Reading):
    """The text of a packed file; unlike the libraries' own readers it says when the file ends in the middle, and gives
    what stands before that.
    """

    def __init__(self, packed: IO[bytes], frame: Callable[[], _Frame]) -> None:
        super().__init__()
        self._packed = packed
        self._new = frame
        self._frame = frame()
        self._begun = False

    def _next(self) -> bytes | None:
        if packed := self._packed.read(_PACKED):
            return self._unpack(packed)
        if self._begun:
            raise EOFError("the compressed file ends in the middle")
        return None

    def _unpack(self, packed: bytes) -> bytes:
        text = b""
        while packed:
            if not self._begun and not (packed := packed.lstrip(b"\0")):  # what files are filled up with
                break
            text += self._frame.decompress(packed)
            self._begun = not self._frame.eof
            packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = self._new()
        return text


class _Limited(Reading):
    """The same, until it is too much."""

    def __init__(self, file: io.BufferedReader) -> None:
        super().__init__()
        self._file = file
        self._left = LARGEST_COPY

    def _next(self) -> bytes | None:
        found = self._file.read1(_AT_ONCE)
        self._left -= len(found)
        if self._left < 0:
            raise OSError(f"unpacked it has more than {LARGEST_COPY} bytes")
        return found or None
