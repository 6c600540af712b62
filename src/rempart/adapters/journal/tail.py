"""The end of a journal, checked at opening: the entries after a kept checkpoint must lead to the signed head."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from rempart.adapters.journal.file import UNREADABLE, as_record, damage
from rempart.errors import JournalBroken
from rempart.evidence import canonical, entry
from rempart.evidence.checkpoint import Checkpoint, VerifierKey, parse
from rempart.evidence.entry import Entry, Record
from rempart.evidence.merkle import Frontier


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a journal stands: what the next entry is chained to, and who signed last."""

    frontier: Frontier
    previous: bytes
    """Hash of the last entry."""
    kept: int
    """Size of the last kept checkpoint."""
    key: VerifierKey
    """In force."""


def tail(db: sqlite3.Connection, path: Path) -> Tail | None:
    """The checked tail; None for a journal without entries. Raises `JournalBroken` and names the entry or the page."""
    try:
        if db.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None:
            return None
        return _Fold(db, path).tail()
    except UNREADABLE as error:
        raise malformed(db, path, error) from error


def malformed(db: sqlite3.Connection, path: Path, error: Exception) -> JournalBroken:
    """The error that names the damaged pages."""
    places = "; ".join(str(fault) for fault in damage(db)[:3])
    return broken(path, f"SQLite cannot read it: {error}. {places}")


def broken(path: Path, what: str, number: int | None = None) -> JournalBroken:
    """The error that names the entry, and says what to do."""
    where = f"{path}, entry {number}" if number else str(path)
    return JournalBroken(what, where=where, now=f"Keep the file as it is, and run: rempart verify {path}")


def checked(path: Path, record: Record, previous: bytes) -> Entry:
    """The entry, which must follow the one before and have the body it commits to. Raises `JournalBroken`."""
    try:
        read = Entry.decode(record.entry)
    except canonical.NotCanonical as error:
        raise broken(path, f"its bytes are no entry: {error}", record.number) from error
    if (read.number, read.previous) != (record.number, previous):
        raise broken(path, "it does not follow the entry before", record.number)
    held = record.salt is not None and record.body is not None
    if held and entry.commitment(record.salt or b"", record.body or b"") != read.digest:
        raise broken(path, "its body is not the one it commits to", record.number)
    return read


class _Fold:
    """One pass over the entries after the last checkpoint that was kept before the head."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def tail(self) -> Tail:
        head, key = self._head()
        frontier = self._kept_before(head.size)
        row = self._db.execute("SELECT entry FROM entries WHERE number = ?", (frontier.size,)).fetchone()
        previous = entry.hash_of(as_record((0, *row, None, None)).entry) if row else entry.NO_ENTRY
        rows = self._db.execute(
            "SELECT number, entry, salt, body FROM entries LEFT JOIN bodies USING (number)"
            " WHERE number > ? ORDER BY number",
            (frontier.size,),
        )
        for row in rows:
            record = as_record(row)
            checked(self._path, record, previous)
            previous = entry.hash_of(record.entry)
            frontier = frontier.append(previous)
        if (frontier.size, frontier.root()) != (head.size, head.root):
            what = f"its last entries do not add up to the signed head of {head.size} entries"
            raise broken(self._path, what, frontier.size)
        kept = self._db.execute("SELECT coalesce(max(size), 0) FROM checkpoints").fetchone()[0]
        return Tail(frontier, previous, kept, key)

    def _head(self) -> tuple[Checkpoint, VerifierKey]:
        """The head and the key in force, which must have signed it."""
        number = self._db.execute("SELECT max(number) FROM keys").fetchone()[0]
        named = self._db.execute("SELECT body FROM bodies WHERE number = ?", (number,)).fetchone()
        note = self._db.execute("SELECT note FROM head").fetchone()
        try:
            key = VerifierKey.parse(str(canonical.decode(named[0])["key"]))
            head = parse(note[0].decode())
        except (AttributeError, TypeError, LookupError, ValueError) as error:
            raise broken(self._path, f"its key or its head cannot be read: {error}") from error
        if not head.signed_by(key):
            raise broken(self._path, f"its head is not signed by key {key.id.hex()}")
        return head, key

    def _kept_before(self, size: int) -> Frontier:
        row = self._db.execute(
            "SELECT size, note, frontier FROM checkpoints WHERE size < ? ORDER BY size DESC LIMIT 1", (size,)
        ).fetchone()
        if row is None:
            return Frontier()
        try:
            frontier, kept = Frontier.decode(row[0], row[2]), parse(row[1].decode())
        except (AttributeError, TypeError, ValueError) as error:
            raise broken(self._path, f"its checkpoint cannot be read: {error}", row[0]) from error
        if (kept.size, kept.root) != (frontier.size, frontier.root()):
            raise broken(self._path, "the frontier is not its checkpoint's", row[0])
        return frontier
