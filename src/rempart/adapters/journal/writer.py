"""The one writer of the journal: seals entries so that a power cut, a kill or a full disk loses none."""

import base64
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rempart.adapters.journal.exported import export
from rempart.adapters.journal.file import (
    APPLICATION_ID,
    SCHEMA,
    UNREADABLE,
    as_record,
    connected,
    notes,
    records,
)
from rempart.adapters.journal.keys import SigningKeys
from rempart.adapters.journal.room import Room
from rempart.adapters.journal.tail import Tail, broken, checked, malformed, tail
from rempart.errors import InputRefused, JournalBroken, JournalUnwritable, OrderRefused
from rempart.evidence import canonical, entry
from rempart.evidence.checkpoint import Checkpoint, VerifierKey, sign, valid_origin
from rempart.evidence.entry import Entry, Record
from rempart.evidence.merkle import Frontier
from rempart.evidence.verify import Verdict, verify
from rempart.instants import Instant

KEEP_EVERY = 64
"""Entries after which a checkpoint is kept: opening checks about so many, and a rewritten range is no longer."""

KEPT_SNAPSHOTS = 2
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed last: its number, its hash, and the root over all entries up to it."""

    number: int
    root: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the fold reads it. ``body`` is None when it was erased."""

    number: int
    at: Instant
    kind: str
    late: bool
    body: Any


@dataclass(frozen=True, slots=True)
class _Addition:
    """Entries about to be written in one transaction, and what the tree becomes."""

    entries: list[tuple[int, bytes]]
    bodies: list[tuple[int, bytes, bytes]]
    frontier: Frontier
    previous: bytes


