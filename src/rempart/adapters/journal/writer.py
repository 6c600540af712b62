"""The one writer of the journal: seals entries so that a power cut, a kill or a full disk loses none."""

import base64
import fcntl
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rempart.adapters.journal.exported import export
from rempart.adapters.journal.file import APPLICATION_ID, SCHEMA, damage
from rempart.adapters.journal.keys import SigningKeys
from rempart.adapters.journal.room import Room
from rempart.errors import InputRefused, JournalBroken, JournalUnwritable, OrderRefused
from rempart.evidence import canonical, entry
from rempart.evidence.checkpoint import Checkpoint, VerifierKey, parse, sign, valid_origin
from rempart.evidence.entry import Entry
from rempart.evidence.merkle import Frontier
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

    def __init__(self, path: Path, db: sqlite3.Connection, keys: SigningKeys, origin: str, held: int) -> None:
        """Use `Journal.open`."""
        self.path = path
        self.origin = origin
        self._db = db
        self._keys = keys
        self._held = held
        self._room = Room(path)
        self._lock = Lock()
        self._frontier = Frontier()
        self._previous = entry.NO_ENTRY
        self._kept = 0
        self._signing: Ed25519PrivateKey
        self._traces = False
        """Whether an erased body may still stand in the WAL, because a reader held it."""
        self._head = (0, Frontier().root())

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
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        signing = SigningKeys(keys, origin)
        held = _hold(path)
        try:
            db = _connect(path)
        except BaseException:
            os.close(held)
            raise
        journal = cls(path, db, signing, origin, held)
        try:
            journal._start(now)
        except BaseException:
            journal.close()
            raise
        return journal

    def _start(self, now: Instant) -> None:
        try:
            if self._db.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None:
                self._begin(now)
            else:
                self._recover()
        except sqlite3.DatabaseError as error:
            places = "; ".join(str(fault) for fault in damage(self._db)[:3])
            raise self._broken(f"SQLite cannot read it: {error}. {places}") from error
        with suppress(sqlite3.OperationalError):  # no room on the disk is no reason not to defend
            self._room.prepare(self._db)

    def _begin(self, now: Instant) -> None:
        """Entry 1. A settled key without a journal means that the journal was taken away."""
        if self._keys.any_settled():
            raise self._broken("the signing key is here, and its journal is gone or empty")
        self._signing = self._keys.create()
        key = VerifierKey.of(self.origin, self._signing)
        self._seal([(entry.BEGUN, {"format": 1, "origin": self.origin, "key": str(key)})], now, keep=True)
        self._keys.settle(key)

    def _recover(self) -> None:
        """Fold the entries since the last checkpoint kept before the head, and arrive at the signed head."""
        head, key = self._signed_head()
        self._kept = self._db.execute("SELECT coalesce(max(size), 0) FROM checkpoints").fetchone()[0]
        self._frontier = self._kept_before(head.size)
        row = self._db.execute("SELECT entry FROM entries WHERE number = ?", (self._frontier.size,)).fetchone()
        self._previous = entry.hash_of(row[0]) if row else entry.NO_ENTRY
        for row in self._db.execute(
            "SELECT number, entry, salt, body FROM entries LEFT JOIN bodies USING (number)"
            " WHERE number > ? ORDER BY number",
            (self._frontier.size,),
        ):
            self._check(*row)
        if (self._frontier.size, self._frontier.root()) != (head.size, head.root):
            raise self._broken(f"its last entries do not add up to the signed head of {head.size} entries")
        self._head = (head.size, head.root)
        found = self._keys.find(key)
        if found is None:
            raise self._broken(f"the private key {key.id.hex()}, which signs it, is not in the keys' folder")
        self._signing = found
        self._keys.settle(key)

    def _signed_head(self) -> tuple[Checkpoint, VerifierKey]:
        """The head and the key in force, which must have signed it."""
        number = self._db.execute("SELECT max(number) FROM keys").fetchone()[0]
        named = self._db.execute("SELECT body FROM bodies WHERE number = ?", (number,)).fetchone()
        note = self._db.execute("SELECT note FROM head").fetchone()
        try:
            key = VerifierKey.parse(str(canonical.decode(named[0])["key"]))
            head = parse(note[0].decode())
        except (TypeError, LookupError, ValueError) as error:
            raise self._broken(f"its key or its head cannot be read: {error}") from error
        if key.origin != self.origin:
            raise self._broken(f"it is the journal of {key.origin}, not of {self.origin}")
        if not head.signed_by(key):
            raise self._broken(f"its head is not signed by key {key.id.hex()}")
        return head, key

    def _kept_before(self, size: int) -> Frontier:
        row = self._db.execute(
            "SELECT size, note, frontier FROM checkpoints WHERE size < ? ORDER BY size DESC LIMIT 1", (size,)
        ).fetchone()
        if row is None:
            return Frontier()
        try:
            frontier, kept = Frontier.decode(row[0], row[2]), parse(row[1].decode())
        except ValueError as error:
            raise self._broken(f"the checkpoint of entry {row[0]} cannot be read: {error}") from error
        if (kept.size, kept.root) != (frontier.size, frontier.root()):
            raise self._broken(f"the frontier of entry {row[0]} is not its checkpoint's")
        return frontier

    def _check(self, number: int, data: bytes, salt: bytes | None, body: bytes | None) -> None:
        try:
            read = Entry.decode(data)
        except canonical.NotCanonical as error:
            raise self._broken(f"its bytes are no entry: {error}", number) from error
        if (read.number, read.previous) != (number, self._previous):
            raise self._broken("it does not follow the entry before", number)
        if salt is not None and body is not None and entry.commitment(salt, body) != read.digest:
            raise self._broken("its body is not the one it commits to", number)
        self._previous = entry.hash_of(data)
        self._frontier = self._frontier.append(self._previous)

    def _broken(self, what: str, number: int | None = None) -> JournalBroken:
        where = f"{self.path}, entry {number}" if number else str(self.path)
        now = f"Keep the file as it is, and run: rempart verify {self.path}"
        return JournalBroken(what, where=where, now=now)

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
            size, root = self._head
            made = sign(self.origin, size, root, at, self._signing)
            if size != self._kept:
                self._write(lambda: self._keep(made))
                self._kept = size
            self._tidy()
            return made

    def rotate_key(self, *, at: Instant) -> str:
        """Put a new key in force, vouched for by the old one, whose private half is erased. Returns the new id."""
        with self._lock:
            old, new = self._signing, self._keys.create()
            key = VerifierKey.of(self.origin, new)
            said = {"key": str(key), "replaces": VerifierKey.of(self.origin, old).id.hex()}
            self._signing = new
            try:
                self._seal([(entry.KEY, said)], at, keep=True, signers=(old, new))
            except BaseException:
                self._signing = old
                raise
            self._keys.settle(key)
            return key.id.hex()

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
        added = self._add(bodies, at, late=late)
        size, root = added.frontier.size, added.frontier.root()
        head = sign(self.origin, size, root, at, *(signers or (self._signing,)))
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

    def _keep(self, checkpoint: Checkpoint, frontier: Frontier | None = None) -> None:
        row = (checkpoint.size, checkpoint.note.encode(), (frontier or self._frontier).encode())
        self._db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", row)

    def _may_erase(self, number: int, reason: str, by: str) -> None:
        if not reason or not by:
            raise OrderRefused("an erasure needs a reason and a name", where=f"entry {number}")
        row = self._db.execute(
            "SELECT entry FROM entries JOIN bodies USING (number) WHERE number = ?", (number,)
        )
        found = row.fetchone()
        if found is None:
            raise OrderRefused(
                "there is no such entry, or its body is erased already", where=f"entry {number}"
            )
        if (kind := Entry.decode(found[0]).kind) in entry.LASTING:
            raise OrderRefused(
                f"a {kind} is needed to verify the journal and is never erased", where=f"entry {number}"
            )

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
                raise self._unwritable(error) from error
            try:
                self._attempt(work)
            except sqlite3.Error as again:
                raise self._unwritable(again) from again
        except sqlite3.Error as error:
            raise self._unwritable(error) from error

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            work()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _unwritable(self, error: sqlite3.Error) -> JournalUnwritable:
        now = (
            "Free space on its disk; if there is enough, the disk is failing. Containment goes on meanwhile."
        )
        return JournalUnwritable(f"nothing can be sealed: {error}", where=str(self.path), now=now)

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
        return str(VerifierKey.of(self.origin, self._signing))

    def entries(self, after: int = 0) -> Iterator[Recorded]:
        """Every entry numbered above ``after``, in order; entries sealed meanwhile are included."""
        while rows := self._chunk(after):
            for number, data, body in rows:
                read = Entry.decode(data)
                said = None if body is None else canonical.decode(body)
                yield Recorded(number, read.at, read.kind, read.late, said)
                after = number

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """The number of the last snapshot that is not erased, and its state."""
        with self._lock:
            row = self._db.execute(
                "SELECT number, body FROM snapshots JOIN bodies USING (number) ORDER BY number DESC LIMIT 1"
            ).fetchone()
        return None if row is None else (int(row[0]), base64.b64decode(canonical.decode(row[1])["state"]))

    def export(self, folder: Path, *, bodies: Collection[int] | None = None) -> list[Path]:
        """Write the exported form into ``folder``; see `rempart.adapters.journal.export`."""
        return export(self.path, folder, bodies=bodies)

    def close(self) -> None:
        """Close the file and let another process have it. May be repeated."""
        with self._lock:
            self._db.close()
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    def _chunk(self, after: int) -> list[tuple[int, bytes, bytes | None]]:
        with self._lock:
            return self._db.execute(
                "SELECT number, entry, body FROM entries LEFT JOIN bodies USING (number)"
                " WHERE number > ? ORDER BY number LIMIT ?",
                (after, _CHUNK),
            ).fetchall()

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
            raise InputRefused("this SQLite file is not an evidence journal", where=str(path))
    except sqlite3.DatabaseError as error:
        db.close()
        now = f"Keep the file as it is, and run: rempart verify {path}"
        raise JournalBroken(f"SQLite cannot open it: {error}", where=str(path), now=now) from error
    except BaseException:
        db.close()
        raise
    return db
