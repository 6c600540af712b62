"""The store of accounts: what people prove themselves by, in one SQLite file that only the guard's user reads."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from rempart.accounts.credential import Kept, key_of
from rempart.errors import InputRefused, RempartError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""

_TYPES: dict[str, type[Kept]] = {kind.__name__: kind for kind in Kept.__args__}

Key = tuple[str, str]
"""A type's name and, within it, whose or which it is (`rempart.accounts.credential.key_of`)."""


class AccountStore:
    """Every change is one transaction, on the disk before it returns (WAL, synchronous FULL).

    Not for the event loop: each call may wait for the disk. Methods raise `RempartError` when the disk refuses.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the store, made when it is not there, readable by its owner only. Raises `InputRefused`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")  # what was taken back leaves no trace in free pages
            db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as fault:
            raise InputRefused(
                f"the store of accounts cannot be opened: {fault}",
                where=str(path),
                now="Accounts cannot be used until it can; the command line on the box works.",
            ) from fault
        return cls(db, path)

    def all(self) -> list[Kept]:
        """Everything kept. What another version wrote and this one does not know is left where it is."""
        rows = self._db.execute("SELECT kind, body FROM kept").fetchall()
        return [msgspec.json.decode(body, type=_TYPES[kind]) for kind, body in rows if kind in _TYPES]

    def change(self, put: Iterable[Kept] = (), drop: Iterable[Key] = ()) -> None:
        """Drop some and put others, all or nothing; what is there already under the same key is replaced."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("DELETE FROM kept WHERE kind = ? AND key = ?", list(drop))
            rows = [(*key_of(kept), msgspec.json.encode(kept)) for kept in put]
            self._db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as fault:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise RempartError(
                f"the store of accounts cannot be written: {fault}",
                where=str(self.path),
                now="Is the disk full? Whoever is signed in stays signed in.",
            ) from fault

    def close(self) -> None:
        """Close the file."""
        self._db.close()
