"""The event store: raw lines, durable before they are acknowledged, oldest dropped first.

One SQLite file. Lines read together are one row, compressed as one blob; how far each source was read is written in
the same transaction, so that after a crash each line is there exactly once. Nothing is parsed before it is stored;
lines that need others to be understood are stored with them.
Why: docs/adr/0007-event-store.md.

    segment   id (rises, never given twice), read (instant), source, decoder, first, n, codec, body
    source    path, position (opaque bytes of whoever reads the source)
    mark      one row: the last id given, how far findings were acknowledged, how many lines were dropped
"""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from rempart.errors import InputRefused, RempartError
from rempart.instants import Instant

_log = logging.getLogger(__name__)

DEFAULT_LIMIT = 2 << 30
"""Bytes that the store may fill: weeks of a home's logs, a sixteenth of a small box's disk."""

_RESERVE = 8 << 20
"""Bytes kept aside, so that dropping the oldest lines still works when the disk is full: twice the write-ahead log."""

_LONGEST = 1 << 26
"""Bytes of the longest body that is unpacked: a damaged length must not take the memory."""

_EPOCH = Instant(0)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segment (
  id INTEGER PRIMARY KEY, read INTEGER NOT NULL, source TEXT NOT NULL, decoder TEXT NOT NULL,
  first INTEGER NOT NULL, n INTEGER NOT NULL, codec TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS segment_read ON segment (read);
CREATE TABLE IF NOT EXISTS source (path TEXT PRIMARY KEY, position BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS mark (
  id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL, settled INTEGER NOT NULL,
  settled_until INTEGER NOT NULL, dropped INTEGER NOT NULL);
INSERT OR IGNORE INTO mark VALUES (1, 0, 0, 0, 0);
"""


class StoreFailed(RempartError):
    """The disk refused what was to be stored; it may be tried again with the same batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines of one source that were read together, and where reading stands after them."""

    id: int
    """The segment they will be: higher than any before."""
    read: Instant
    source: str
    decoder: str
    numbers: Sequence[int]
    """Line numbers or record ids, as many as ``bodies``, rising."""
    bodies: Sequence[bytes]
    """None holds a newline."""
    position: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Lines as they were stored."""

    id: int
    read: Instant
    source: str
    decoder: str
    numbers: Sequence[int]
    bodies: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Segments that cannot be read again: the disk or somebody changed their bytes."""

    path: Path
    first: int
    last: int
    what: str

    def __str__(self) -> str:
        which = (
            f"segment {self.first}" if self.first == self.last else f"segments {self.first} to {self.last}"
        )
        return f"{self.path}: {which}: {self.what}"


@dataclass(frozen=True, slots=True)
class Settled:
    """How far the guard has acknowledged: the segment, and the time of the newest event until there."""

    segment: int = 0
    until: Instant = _EPOCH


class EventStore:
    """The store of one watch, its only writer. `append` may run in another thread, one call at a time."""

    def __init__(self, path: Path, *, limit: int = DEFAULT_LIMIT) -> None:
        """Open or make it. A file that is damaged is put aside, and what can be read of it is taken over."""
        self.path = path
        self._limit = limit
        self._pack = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._settled = Settled()
        self._positions: dict[str, bytes] = {}
        self._last = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open()
        except sqlite3.DatabaseError as fault:
            if not _is_damage(fault):
                raise _failed(path, fault) from fault
            self._put_aside(fault)
        except OSError as fault:
            raise _failed(path, fault) from fault

    @property
    def last(self) -> int:
        """The id of the newest segment ever stored; 0 when there was none."""
        return self._last

    @property
    def settled(self) -> Settled:
        """How far the guard has acknowledged, as last noted."""
        return self._settled

    @property
    def dropped(self) -> int:
        """How many lines were dropped to keep the limit, since the beginning."""
        (dropped,) = self._connection.execute("SELECT dropped FROM mark").fetchone()
        return int(dropped)

    def position(self, source: str) -> bytes | None:
        """Where reading of the source stood when its last lines were stored."""
        return self._positions.get(source)

    def append(self, batches: Sequence[Batch]) -> None:
        """Store the batches, all or none, and return when they are on the disk; each becomes a segment.

        Raises StoreFailed when the disk refuses; the same call may then be made again.
        """
        try:
            self._append(batches)
        except (sqlite3.Error, OSError) as fault:
            self._mend(fault)
            self._append_again(batches)

    def settle(self, settled: Settled) -> None:
        """Note how far the guard has acknowledged. Kept with the next batch: losing it only repeats findings."""
        self._settled = settled

    def since(self, instant: Instant, *, after: int = 0) -> Iterator[Segment | Damage]:
        """The segments read at ``instant`` or later and higher than ``after``, in the order of reading.

        What is damaged is told, not skipped. May be called in any thread.
        """
        with closing(_read_only(self.path)) as connection:
            begin = max(after, _before(connection, instant))
            yield from _segments(connection, self.path, begin, self._last)

    def close(self) -> None:
        """Write what was noted and let go of the file."""
        try:
            self._connection.execute(*self._marks(self._last))
            self._connection.commit()
        except sqlite3.Error as fault:
            _log.warning("%s: what was acknowledged is not noted: %s", self.path, fault)
        self._connection.close()

    # -- writing -------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        os.close(
            os.open(self.path, os.O_CREAT | os.O_CLOEXEC, 0o600)
        )  # logs hold names: nobody else reads them
        self._connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(
            "PRAGMA page_size=16384; PRAGMA journal_mode=wal; PRAGMA synchronous=full;"
            "PRAGMA wal_autocheckpoint=256;" + _SCHEMA
        )
        last, settled, until = self._connection.execute(
            "SELECT last, settled, settled_until FROM mark"
        ).fetchone()
        self._last, self._settled = max(last, self._last), Settled(settled, Instant(until))
        self._positions = dict(self._connection.execute("SELECT path, position FROM source"))
        self._keep_reserve()

    def _append(self, batches: Sequence[Batch]) -> None:
        rows = [self._row(batch) for batch in batches]
        positions = {batch.source: batch.position for batch in batches}
        last = max(self._last, *(batch.id for batch in batches))
        self._connection.execute("BEGIN IMMEDIATE")
        self._drop_over_limit(sum(len(row[-1]) for row in rows))
        self._connection.executemany("INSERT INTO segment VALUES (?,?,?,?,?,?,?,?)", rows)
        self._connection.executemany("INSERT OR REPLACE INTO source VALUES (?,?)", positions.items())
        self._connection.execute(*self._marks(last))
        self._connection.execute("COMMIT")
        self._last = last
        self._positions |= positions

    def _append_again(self, batches: Sequence[Batch]) -> None:
        try:
            self._append(batches)
        except (sqlite3.Error, OSError) as fault:
            self._rollback()
            raise _failed(self.path, fault) from fault
        with suppress(OSError):  # tried again when room is next made
            self._keep_reserve()

    def _mend(self, fault: Exception) -> None:
        """Do what makes a second attempt likely to succeed: a new file after damage, else room."""
        self._rollback()
        _log.warning("%s: %s", self.path, fault)
        try:
            if isinstance(fault, sqlite3.Error) and _is_damage(fault):
                self._put_aside(fault)
            else:
                self._make_room()
        except (sqlite3.Error, OSError) as again:
            self._rollback()
            raise _failed(self.path, again) from again

    def _make_room(self) -> None:
        """Give up the reserve and drop the oldest tenth: freed pages take the new lines, the disk is not asked."""
        self._reserve.unlink(missing_ok=True)
        self._drop(0.1)
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # SQLite has then rolled back by itself
                self._connection.execute("ROLLBACK")

    def _row(self, batch: Batch) -> tuple[Any, ...]:
        first, n = batch.numbers[0], len(batch.bodies)
        if any(b"\n" in body for body in batch.bodies):  # lines given with others that they need
            codec, plain = (
                "zstd-joined",
                b"\n".join(b"-" + body.replace(b"\n", b"\n+") for body in batch.bodies),
            )
        elif batch.numbers[-1] - first == n - 1:
            codec, plain = "zstd", b"\n".join(batch.bodies)
        else:
            codec = "zstd-numbered"
            plain = b"\n".join(
                b"%d %s" % (number, body) for number, body in zip(batch.numbers, batch.bodies, strict=True)
            )
        packed = self._pack.compress(plain)
        return batch.id, batch.read, batch.source, batch.decoder, first, n, codec, packed

    def _marks(self, last: int) -> tuple[str, tuple[int, ...]]:
        # A finding may be acknowledged before its lines are on the disk; after a crash they are read again.
        marks = (last, min(self._settled.segment, last), self._settled.until)
        return "UPDATE mark SET last=?, settled=?, settled_until=?", marks

    # -- room ----------------------------------------------------------------------------------------------------

    def _drop_over_limit(self, coming: int) -> None:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        if (pages - free) * size + coming > self._limit:
            self._drop(0.05)

    def _drop(self, share: float) -> None:
        """Drop the oldest share of the segments, at least one, and say so."""
        oldest, newest = self._connection.execute("SELECT min(id), max(id) FROM segment").fetchone()
        if oldest is None:
            return
        until = oldest + int((newest - oldest) * share)
        (lines,) = self._connection.execute("SELECT sum(n) FROM segment WHERE id <= ?", (until,)).fetchone()
        self._connection.execute("DELETE FROM segment WHERE id <= ?", (until,))
        self._connection.execute("UPDATE mark SET dropped = dropped + ?", (lines,))
        _log.warning("%s: full: the %d oldest lines were dropped, until segment %d", self.path, lines, until)

    @property
    def _reserve(self) -> Path:
        return self.path.with_name(self.path.name + ".reserve")

    def _keep_reserve(self) -> None:
        with self._reserve.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVE)

    # -- damage --------------------------------------------------------------------------------------------------

    def _put_aside(self, fault: sqlite3.Error) -> None:
        """Move the damaged file aside, begin a new one, and take over all that can still be read."""
        with suppress(AttributeError, sqlite3.Error):  # not yet opened, or too damaged to close in order
            self._connection.close()
        aside = self._aside()
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
        _log.error(
            "%s: damaged (%s): put aside as %s; what can be read is taken over", self.path, fault, aside
        )
        positions, settled = self._positions, self._settled
        self._open()
        self._positions, self._settled = positions, settled
        self._take_over(aside)

    def _aside(self) -> Path:
        places = (self.path.with_name(f"{self.path.name}.damaged-{number}") for number in range(1, 1000))
        return next(place for place in places if not place.exists())

    def _take_over(self, aside: Path) -> None:
        with closing(sqlite3.connect(aside)) as old:
            self._positions = _readable_positions(old) | self._positions
            last, self._settled = _readable_marks(old, self._settled)
            self._last = max(self._last, last)
            self._connection.execute("BEGIN IMMEDIATE")
            for row in _rows(old, aside, 0, self._last):
                if isinstance(row, Damage):
                    _log.error("%s", row)
                else:
                    self._connection.execute("INSERT INTO segment VALUES (?,?,?,?,?,?,?,?)", row)
            self._connection.executemany("INSERT INTO source VALUES (?,?)", self._positions.items())
            self._connection.execute(*self._marks(self._last))
            self._connection.execute("COMMIT")


def stored(path: Path, since: Instant) -> Iterator[Segment | Damage]:
    """The segments of a store that a watch may be writing to, read at ``since`` or later; see `EventStore.since`.

    Raises InputRefused when the file is no store.
    """
    try:
        with closing(_read_only(path)) as connection:
            (last,) = connection.execute("SELECT last FROM mark").fetchone()
            yield from _segments(connection, path, _before(connection, since), last)
    except (sqlite3.DatabaseError, TypeError) as fault:
        raise InputRefused(
            f"this is no event store: {fault}", where=str(path), now="Name the station's events.db."
        ) from fault


# -- reading -----------------------------------------------------------------------------------------------------


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)


def _before(connection: sqlite3.Connection, instant: Instant) -> int:
    """The id before the first segment read at ``instant`` or later; 0 when the index is damaged."""
    try:
        (first,) = connection.execute("SELECT min(id) FROM segment WHERE read >= ?", (instant,)).fetchone()
        if first is None:
            (first,) = connection.execute("SELECT last + 1 FROM mark").fetchone()
        return int(first) - 1
    except sqlite3.DatabaseError:
        return 0  # then all is read: the segments themselves tell what is damaged


def _segments(
    connection: sqlite3.Connection, path: Path, after: int, last: int
) -> Iterator[Segment | Damage]:
    for row in _rows(connection, path, after, last):
        if isinstance(row, Damage):
            yield row
            continue
        try:
            yield _unpacked(row)
        except (ValueError, TypeError, AttributeError, zstandard.ZstdError) as fault:
            yield Damage(path=path, first=row[0], last=row[0], what=str(fault))


def _rows(
    connection: sqlite3.Connection, path: Path, after: int, last: int
) -> Iterator[tuple[Any, ...] | Damage]:
    """Row by row, each by its own id, so that a damaged page hides no more than its own rows."""
    broken: tuple[int, str] | None = None
    while after < last:
        try:
            row = connection.execute(
                "SELECT * FROM segment WHERE id > ? ORDER BY id LIMIT 1", (after,)
            ).fetchone()
        except sqlite3.DatabaseError as fault:
            after += 1
            broken = broken or (after, str(fault))
            continue
        if row is None or row[0] > last:
            break
        if broken:
            yield Damage(path=path, first=broken[0], last=row[0] - 1, what=broken[1])
            broken = None
        after = row[0]
        yield row
    if broken:
        yield Damage(path=path, first=broken[0], last=after, what=broken[1])


def _unpacked(row: tuple[Any, ...]) -> Segment:
    """The row as a segment. Raises ValueError or ZstdError when its bytes are not those that were written."""
    number, read, source, decoder, first, n, codec, body = row
    plain = zstandard.ZstdDecompressor().decompress(body, max_output_size=_LONGEST)
    bodies = plain.split(b"\n")
    numbers: Sequence[int] = range(first, first + n)
    if codec == "zstd-joined":
        bodies = [each.replace(b"\n+", b"\n") for each in plain[1:].split(b"\n-")]
    elif codec == "zstd-numbered":
        split = [body.partition(b" ") for body in bodies]
        numbers, bodies = [int(number) for number, _, _ in split], [body for _, _, body in split]
    elif codec != "zstd":
        raise ValueError(f"unknown codec {codec!a}: written by a newer version?")
    if len(bodies) != n:
        raise ValueError(f"{len(bodies)} lines where {n} were stored")
    return Segment(id=number, read=read, source=source, decoder=decoder, numbers=numbers, bodies=bodies)


def _readable_positions(connection: sqlite3.Connection) -> dict[str, bytes]:
    try:
        return dict(connection.execute("SELECT path, position FROM source"))
    except sqlite3.DatabaseError as fault:
        _log.error("how far the sources were read is lost (%s): they are read from their beginning", fault)
        return {}


def _readable_marks(connection: sqlite3.Connection, otherwise: Settled) -> tuple[int, Settled]:
    try:
        last, settled, until = connection.execute("SELECT last, settled, settled_until FROM mark").fetchone()
    except (sqlite3.DatabaseError, TypeError) as fault:
        _log.error("what was acknowledged is lost (%s): findings are sent again", fault)
        return _newest(connection), otherwise
    return last, Settled(settled, Instant(until))


def _newest(connection: sqlite3.Connection) -> int:
    """The id of the newest segment, of a file whose marks are damaged; when that is too, a guess that is high."""
    try:
        (newest,) = connection.execute("SELECT max(id) FROM segment").fetchone()
    except sqlite3.DatabaseError as fault:
        return 0 if fault.sqlite_errorcode == sqlite3.SQLITE_NOTADB else 1 << 16
    return newest or 0


def _is_damage(fault: sqlite3.Error) -> bool:
    return fault.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _failed(path: Path, fault: Exception) -> StoreFailed:
    return StoreFailed(
        f"events cannot be stored: {fault}",
        where=str(path),
        now="Make room on the disk or replace it. Detection goes on; a power cut now may lose what is read meanwhile.",
    )
