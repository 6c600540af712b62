"""The findings of some weeks, in bunches made as findings come, so that a page is ready however many there are.

One SQLite file of watch. Accounts stand behind masks before anything is written. It can be lost: what was decided
stands in the journal, and a damaged file is put aside and begun anew. The oldest findings go first, and their days
with them.

    finding   n (rises), id (a finding is kept once), day, bunch, rule, read, body
    bunch     day, id, level, kind, first, last, findings, events, body (the latest finding and its traits)
    day       day, findings: as many as came, also those that are no longer kept
"""

import contextlib
import hmac
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rempart.detection.bunch import Bunch, Kept, bunch_id
from rempart.detection.exception import Exemption
from rempart.detection.finding import Finding, Kind, Level
from rempart.detection.trait import Trait, discreet
from rempart.instants import Instant
from rempart.site.belgian_time import on_the_wall

_log = logging.getLogger("rempart.watch")

MOST = 1_000_000
"""Findings that are kept."""

LARGEST = 2 << 30
"""Bytes of the file, as well."""

_SHARE = 0.05
"""Share of the oldest that goes at a time."""

PAGE = 50
"""Bunches, or findings, of one answer."""

LOOKED_AT = 20_000
"""Findings of a rule, the latest, that an exception is tried on before it is made."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS finding (
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, day INTEGER NOT NULL, bunch TEXT NOT NULL,
  rule TEXT NOT NULL, read INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS finding_bunch ON finding (day, bunch, n);
CREATE INDEX IF NOT EXISTS finding_rule ON finding (rule, n);
CREATE TABLE IF NOT EXISTS bunch (
  day INTEGER NOT NULL, id TEXT NOT NULL, level INTEGER NOT NULL, kind TEXT NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, findings INTEGER NOT NULL, events INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (day, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS bunch_rank ON bunch (day, level, last, id);
CREATE INDEX IF NOT EXISTS bunch_kind ON bunch (day, kind, level, last, id);
CREATE TABLE IF NOT EXISTS day (day INTEGER PRIMARY KEY, findings INTEGER NOT NULL);
"""

_JOIN = """
INSERT INTO bunch VALUES (:day, :bunch, :level, :kind, :read, :read, 1, :count, :body)
ON CONFLICT (day, id) DO UPDATE SET
  level = max(level, excluded.level), last = max(last, excluded.last), findings = findings + 1,
  events = events + excluded.events, body = excluded.body
"""


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a finding."""

    finding: Finding
    traits: tuple[Trait, ...]


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Body).decode


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding, when watch read the line that decided it, and what an exception may name of it."""

    finding: Finding
    read: Instant
    traits: tuple[Trait, ...] = ()


Place = tuple[int, int, str]
"""Where a page of bunches ended: level, last and id of the last one shown."""