class Journal:
    """An append-only journal. Sealing returns when the disk has it; nothing sealed is ever lost or changed.

    One process has it open at a time. Methods may be called from several threads; a stalled `seal` holds back the
    others, but not ``head``. Readers (`rempart verify`) need no permission of this object.
    """

    def __init__(self, path: Path, db: sqlite3.Connection, at: Tail | None, held: int | None = None) -> None:
        """Use `Journal.open` or `Journal.read`."""
        self.path = path
        self._db = db
        self._held = held
        self._room = Room(path)
        self._lock = Lock()
        self._frontier = at.frontier if at else Frontier()
        self._previous = at.previous if at else entry.NO_ENTRY
        self._kept = at.kept if at else 0
        self._head = (self._frontier.size, self._frontier.root())
        self._key = at.key if at else None
        self._signer: tuple[SigningKeys, Ed25519PrivateKey] | None = None
        """None: opened for reading."""
        self._traces = False
        """Whether an erased body may still stand in the WAL, because a reader held it."""

    # -- opening ----------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path, keys: Path, *, origin: str, now: Instant) -> "Journal":
        """Open the journal, or begin one when there is neither file nor key. Creates folders (0700).

        The entries since the last kept checkpoint are verified against the signed head. Raises `JournalBroken` when
        they do not hold, `JournalUnwritable` when another process has it open or the disk refuses, `InputRefused`
        for an origin that cannot be one.
        """
        if not valid_origin(origin):
            raise InputRefused(
                f"{origin!r} cannot name a journal", now="Use letters, digits, '.', '/' and '-' only."
            )
        try:
            return cls._opened(path, keys, origin, now)
        except (
            OSError
        ) as error:  # SQLite's own errors are none: this is a folder or a file that is another user's
            raise JournalUnwritable(
                f"it cannot be opened: {error.strerror}",
                where=str(error.filename or path),
                now="Give the journal, its folder and its keys to the guard's user (rempart-guard).",
            ) from error

    @classmethod
    def _opened(cls, path: Path, keys: Path, origin: str, now: Instant) -> "Journal":
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as undo:
            held = _hold(path)
            undo.callback(os.close, held)
            Room(path).make_way()
            db = _connect(path)
            undo.callback(db.close)
            journal = cls(path, db, tail(db, path), held)
            journal._sign_with(SigningKeys(keys, origin), origin, now)
            with suppress(sqlite3.OperationalError):  # no room on the disk is no reason not to defend
                journal._room.prepare(db)
            undo.pop_all()
        return journal

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """The journal for reading only, as it stands now, also while a guard writes it; sealing raises.

        Its tail is verified. Raises `InputRefused` when it is no journal, `JournalBroken` when the tail does not hold.
        """
        db = connected(path)
        try:
            return cls(path, db, tail(db, path))
        except BaseException:
            db.close()
            raise

    def _sign_with(self, keys: SigningKeys, origin: str, now: Instant) -> None:
        """Take up the key in force, or begin the journal."""
        if self._key is None:
            self._begin(keys, origin, now)
            return
        if origin != self._key.origin:
            raise broken(self.path, f"it is the journal of {self._key.origin}, not of {origin}")
        private = keys.find(self._key)
        if private is None:
            raise broken(self.path, f"its private key {self._key.id.hex()} is not in the keys' folder")
        self._signer = (keys, private)
        keys.settle(self._key)

    def _begin(self, keys: SigningKeys, origin: str, now: Instant) -> None:
        """Entry 1. A settled key without a journal means that the journal was taken away."""
        if keys.any_settled():
            raise broken(self.path, "the signing key is here, and its journal is gone or empty")
        private = keys.create()
        self._key, self._signer = VerifierKey.of(origin, private), (keys, private)
        said = {"format": 1, "origin": origin, "key": str(self._key)}
        self._seal([(entry.BEGUN, said)], now, keep=True)
        keys.settle(self._key)

    def _writable(self) -> tuple[VerifierKey, SigningKeys, Ed25519PrivateKey]:
        """The key in force with its private half."""
        if self._key is None or self._signer is None:
            raise JournalUnwritable("the journal was opened for reading", where=str(self.path))
        return self._key, *self._signer

    # -- sealing ----------------------------------------------------------------------------------------------

    def seal(self, kind: str, body: Mapping[str, Any], *, at: Instant, late: bool = False) -> Sealed:
        """Seal one entry; it is durable when this returns. Raises `JournalUnwritable`, having changed nothing.

        Raises ValueError for a kind or a body that cannot be sealed (`evidence.canonical`).
        """
        return self.seal_all([(kind, body)], at=at, late=late)

    def seal_all(
        self, bodies: Sequence[tuple[str, Mapping[str, Any]]], *, at: Instant, late: bool = False
    ) -> Sealed:
        """Seal several entries in one transaction: all of them or none. Returns the last."""
        for kind, _ in bodies:
            if kind.startswith("journal.") or not entry.valid_kind(kind):
                raise ValueError(f"{kind!r} cannot be sealed as a kind")
        if not bodies:
            raise ValueError("nothing to seal")
        with self._lock:
            return self._seal(bodies, at, late=late)

    def erase(self, number: int, *, reason: str, by: str, at: Instant) -> Sealed:
        """Erase the body of an entry, and the snapshots taken after it, which may repeat its words.

        The erasure is sealed with it. Raises `OrderRefused` when the body is not there or may not be erased.
        """
        with self._lock:
            self._may_erase(number, reason, by)
            later = self._numbers("SELECT number FROM snapshots WHERE number > ?", number)
            numbers = [number, *(snapshot for snapshot in later if snapshot != number)]
            sealed = self._erase(numbers, reason, by, at)
            self._scrub()
            return sealed

    def snapshot(self, state: bytes, *, at: Instant) -> Sealed:
        """Seal the whole folded state, so that the fold may start here. Of older ones the last is kept."""
        said = {"state": base64.b64encode(state).decode()}
        with self._lock:
            older = self._numbers("SELECT number FROM snapshots WHERE number > ? ORDER BY number DESC", 0)
            superseded = older[KEPT_SNAPSHOTS - 1 :]
            sealed = self._seal([(entry.SNAPSHOT, said)], at, keep=True)
            if superseded:
                self._erase(superseded, "superseded", "the journal", at)
            return sealed

    def checkpoint(self, *, at: Instant) -> Checkpoint:
        """A signed checkpoint of everything sealed so far, kept: the note that leaves the box."""
        with self._lock:
            key, _, private = self._writable()
            size, root = self._head
            made = sign(key.origin, size, root, at, private)
            if size != self._kept:
                self._write(lambda: self._keep(made, self._frontier))
                self._kept = size
            self._tidy()
            return made

    def relieve(self) -> None:
        """Bring what stands in the WAL into the file, beside whoever seals, and begin the WAL anew: no order waits for
        the two fsyncs of the one, nor for the second that SQLite gives the header of the other.

        Whatever keeps it from doing so is no harm: a seal that finds 512 pages in the WAL does it itself.
        """
        with suppress(sqlite3.Error):
            with closing(sqlite3.connect(f"file:{quote(str(self.path))}?mode=rw", uri=True)) as other:
                other.execute("PRAGMA wal_checkpoint(PASSIVE)")
            with self._lock:
                self._attempt(self._write_nothing)

    def _write_nothing(self) -> None:
        """A page that is written, and says what it said: SQLite writes none for a row that stays as it is."""
        self._db.execute("INSERT INTO room VALUES (x'')")
        self._db.execute("DELETE FROM room")

    def rotate_key(self, *, at: Instant) -> str:
        """Put a new key in force, vouched for by the old one, whose private half is erased. Returns the new id."""
        with self._lock:
            key, keys, old = self._writable()
            new = keys.create()
            successor = VerifierKey.of(key.origin, new)
            said = {"key": str(successor), "replaces": key.id.hex()}
            self._seal([(entry.KEY, said)], at, keep=True, signers=(old, new))
            self._key, self._signer = successor, (keys, new)
            keys.settle(successor)
            return successor.id.hex()

    def _seal(
        self,
        bodies: Sequence[tuple[str, Mapping[str, Any]]],
        at: Instant,
        *,
        late: bool = False,
        keep: bool = False,
        signers: tuple[Ed25519PrivateKey, ...] = (),
        also: Callable[[], None] = lambda: None,
    ) -> Sealed:
        """Entries, bodies and head in one transaction, with what ``also`` writes."""
        key, _, private = self._writable()
        added = self._add(bodies, at, late=late)
        size, root = added.frontier.size, added.frontier.root()
        head = sign(key.origin, size, root, at, *(signers or (private,)))
        keep = keep or size - self._kept >= KEEP_EVERY
        kinds = [(number, kind) for (number, _), (kind, _) in zip(added.entries, bodies, strict=True)]

        def work() -> None:
            for row, commits in zip(added.entries, added.bodies, strict=True):
                self._db.execute("INSERT INTO entries VALUES (?, ?)", row)
                self._db.execute("INSERT INTO bodies VALUES (?, ?, ?)", commits)
            self._index(kinds)
            self._db.execute("INSERT OR REPLACE INTO head VALUES (1, ?)", (head.note.encode(),))
            if keep:
                self._keep(head, added.frontier)
            also()

        self._write(work)
        self._frontier, self._previous, self._head = added.frontier, added.previous, (size, root)
        self._kept = size if keep else self._kept
        return Sealed(size, root, added.previous)

    def _add(self, bodies: Sequence[tuple[str, Mapping[str, Any]]], at: Instant, *, late: bool) -> _Addition:
        entries, kept, frontier, previous = [], [], self._frontier, self._previous
        for kind, body in bodies:
            number, salt, said = frontier.size + 1, os.urandom(entry.SALT_BYTES), canonical.encode(dict(body))
            digest = entry.commitment(salt, said)
            data = Entry(
                number=number, at=at, kind=kind, late=late, digest=digest, previous=previous
            ).encode()
            previous = entry.hash_of(data)
            frontier = frontier.append(previous)
            entries.append((number, data))
            kept.append((number, salt, said))
        return _Addition(entries, kept, frontier, previous)

    def _index(self, kinds: Sequence[tuple[int, str]]) -> None:
        for number, kind in kinds:
            if kind == entry.SNAPSHOT:
                self._db.execute("INSERT INTO snapshots VALUES (?)", (number,))
            elif kind in (entry.BEGUN, entry.KEY):
                self._db.execute("INSERT INTO keys VALUES (?)", (number,))

    def _keep(self, checkpoint: Checkpoint, frontier: Frontier) -> None:
        row = (checkpoint.size, checkpoint.note.encode(), frontier.encode())
        self._db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", row)

    def _may_erase(self, number: int, reason: str, by: str) -> None:
        if not reason or not by:
            raise OrderRefused("erasure-reason", where=f"entry {number}")
        row = self._db.execute(
            "SELECT entry FROM entries JOIN bodies USING (number) WHERE number = ?", (number,)
        )
        found = row.fetchone()
        if found is None:
            raise OrderRefused("no-entry", where=f"entry {number}")
        if (kind := Entry.decode(found[0]).kind) in entry.LASTING:
            raise OrderRefused("lasting-entry", where=f"entry {number}", kind=kind)

    def _erase(self, numbers: Sequence[int], reason: str, by: str, at: Instant) -> Sealed:
        rows = [(number,) for number in numbers]

        def also() -> None:
            self._db.executemany("INSERT INTO erasures VALUES (?)", rows)
            self._db.executemany("DELETE FROM bodies WHERE number = ?", rows)
            self._db.executemany("DELETE FROM snapshots WHERE number = ?", rows)

        said = [(entry.ERASURE, {"number": number, "reason": reason, "by": by}) for number in numbers]
        return self._seal(said, at, also=also)

    # -- writing ----------------------------------------------------------------------------------------------

    def _write(self, work: Callable[[], None]) -> None:
        """One transaction. On a full disk, once more without the reserve file."""
        try:
            self._attempt(work)
        except sqlite3.OperationalError as error:
            if not self._room.give_up_reserve():
                raise _unwritable(self.path, error) from error
            try:
                self._attempt(work)
            except sqlite3.Error as again:
                raise _unwritable(self.path, again) from again
        except sqlite3.Error as error:
            raise _unwritable(self.path, error) from error

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            work()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _tidy(self) -> None:
        """What can wait until no order does: traces of erased bodies, room for the next full disk."""
        if self._traces:
            self._scrub()
        with suppress(sqlite3.OperationalError):  # the disk is filling: what room there is stays
            self._room.stock(self._db)

    def _scrub(self) -> None:
        """Empty the WAL, where an erased body may still stand. A reader may prevent it: then later."""
        busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self._traces = bool(busy)
        if not busy:
            self._room.make_way()
            with suppress(sqlite3.OperationalError):
                self._room.prepare(self._db)

    # -- reading ----------------------------------------------------------------------------------------------

    @property
    def head(self) -> tuple[int, bytes]:
        """How many entries are sealed, and the root over them. Never waits."""
        return self._head

    @property
    def key(self) -> str:
        """The verifier key in force: note it elsewhere at installation."""
        return str(self._key)

    def entries(self, after: int = 0) -> Iterator[Recorded]:
        """Every entry numbered above ``after``, in order; entries sealed meanwhile are included.

        Each is held against the one before and against its body. Raises `JournalBroken` and names the first bad one.
        """
        previous = self._hash_of(after)
        while rows := self._chunk(after):
            for row in rows:
                record = as_record(row)
                after += 1
                if record.number != after:
                    raise broken(self.path, "it is missing", after)
                read = checked(self.path, record, previous)
                previous = entry.hash_of(record.entry)
                yield Recorded(after, read.at, read.kind, read.late, self._said(record))

    def _said(self, record: Record) -> Any:
        """The body as a value; None when it was erased, which must have been sealed."""
        if record.body is not None:
            return canonical.decode(record.body)
        if not self._rows("SELECT 1 FROM erasures WHERE number = ?", record.number):
            raise broken(self.path, "its body is missing, and no entry erased it", record.number)
        return None

    def _hash_of(self, number: int) -> bytes:
        rows = self._rows("SELECT entry FROM entries WHERE number = ?", number)
        return entry.hash_of(as_record((number, *rows[0], None, None)).entry) if rows else entry.NO_ENTRY

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """The number of the last snapshot that is not erased, and its state. Raises `JournalBroken`."""
        rows = self._rows(
            "SELECT number, entry, salt, body FROM snapshots JOIN entries USING (number) JOIN bodies USING (number)"
            " ORDER BY number DESC LIMIT 1"
        )
        if not rows:
            return None
        record = as_record(rows[0])
        checked(self.path, record, self._hash_of(record.number - 1))
        return record.number, base64.b64decode(self._said(record)["state"])

    def verify(self) -> Verdict:
        """What the whole journal is, as it stands: of one opened by `read`, of what its `entries` give.

        Raises `JournalBroken` and names the page that cannot be read.
        """
        with self._lock:
            try:
                return verify(records(self._db), notes(self._db))
            except UNREADABLE as error:
                raise malformed(self._db, self.path, error) from error

    def verified(self) -> Iterator[Recorded]:
        """Every entry in order, of a journal opened by `read` that `verify` has found good: nothing is checked again.

        It is one unchanging view: what is read here are the bytes that were verified. May be called again.
        """
        for record in records(self._db):
            read = json.loads(record.entry)
            body = None if record.body is None else json.loads(record.body)
            yield Recorded(record.number, read["at"], read["kind"], read["late"], body)

    def export(self, folder: Path, *, bodies: Collection[int] | None = None) -> list[Path]:
        """Write the exported form into ``folder``; see `rempart.adapters.journal.export`."""
        return export(self.path, folder, bodies=bodies)

    def close(self) -> None:
        """Close the file and let another process have it. May be repeated."""
        with self._lock:
            self._db.close()
            if self._held is not None:
                os.close(self._held)
                self._held = None

    def _chunk(self, after: int) -> list[tuple[Any, ...]]:
        return self._rows(
            "SELECT number, entry, salt, body FROM entries LEFT JOIN bodies USING (number)"
            " WHERE number > ? ORDER BY number LIMIT ?",
            after,
            _CHUNK,
        )

    def _rows(self, question: str, *values: int) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(question, values).fetchall()
            except UNREADABLE as error:
                raise malformed(self._db, self.path, error) from error

    def _numbers(self, question: str, after: int) -> list[int]:
        return [row[0] for row in self._db.execute(question, (after,))]


