"""Finds log files and reads their lines in batches, compressed or not.

A line is what a decoder can read alone. Where it needs others it is given them: rows of Zeek and IIS the header of
their columns, system calls of auditd what else was recorded of them. Records that are no lines
(`rempart.events.framing`) are numbered by their place. Text in UTF-16, as PowerShell writes it, becomes UTF-8.
"""

import codecs
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from rempart.adapters.collect import evtx
from rempart.adapters.collect.packing import UNREADABLE, Reading, is_archive, members, opened
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
_NAMES = frozenset({".evtx", ".json", ".jsonl", ".ndjson", ".log", ".xml", ".csv", ".zip"})
_SAMPLE = 1 << 16
_SAMPLED = 100
"""Lines in a sample, taken evenly: in a log of many programs each should be among them."""
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
    """The log files at a path: the file itself, or those below a folder or in a zip archive, by name. Hidden files are
    left out.
    """
    if Path(path).is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if _named_as_log(name):
                    yield from _at(f"{folder.rstrip('/')}/{name}")
    elif Path(path).exists():
        yield from _at(path)
    else:
        yield Problem("there is no such file or folder", path, "Check the path.")


def _at(path: str) -> Iterator[LogFile | Problem]:
    """The file at a path; of an archive those in it that are named as logs are."""
    if not is_archive(path):
        yield look(path)
        return
    try:
        inside = list(members(path))
    except UNREADABLE as fault:
        yield Problem(f"cannot be read: {fault}", path, _MEND)
        return
    logs = [each for each in inside if _named_as_log(Path(each).name)]
    for each in logs:
        yield look(each)
    if not logs:
        yield Problem(
            "the archive has no file that is named as logs are", path, "Unpack it and name the files."
        )


def _named_as_log(name: str) -> bool:
    """``auth.log``, ``auth.log.1``, ``events.ndjson.zst``; not ``.hidden.log``, not ``README.md``."""
    return not name.startswith(".") and any(suffix.lower() in _NAMES for suffix in Path(name).suffixes)


def look(source: str) -> LogFile | Problem:
    """What kind of file it is, by its first bytes; the name says nothing."""
    try:
        with opened(source) as file:
            if file.alone and source.lower().endswith(".evtx"):
                return LogFile(source, Shape.EVTX, file.size, ())
            size, sample = file.size, _text(file.bytes).read(_SAMPLE)
    except UNREADABLE as fault:
        return Problem(f"cannot be read: {fault}", source, _MEND)
    if sample.startswith(evtx.MAGIC):
        return LogFile(source, Shape.EVTX, size, ())
    if sample.startswith(b"PK\3\4"):
        return Problem("is an archive within another", source, "Unpack the outer one.")
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
        with opened(source) as file:
            lines = _Lines(_text(file.bytes))
            for batch in _records(lines):
                yield Batch(source, first, batch, file.done())
                first += len(batch)
                del batch
            if lines.fault is not None:
                raise lines.fault
    except _TooLong:
        yield Problem(f"a line is longer than {LONGEST_LINE} bytes", f"{source}:{first}", _MEND)
    except UNREADABLE as fault:
        yield Problem(f"breaks off: {fault}", f"{source}:{first}", _MEND)


def _records(lines: "_Lines") -> Iterator[list[bytes]]:
    """The lines in batches, each line with the others that it needs to be understood."""
    batch = lines.take(_FIRST_LINES)
    if (frames := framing(batch)) is not None:
        while batch:
            if found := frames.records(batch):
                yield found
            batch = lines.take(_FIRST_LINES)
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
        batch = lines.take(most)
    if held:
        yield joining.joined(held)


def _first_records(source: str) -> list[bytes]:
    """Those that the beginning of a file holds whose records are no lines; none where it breaks off before."""
    return next((each.lines for each in batches(source) if isinstance(each, Batch)), [])


class _TooLong(Exception):
    """A line that is longer than any is read."""


class _Lines:
    """The lines of a text, without their ends, as far as it can be read. Cutting them out of large pieces is slower."""

    def __init__(self, text: IO[bytes]) -> None:
        self._text = text
        self.fault: Exception | None = None
        """Why no more can be read, where that is not the end."""

    def take(self, most: int) -> list[bytes]:
        """The next lines, so many at most; none at the end, or behind a fault."""
        batch: list[bytes] = []
        size = 0
        try:
            while self.fault is None and len(batch) < most and size < _BATCH_BYTES:
                if not (line := self._text.readline(LONGEST_LINE)):
                    break
                if len(line) == LONGEST_LINE:
                    raise _TooLong
                size += len(line)
                batch.append(line.rstrip(b"\r\n"))
        except (*UNREADABLE, _TooLong) as fault:
            self.fault = fault
        return batch


def _text(plain: io.BufferedReader) -> IO[bytes]:
    """The text without its byte order mark; in UTF-8 where the mark, or the first character's zero, says UTF-16."""
    head = plain.peek(4)[:4]
    if head.startswith(codecs.BOM_UTF8):
        plain.read(len(codecs.BOM_UTF8))
    for order, mark in (("le", codecs.BOM_UTF16_LE), ("be", codecs.BOM_UTF16_BE)):
        if head.startswith(mark) or head[:2] in [f"{each}".encode(f"utf-16-{order}") for each in "{[<"]:
            return io.BufferedReader(_Utf16(plain, f"utf-16-{order}"), 1 << 16)
    return plain


class _Utf16(Reading):
    """The text of a file in UTF-16, in UTF-8; what is no text becomes U+FFFD."""

    def __init__(self, packed: IO[bytes], codec: str) -> None:
        super().__init__()
        self._packed = packed
        self._decoder = codecs.getincrementaldecoder(codec)("replace")
        self._begun = False

    def _next(self) -> bytes | None:
        packed = self._packed.read(_SAMPLE)
        text = self._decoder.decode(packed, final=not packed)
        if not packed and not text:
            return None
        begun, self._begun = self._begun, True
        return (text if begun else text.removeprefix("\ufeff")).encode()