class FindingStore:
    """The findings of one watch, its only writer. Reading opens the file anew and may be done in any thread."""

    def __init__(
        self,
        path: Path,
        key: bytes,
        inside: Callable[[str], bool],
        *,
        most: int = MOST,
        largest: int = LARGEST,
    ) -> None:
        """``key`` makes the masks, ``inside`` says whether an address is of the site."""
        self.path = path
        self._key = key
        self._inside = inside
        self._most = most
        self._largest = largest
        try:
            self._open()
        except sqlite3.DatabaseError as fault:
            self._begin_anew(fault)

    # -- writing -------------------------------------------------------------------------------------------------

    def keep(self, seen: Sequence[Seen]) -> None:
        """Keep these; those that are kept already are left out. A disk that refuses is said: nothing waits for it."""
        try:
            self._keep(seen)
        except (sqlite3.Error, OSError) as fault:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            if isinstance(fault, sqlite3.DatabaseError) and _is_damage(fault):
                self._begin_anew(fault)
            else:
                _log.error("%s: %d findings could not be kept for the page: %s", self.path, len(seen), fault)

    def _keep(self, seen: Sequence[Seen]) -> None:
        with self._connection:
            for each in seen:
                self._join(each)
        while self._count > self._most or (self._count and self._size() > self._largest):
            with self._connection:
                self._drop()

    def _join(self, seen: Seen) -> None:
        name, day = bunch_id(seen.finding, self._inside), day_of(seen.read)
        shown = discreet(seen.finding, seen.traits, lambda account: self._masked(name, account))
        row: dict[str, Any] = {
            "id": shown.id,
            "day": day,
            "bunch": name,
            "rule": shown.rule,
            "read": seen.read,
            "level": int(shown.level),
            "kind": shown.kind.value,
            "count": shown.count,
            "body": _pack(_Body(shown, seen.traits)),
        }
        written = self._connection.execute(
            "INSERT OR IGNORE INTO finding (id, day, bunch, rule, read, body)"
            " VALUES (:id, :day, :bunch, :rule, :read, :body)",
            row,
        )
        if written.rowcount:
            self._connection.execute(_JOIN, row)
            self._connection.execute(
                "INSERT INTO day VALUES (:day, 1) ON CONFLICT (day) DO UPDATE SET findings = findings + 1",
                row,
            )
            self._count += 1

    def _masked(self, bunch: str, account: str) -> str:
        """As `rempart.accounts.mask` makes them, with watch's own key: masks of pages and of incidents differ."""
        digest = hmac.new(self._key, f"{bunch}{account}".encode("utf-8", "surrogatepass"), "sha256")
        return f"person-{digest.hexdigest()[:8]}" if account else ""

    def _drop(self) -> None:
        """The oldest go, and the days of which nothing is left."""
        share = max(1, int(self._count * _SHARE))
        (until,) = self._connection.execute(
            "SELECT n FROM finding ORDER BY n LIMIT 1 OFFSET ?", (share - 1,)
        ).fetchone()
        gone = self._connection.execute("DELETE FROM finding WHERE n <= ?", (until,)).rowcount
        (first,) = self._connection.execute("SELECT min(day) FROM finding").fetchone()
        for table in ("bunch", "day"):
            self._connection.execute(f"DELETE FROM {table} WHERE day < ?", (first or 0,))  # noqa: S608
        self._count -= gone
        _log.info("%s: the %d oldest findings are no longer kept for the page", self.path, gone)

    def _size(self) -> int:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * size)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(self.path, check_same_thread=False)
        # What a power cut takes is the page's last second: the findings themselves are at the guard, the lines stored.
        self._connection.executescript("PRAGMA journal_mode=wal; PRAGMA synchronous=normal;" + _SCHEMA)
        (self._count,) = self._connection.execute("SELECT count(*) FROM finding").fetchone()

    def _begin_anew(self, fault: Exception) -> None:
        _log.error("%s: damaged (%s): it is put aside, the page begins anew", self.path, fault)
        with suppress(AttributeError, sqlite3.Error):
            self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").replace(f"{self.path}.damaged{suffix}")
        self._open()

    # -- reading -------------------------------------------------------------------------------------------------

    def days(self) -> list[tuple[int, int]]:
        """The days of which something is kept and how many findings each had, the latest first."""
        with self._reading() as connection:
            return connection.execute("SELECT day, findings FROM day ORDER BY day DESC LIMIT 400").fetchall()

    def bunches(
        self,
        day: int,
        *,
        level: Level = Level.INFORMATIONAL,
        kind: Kind | None = None,
        after: Place | None = None,
    ) -> list[Bunch]:
        """The bunches of a day that are of that level or graver, the gravest and then the latest first, one page."""
        wanted = "day = :day AND level >= :level"
        if kind:
            wanted += " AND kind = :kind"
        if after:
            wanted += " AND (level, last, id) < (:a, :b, :c)"
        a, b, c = after or (0, 0, "")
        given = {
            "day": day,
            "level": int(level),
            "kind": kind and kind.value,
            "a": a,
            "b": b,
            "c": c,
            "most": PAGE,
        }
        index = "bunch_kind" if kind else "bunch_rank"
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM bunch INDEXED BY {index} WHERE {wanted}"  # noqa: S608  no value of anybody's
                " ORDER BY level DESC, last DESC, id DESC LIMIT :most",
                given,
            ).fetchall()
        return [_bunch(row) for row in rows]

    def bunch(self, day: int, name: str) -> Bunch | None:
        """One bunch of a day."""
        with self._reading() as connection:
            row = connection.execute("SELECT * FROM bunch WHERE day = ? AND id = ?", (day, name)).fetchone()
        return _bunch(row) if row else None

    def findings(self, day: int, name: str, *, before: int = 0) -> list[Kept]:
        """The findings of a bunch that are still kept, the latest first, one page; ``before`` a number, 0: all."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT n, read, body FROM finding WHERE day = ? AND bunch = ? AND n < ? ORDER BY n DESC LIMIT ?",
                (day, name, before or 1 << 62, PAGE),
            ).fetchall()
        return [_kept(*row) for row in rows]

    def covered(self, exemption: Exemption) -> Iterator[tuple[Kept, bool]]:
        """The latest findings of the exception's one rule, and whether it would have hidden each."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT n, read, body FROM finding WHERE rule = ? ORDER BY n DESC LIMIT ?",
                (exemption.rules[0], LOOKED_AT),
            )
            for row in rows:
                kept = _kept(*row)
                yield kept, exemption.covers(_fields(kept.traits))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            yield connection


def day_of(read: Instant) -> int:
    """The day on a Belgian calendar, as a number: 1 is the first of January of the year 1."""
    return on_the_wall(read).date().toordinal()


def _fields(traits: Iterable[Trait]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for trait in traits:
        fields.setdefault(trait.field, []).append(trait.value)
    return fields


def _bunch(row: tuple[Any, ...]) -> Bunch:
    day, name, level, kind, first, last, findings, events, body = row
    latest = _unpack(body)
    return Bunch(
        id=name,
        day=day,
        level=Level(level),
        kind=Kind(kind),
        first=Instant(first),
        last=Instant(last),
        findings=findings,
        events=events,
        latest=latest.finding,
        traits=latest.traits,
    )


def _kept(number: int, read: int, body: bytes) -> Kept:
    held = _unpack(body)
    return Kept(number=number, read=Instant(read), finding=held.finding, traits=held.traits)


def _is_damage(fault: sqlite3.DatabaseError) -> bool:
    return fault.sqlite_errorname in ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CORRUPT_INDEX")