def _hold(path: Path) -> int:
    """Take the journal for this process alone; the kernel lets go when the process dies."""
    file = os.open(path.with_name(path.name + "-lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        now = "Stop the other guard first: two would seal over one another."
        raise JournalUnwritable("another process has the journal open", where=str(path), now=now) from error
    return file


def _unwritable(path: Path, error: sqlite3.Error) -> JournalUnwritable:
    """The error for the person on call when SQLite cannot write."""
    now = "Free space on its disk; if there is enough, the disk is failing. Containment goes on meanwhile."
    return JournalUnwritable(f"nothing can be sealed: {error}", where=str(path), now=now)


def _connect(path: Path) -> sqlite3.Connection:
    """The connection as every seal needs it. A new file gets its tables, readable by its owner only."""
    new = not path.exists()
    if new:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA wal_autocheckpoint = 512")
        if db.execute("PRAGMA application_id").fetchone()[0] == 0:
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise InputRefused(
                "this SQLite file is not an evidence journal",
                where=str(path),
                now="Move it away, or name another --state.",
            )
    except sqlite3.OperationalError as error:
        db.close()
        raise _unwritable(path, error) from error
    except UNREADABLE as error:
        db.close()
        now = f"Keep the file as it is, and run: rempart verify {path}"
        raise JournalBroken(f"SQLite cannot open it: {error}", where=str(path), now=now) from error
    except BaseException:
        db.close()
        raise
    return db
