"""Finds log files and reads their lines in batches, compressed or not.

A line is what a decoder can read alone. Where it needs others it is given them: rows of Zeek and IIS the header of
their columns, system calls of auditd what else was recorded of them. Records that are no lines
(`rempart.events.framing`) are numbered by their place. Text in UTF-16, as PowerShell writes it, becomes UTF-8.
"""

import bz2
import codecs
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import zstandard

from rempart.errors import Problem
from rempart.events.columns import Columns
from rempart.events.framing import LONGEST, framing
from rempart.events.joining import Joining

LONGEST_LINE = LONGEST
"""Bytes of the longest line that is read; Windows events with scripts in them are long, a disk image is no log."""

BATCH_LINES = 8_000
"""So many that lines of one kind are looked at in a row (`rempart.detection.glance`)."""
_FIRST_LINES = 500
"""Lines of the first batch; each next one has twice as many, up to the most. So something is soon seen of any file, and
what several processes do before they part is short."""
_BATCH_BYTES = 12 << 20
_NAMES = frozenset({".evtx", ".json", ".jsonl", ".ndjson", ".log", ".xml"})
_SAMPLE = 1 << 16
_SAMPLED = 100
"""Lines in a sample, taken evenly: in a log of many programs each should be among them."""
_PACKED = 1 << 10
"""Bytes unpacked at once: in zstd four bytes may stand for 128 KiB, so this is at most 32 MiB."""
_MEND = "Copy the file again; what could be read of it was read."


class Shape(StrEnum):
    """How a log file is built."""

    EVTX = "evtx"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file to read. ``source`` is its path as the person gave it."""

    source: str
    shape: Shape
    size: int
    sample: tuple[bytes, ...]
    """Some of its lines, to tell what kind of log it is."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines read together, numbered on from ``first``, without their newline."""

    source: str
    first: int
    lines: list[bytes]
    read: int
    """Bytes of the file on the disk read up to here."""


def find(path: str) -> Iterator[LogFile | Problem]:
    """The log files at a path: the file itself, or those below a folder, by name. Hidden files are left out."""
    if not Path(path).exists():
        yield Problem("there is no such file or folder", path, "Check the path.")
    elif Path(path).is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if _named_as_log(name):
                    yield look(f"{folder.rstrip('/')}/{name}")
    else:
        yield look(path)


def _named_as_log(name: str) -> bool:
    """``auth.log``, ``auth.log.1``, ``events.ndjson.zst``; not ``.hidden.log``, not ``README.md``."""
    return not name.startswith(".") and any(suffix.lower() in _NAMES for suffix in Path(name).suffixes)


def look(source: str) -> LogFile | Problem:
    """What kind of file it is, by its first bytes; the name says nothing."""
    try:
        with Path(source).open("rb") as raw:
            head, size = raw.read(8), os.fstat(raw.fileno()).st_size
            if head == b"ElfFile\0" or source.lower().endswith(".evtx"):
                return LogFile(source, Shape.EVTX, size, ())
            with _decompressed(source, raw) as lines:
                sample = lines.read(_SAMPLE)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as fault:
        return Problem(f"cannot be read: {fault}", source, _MEND)
    if b"\0" in sample:
        return Problem("is neither EVTX nor text", source, "Give EVTX, JSON lines or text logs.")
    whole = sample.splitlines() if len(sample) < _SAMPLE else sample.splitlines()[:-1] or [sample]
    if framing(whole) is not None:
        return LogFile(source, Shape.LINES, size, _sampled(_first_records(source)))
    return LogFile(source, Shape.LINES, size, _sampled(Columns().joined(whole)))


