"""The journal's SQLite file: its tables, reading it without changing it, and what a damaged page says."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rempart.errors import InputRefused
from rempart.evidence.checkpoint import NotACheckpoint, parse
from rempart.evidence.entry import Record
from rempart.evidence.merkle import Frontier
from rempart.evidence.verify import Fault, Verdict, verify

APPLICATION_ID = 0x526D7074

SCHEMA = """
PRAGMA application_id = 1382903924;
PRAGMA user_version = 1;
CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS bodies (number INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL, frontier BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS erasures (number INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS snapshots (number INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS keys (number INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS room (filler BLOB NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS entries_follow BEFORE INSERT ON entries
  WHEN NEW.number != (SELECT coalesce(max(number), 0) + 1 FROM entries)
  BEGIN SELECT raise(ABORT, 'an entry takes the next number'); END;
CREATE TRIGGER IF NOT EXISTS entries_stand BEFORE UPDATE ON entries
  BEGIN SELECT raise(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
  BEGIN SELECT raise(ABORT, 'an entry is never removed'); END;
CREATE TRIGGER IF NOT EXISTS bodies_stand BEFORE UPDATE ON bodies
  BEGIN SELECT raise(ABORT, 'a body is never changed'); END;
CREATE TRIGGER IF NOT EXISTS bodies_follow BEFORE INSERT ON bodies
  WHEN NEW.number != (SELECT max(number) FROM entries)
  BEGIN SELECT raise(ABORT, 'a body comes with its entry'); END;
CREATE TRIGGER IF NOT EXISTS bodies_stay BEFORE DELETE ON bodies
  WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE number = OLD.number)
  BEGIN SELECT raise(ABORT, 'a body is erased only after an erasure was sealed'); END;
CREATE TRIGGER IF NOT EXISTS erasures_stand BEFORE UPDATE ON erasures
  BEGIN SELECT raise(ABORT, 'an erasure is never changed'); END;
CREATE TRIGGER IF NOT EXISTS erasures_stay BEFORE DELETE ON erasures
  BEGIN SELECT raise(ABORT, 'an erasure is never removed'); END;
CREATE TRIGGER IF NOT EXISTS checkpoints_stand BEFORE UPDATE ON checkpoints
  BEGIN SELECT raise(ABORT, 'a checkpoint is never changed'); END;
CREATE TRIGGER IF NOT EXISTS checkpoints_stay BEFORE DELETE ON checkpoints
  BEGIN SELECT raise(ABORT, 'a checkpoint is never removed'); END;
"""

UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file raises; the second: Python cannot decode what SQLite says of a schema of garbage."""

_RECORDS = "SELECT number, entry, salt, body FROM entries LEFT JOIN bodies USING (number) ORDER BY number"
_PAGE = re.compile(r"\b[Pp]age (\d+)")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One unchanging view of the journal; see `connected`."""
    db = connected(path)
    try:
        yield db
    finally:
        db.close()


def connected(path: Path) -> sqlite3.Connection:
    """One unchanging view of the journal, also while a guard writes it. Raises `InputRefused` when it is no journal.

    Without a WAL beside it nobody writes the file, and it is opened as immutable: no byte changes, on any medium.
    """
    with ExitStack() as undo:
        try:
            db = sqlite3.connect(_address(path), uri=True, isolation_level=None, check_same_thread=False)
            undo.callback(db.close)
            db.execute("BEGIN")
            found = db.execute("PRAGMA application_id").fetchone()[0]
        except (*UNREADABLE, OSError) as error:
            raise _unreadable(path, error) from error
        if found != APPLICATION_ID:
            raise _no_journal(path)
        undo.pop_all()
    return db


def records(db: sqlite3.Connection) -> Iterator[Record]:
    """Every entry with its body, in order."""
    return (as_record(row) for row in db.execute(_RECORDS))


def as_record(row: Sequence[Any]) -> Record:
    """The row (number, entry, salt, body) as a record. A damaged table may give anything where bytes were written."""
    number, data, salt, body = row
    return Record(int(number), _bytes(data) or b"", _bytes(salt), _bytes(body))


def _text(value: Any) -> str:
    return (_bytes(value) or b"").decode(errors="replace")


def _bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else str(value).encode(errors="replace")


def notes(db: sqlite3.Connection) -> list[str]:
    """Every kept checkpoint, then the head."""
    rows = db.execute("SELECT note FROM checkpoints ORDER BY size").fetchall()
    return [_text(note) for (note,) in rows + db.execute("SELECT note FROM head").fetchall()]


def verify_file(path: Path, *, trusted: Sequence[str] = (), witnessed: Sequence[str] = ()) -> Verdict:
    """Check a journal's file, changing nothing: its evidence, its kept frontiers, every page of it.

    Raises `InputRefused` when the file is no journal or cannot be opened.
    """
    with reading(path) as db:
        try:
            kept = notes(db)
        except UNREADABLE:  # `damage` names the page
            kept = []
        verdict = verify(_as_far_as_readable(db), kept, trusted=trusted, witnessed=witnessed)
        return verdict.also([*damage(db), *_frontiers(db)])


def damage(db: sqlite3.Connection) -> list[Fault]:
    """What SQLite finds wrong with the file itself, page by page."""
    try:
        # One row: it holds every fault of the trees, and asking for a second fails on a damaged file and loses it.
        found = db.execute("SELECT integrity_check FROM pragma_integrity_check LIMIT 1").fetchone()[0]
    except UNREADABLE as error:
        found = str(error)
    size = db.execute("PRAGMA page_size").fetchone()[0]
    lines = [line for line in found.splitlines() if line != "ok" and not line.startswith("***")]
    return [Fault(line, where=_spot(line, size)) for line in lines]


def _as_far_as_readable(db: sqlite3.Connection) -> Iterator[Record]:
    """The records up to the first damaged page; `damage` names it."""
    with suppress(*UNREADABLE):
        yield from records(db)


def _frontiers(db: sqlite3.Connection) -> Iterator[Fault]:
    """Kept frontiers that do not belong to their checkpoint: opening the journal would stumble over them."""
    try:
        rows = db.execute("SELECT size, note, frontier FROM checkpoints ORDER BY size").fetchall()
    except UNREADABLE:  # `damage` has named the page
        return
    for size, note, frontier in rows:
        try:
            kept = parse(_text(note))
            good = kept.size == size and Frontier.decode(size, _bytes(frontier) or b"").root() == kept.root
        except NotACheckpoint:  # `verify` has named it
            continue
        except ValueError:
            good = False
        if not good:
            yield Fault("its size or frontier is not the checkpoint's", where=f"checkpoint of entry {size}")


def _address(path: Path) -> str:
    log = path.with_name(path.name + "-wal")
    quiet = not log.exists() or log.stat().st_size == 0
    return f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if quiet else "")


def _spot(line: str, page_size: int) -> str:
    found = _PAGE.search(line)
    if found is None:
        return "the file"
    page = int(found[1])
    return f"page {page} (bytes {(page - 1) * page_size} to {page * page_size - 1})"


def _no_journal(path: Path) -> InputRefused:
    return InputRefused(
        "this is not an evidence journal",
        where=str(path),
        now="Give the guard's journal.db, or an exported folder.",
    )


def _unreadable(path: Path, error: Exception) -> InputRefused:
    if not path.exists():
        now = "Name journal.db: on a box it lies in /var/lib/rempart/guard, which only root may enter."
        return InputRefused("there is no such file, or you may not see it", where=str(path), now=now)
    if isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorname == "SQLITE_NOTADB":
        return _no_journal(path)
    return InputRefused(
        f"it cannot be opened as a journal: {error}",
        where=str(path),
        now="If it is a copy, copy journal.db together with journal.db-wal into a folder that can be written.",
    )