def _sampled(lines: list[bytes]) -> tuple[bytes, ...]:
    """Lines taken evenly, without empty ones and those of headers, which tell nothing."""
    telling = [line for line in lines if line.strip() and (line[:1] != b"#" or b"\n" in line)]
    return tuple(telling[:: -(-len(telling) // _SAMPLED) or 1])


def batches(source: str) -> Iterator[Batch | Problem]:
    """The lines of a file in batches; a `Problem` where it breaks off, after what came before it.

    A batch is not held here while the next one is read.
    """
    first = 1
    try:
        with Path(source).open("rb") as raw, _decompressed(source, raw) as lines:
            for batch in _records(lines):
                yield Batch(source, first, batch, raw.tell())
                first += len(batch)
                del batch
    except _TooLong as fault:
        yield Problem(f"a line is longer than {LONGEST_LINE} bytes", f"{source}:{first + fault.lines}", _MEND)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as fault:
        yield Problem(f"breaks off: {fault}", f"{source}:{first}", _MEND)


def _records(lines: IO[bytes]) -> Iterator[list[bytes]]:
    """The lines in batches, each line with the others that it needs to be understood."""
    batch = _batch(lines, _FIRST_LINES)
    if (frames := framing(batch)) is not None:
        while batch:
            if found := frames.records(batch):
                yield found
            batch = _batch(lines, _FIRST_LINES)
        if found := frames.rest():
            yield found
        return
    joining = Joining()
    held: list[bytes] = []
    most = _FIRST_LINES
    while batch:
        most = min(2 * most, BATCH_LINES)
        batch = held + batch
        given = len(batch) - joining.unfinished(batch)
        batch, held = batch[:given], batch[given:]
        if batch:
            batch = joining.joined(batch)
            yield batch
        del batch  # not held while the next one is read
        batch = _batch(lines, most)
    if held:
        yield joining.joined(held)


def _first_records(source: str) -> list[bytes]:
    """Those that the beginning of a file holds whose records are no lines; none where it breaks off before."""
    return next((each.lines for each in batches(source) if isinstance(each, Batch)), [])


class _TooLong(Exception):
    def __init__(self, lines: int) -> None:
        super().__init__(lines)
        self.lines = lines


def _batch(lines: IO[bytes], most: int) -> list[bytes]:
    batch: list[bytes] = []
    size = 0
    while len(batch) < most and size < _BATCH_BYTES and (line := lines.readline(LONGEST_LINE)):
        if len(line) == LONGEST_LINE:
            raise _TooLong(len(batch))
        size += len(line)
        batch.append(line.rstrip(b"\r\n"))
    return batch


def _decompressed(source: str, raw: io.BufferedReader) -> IO[bytes]:
    """The text of a file in UTF-8, whatever it is packed with."""
    raw.seek(0)
    head = raw.read(4)
    raw.seek(0)
    if head == b"\x28\xb5\x2f\xfd":
        return _text(io.BufferedReader(_Zstandard(raw), 1 << 20))
    if head[:2] == b"\x1f\x8b":
        return _text(io.BufferedReader(gzip.GzipFile(source, fileobj=raw), 1 << 20))
    if head[:3] == b"BZh":
        return _text(io.BufferedReader(bz2.BZ2File(raw), 1 << 20))
    return _text(raw)


def _text(plain: io.BufferedReader) -> IO[bytes]:
    """The text without its byte order mark; in UTF-8 where the mark, or the first character's zero, says UTF-16."""
    head = plain.peek(4)[:4]
    if head.startswith(codecs.BOM_UTF8):
        plain.read(len(codecs.BOM_UTF8))
    for order, mark in (("le", codecs.BOM_UTF16_LE), ("be", codecs.BOM_UTF16_BE)):
        if head.startswith(mark) or head[:2] in [f"{each}".encode(f"utf-16-{order}") for each in "{[<"]:
            return io.BufferedReader(_Utf16(plain, f"utf-16-{order}"), 1 << 16)
    return plain


class _Utf16(io.RawIOBase):
    """The text of a file in UTF-16, in UTF-8; what is no text becomes U+FFFD."""

    def __init__(self, packed: IO[bytes], codec: str) -> None:
        super().__init__()
        self._packed = packed
        self._decoder = codecs.getincrementaldecoder(codec)("replace")
        self._begun = False
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is text at hand."""
        while not self._held:
            packed = self._packed.read(_SAMPLE)
            text = self._decoder.decode(packed, final=not packed)
            if not packed and not text:
                return 0
            self._held = memoryview((text if self._begun else text.removeprefix("\ufeff")).encode())
            self._begun = True
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size


class _Zstandard(io.RawIOBase):
    """The text of a zstd file; unlike the library's own reader it says when the file ends in the middle."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__()
        self._packed = packed
        self._frame = _frame()
        self._begun = False
        self._text = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is text at hand."""
        while not self._text:
            if not (packed := self._packed.read(_PACKED)):
                if self._begun:
                    raise EOFError("the compressed file ends in the middle")
                return 0
            self._text = memoryview(self._unpack(packed))
        size = min(len(buffer), len(self._text))
        buffer[:size] = self._text[:size]
        self._text = self._text[size:]
        return size

    def _unpack(self, packed: bytes) -> bytes:
        text = b""
        while packed:
            text += self._frame.decompress(packed)
            self._begun = not self._frame.eof
            packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = _frame()
        return text


def _frame() -> "zstandard.ZstdDecompressionObj":  # a name its type stubs have and the module has not
    return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
