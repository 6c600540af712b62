"""Whether a journal is what was sealed: checks entries, bodies and checkpoints, and names the first bad one.

It works on plain values, wherever they come from, and needs nothing but SHA-256, HMAC and Ed25519
(docs/design/journal.md, "Verifying"). It does not judge whether what was sealed is true.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rempart.evidence import canonical, entry
from rempart.evidence.checkpoint import Checkpoint, NotACheckpoint, VerifierKey, parse
from rempart.evidence.entry import Entry, Record
from rempart.evidence.merkle import Frontier

MOST_FAULTS = 100
"""Past this many faults the walk ends: the journal is another file, not a damaged one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. ``first`` and ``last`` are the entries it lies in; None when it is in no entry."""

    what: str
    first: int | None = None
    last: int | None = None
    where: str = ""
    """The place when it is no entry: a checkpoint, a page of the file, a line."""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"

    @property
    def place(self) -> str:
        """Where, in words."""
        if self.first is None:
            return self.where or "the journal"
        if self.last is None or self.last == self.first:
            return f"entry {self.first}"
        return f"entries {self.first} to {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the walk over a whole journal found. Faults are ordered by entry."""

    origin: str
    entries: int
    root: bytes
    checkpoints: int
    keys: tuple[VerifierKey, ...]
    """The keys that were in force, oldest first."""
    erased: int
    withheld: int
    late: int
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.faults

    @property
    def first_bad(self) -> int | None:
        """The number of the first bad entry; None when no entry is bad."""
        return next((fault.first for fault in self.faults if fault.first is not None), None)

    def also(self, faults: Iterable[Fault]) -> "Verdict":
        """The verdict with faults found elsewhere: in the file around the journal."""
        return replace(self, faults=_ordered([*self.faults, *faults]))


def verify(
    records: Iterable[Record],
    notes: Iterable[str],
    *,
    trusted: Sequence[str] = (),
    witnessed: Sequence[str] = (),
) -> Verdict:
    """Check every entry in order, every body, every checkpoint.

    ``notes`` are the journal's own checkpoints, the last entry's among them; ``witnessed`` are notes that had left
    the box; ``trusted`` are verifier keys of which one must be the journal's first (none: any).
    """
    walk = _Walk(trusted)
    walk.expect(notes, "checkpoint")
    walk.expect(witnessed, "witnessed checkpoint")
    for record in records:
        walk.step(record)
        if len(walk.faults) >= MOST_FAULTS:
            break
    return walk.verdict()


@dataclass(slots=True)
class _BrokenLink:
    """Entry ``number`` does not hold the hash of the one before; which of both was altered is not known yet."""

    number: int
    entry: Entry
    before: Frontier
    wanted: bytes


class _Walk:
    """The state of one pass: what the entries so far add up to."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self.faults: list[Fault] = []
        self._trusted = trusted
        self._expected: dict[int, list[tuple[str, Checkpoint]]] = {}
        self._frontier = Frontier()
        self._number = 0
        self._previous: bytes | None = entry.NO_ENTRY
        """Hash of the entry before; None when that entry is bad already and a broken link says nothing new."""
        self._broken: _BrokenLink | None = None
        self._comparable = True
        """Whether roots still mean something: false after an entry was found altered or missing."""
        self._unread = False
        """Whether a body that the journal needs is not what was sealed: it may have been an erasure."""
        self._keys: list[VerifierKey] = []
        self._bodiless: dict[int, str] = {}
        self._counts = {"checkpoints": 0, "erased": 0, "withheld": 0, "late": 0}
        self._covered = 0
        """Size of the last checkpoint met, good or bad."""
        self._good = 0
        """Size of the last good one."""

    # 1. What the journal must agree with -----------------------------------------------------------------------

    def expect(self, notes: Iterable[str], name: str) -> None:
        """Remember the checkpoints to meet on the way."""
        for position, note in enumerate(notes, 1):
            try:
                checkpoint = parse(note)
            except NotACheckpoint as error:
                self.faults.append(Fault(str(error), where=f"{name} {position}"))
            else:
                self._expected.setdefault(checkpoint.size, []).append((name, checkpoint))
                if checkpoint.size == 0:  # no entry would ever meet it
                    self.faults.append(Fault("it covers no entry", where=f"{name} {position}"))

    # 2. Each entry, in order -----------------------------------------------------------------------------------

    def step(self, record: Record) -> None:
        """Take in the next entry."""
        self._position(record.number)
        before, hashed = self._frontier, entry.hash_of(record.entry)
        self._frontier = before.append(hashed)
        try:
            read = Entry.decode(record.entry)
        except canonical.NotCanonical as error:
            self._bad(record.number, f"its bytes are no entry: {error}")
            self._settle(blame_later=None)
            self._covered = record.number
            return
        self._link(record.number, read, before)
        self._previous = hashed
        if read.number != record.number:
            self._bad(record.number, f"it says that it is entry {read.number}")
        self._counts["late"] += read.late
        said = self._body(record, read)
        replaced = self._own(record.number, read.kind, said)
        self._meet(record.number, replaced)

    def _position(self, number: int) -> None:
        wanted = self._number + 1
        if number != wanted:
            last = number - 1 if number > wanted else None
            self.faults.append(Fault("missing", wanted, last) if last else Fault("out of order", number))
            self._comparable, self._previous = False, None
        self._number = number

    def _bad(self, number: int, what: str) -> None:
        """An altered entry: later roots differ because of it, and the next link breaks because of it."""
        self.faults.append(Fault(what, number))
        self._comparable, self._previous = False, None

    def _link(self, number: int, read: Entry, before: Frontier) -> None:
        """Does the entry hold the hash of the one before? If not, wait for the next link to tell who was altered."""
        holds = self._previous is None or read.previous == self._previous
        if self._broken is not None:
            self._settle(blame_later=not holds)
        elif not holds and self._previous is not None:
            self._broken = _BrokenLink(number, read, before, self._previous)
            self._comparable = False

    def _settle(self, *, blame_later: bool | None) -> None:
        """Name the altered one of two entries whose link broke. None: there was no next link to tell."""
        broken, self._broken = self._broken, None
        if broken is None:
            return
        if blame_later is None:
            blame_later = self._mended(broken)
        if blame_later:
            self.faults.append(Fault("it holds another hash than that of the entry before", broken.number))
        else:
            number = broken.number - 1
            # A root that differed there is explained: the very entry replaces the range it lay in.
            self.faults = [fault for fault in self.faults if fault.last != number]
            self.faults.append(Fault(f"altered: entry {broken.number} was chained to other bytes", number))

    def _mended(self, broken: _BrokenLink) -> bool:
        """Whether the last entry, given the right ``previous``, gives the signed root: then it alone was altered."""
        mended = replace(broken.entry, previous=broken.wanted).encode()
        root = broken.before.append(entry.hash_of(mended)).root()
        return any(checkpoint.root == root for _, checkpoint in self._expected.get(broken.number, ()))

    # 3. Its body -----------------------------------------------------------------------------------------------

    def _body(self, record: Record, read: Entry) -> Any:
        """What the entry says, if its body is there; None otherwise."""
        if record.salt is None or record.body is None:
            self._bodyless(record, read.kind)
            return None
        if len(record.salt) != entry.SALT_BYTES or entry.commitment(record.salt, record.body) != read.digest:
            self.faults.append(Fault("its body is not the one it commits to", record.number))
            self._unread |= read.kind in entry.LASTING
            return None
        try:
            return canonical.decode(record.body)
        except canonical.NotCanonical as error:
            self.faults.append(Fault(f"its body cannot be read: {error}", record.number))
            return None

    def _bodyless(self, record: Record, kind: str) -> None:
        if record.withheld and kind not in entry.LASTING:
            self._counts["withheld"] += 1
        else:
            self._bodiless[record.number] = kind

    # 4. What the journal says about itself ---------------------------------------------------------------------

    def _own(self, number: int, kind: str, said: Any) -> VerifierKey | None:
        """Follow keys and erasures; returns the key that this entry replaced."""
        replaced = None
        if (kind == entry.BEGUN) != (number == 1):
            self.faults.append(Fault("a journal begins with journal.begun, once", number))
        elif said is not None and kind in entry.LASTING:
            try:
                replaced = self._follow(number, kind, said)
            except (LookupError, TypeError, ValueError) as error:
                self.faults.append(Fault(f"its body is no {kind}: {error}", number))
        return replaced

    def _follow(self, number: int, kind: str, said: Any) -> VerifierKey | None:
        if kind == entry.ERASURE:
            self._erasure(number, said)
            return None
        key = VerifierKey.parse(str(said["key"]))
        if kind == entry.BEGUN:
            self._begun(key, said)
            return None
        replaced = self._keys[-1]
        if said["replaces"] != replaced.id.hex() or key.origin != replaced.origin:
            raise ValueError("it replaces a key that is not in force")
        if number not in self._expected:
            self.faults.append(Fault("the old key did not sign its replacement", number))
        self._keys.append(key)
        return replaced

    def _begun(self, key: VerifierKey, said: Any) -> None:
        self._keys.append(key)
        if said["origin"] != key.origin or said["format"] != 1:
            raise ValueError("origin or format")
        if self._trusted and str(key) not in self._trusted:
            self.faults.append(Fault(f"the journal's first key is {key}, not a trusted one", 1))

    def _erasure(self, number: int, said: Any) -> None:
        erased = said["number"]
        if not (said["reason"] and said["by"]):
            raise ValueError("no reason or no name")
        if self._bodiless.get(erased) in entry.LASTING:
            self.faults.append(Fault(f"entry {number} erases a body that may not be erased", erased))
        elif self._bodiless.pop(erased, None) is None:
            self.faults.append(Fault(f"erased by entry {number}, and yet its body is here", erased))
        else:
            self._counts["erased"] += 1

    # 5. The checkpoints of its size ----------------------------------------------------------------------------

    def _meet(self, number: int, replaced: VerifierKey | None) -> None:
        for name, checkpoint in self._expected.get(number, ()):
            self._covered = number
            fault = self._signature(checkpoint, replaced) or self._root(checkpoint)
            if fault is None:
                self._good, self._counts["checkpoints"] = number, self._counts["checkpoints"] + 1
            else:
                self.faults.append(replace(fault, where=f"{name} of entry {number}"))

    def _signature(self, checkpoint: Checkpoint, replaced: VerifierKey | None) -> Fault | None:
        wanted = self._keys[-1:] + ([replaced] if replaced else [])
        for key in wanted:
            if not checkpoint.signed_by(key):
                return Fault(f"not signed by key {key.id.hex()} of {key.origin}, which was in force")
        if not wanted or checkpoint.origin != wanted[0].origin:
            return Fault(f"it belongs to {checkpoint.origin}, another journal")
        return None

    def _root(self, checkpoint: Checkpoint) -> Fault | None:
        """The signature is good: a root that differs means that entries were rewritten with all their links."""
        if not self._comparable or checkpoint.root == self._frontier.root():
            return None
        self._comparable = False
        return Fault("rewritten: they do not add up to the signed root", self._good + 1, checkpoint.size)

    # 6. The end ------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        """Everything said so far, and what is missing at the end."""
        if len(self.faults) < MOST_FAULTS:
            self._close()
        return Verdict(
            origin=self._keys[0].origin if self._keys else "",
            entries=self._frontier.size,
            root=self._frontier.root(),
            keys=tuple(self._keys),
            faults=_ordered(self.faults),
            **self._counts,
        )

    def _close(self) -> None:
        self._settle(blame_later=None)
        unread = self._unread or not self._comparable or not entry.LASTING.isdisjoint(self._bodiless.values())
        for number, kind in self._bodiless.items():
            doubtful = unread and kind not in entry.LASTING
            self.faults.append(_missing_body(number, kind, doubtful=doubtful))
        beyond = sorted(size for size in self._expected if size > self._number)
        for size in beyond:
            what = f"missing, and yet the {self._expected[size][0][0]} of entry {size} is here"
            self.faults.append(Fault(what, self._number + 1, size))
        if self._covered < self._number and not beyond:
            self.faults.append(Fault("no checkpoint covers them", self._covered + 1, self._number))
        if self._number == 0:
            self.faults.append(Fault("it has no entries"))


def _missing_body(number: int, kind: str, *, doubtful: bool) -> Fault:
    """Beside a bad entry, which may have been the erasure, a missing body is no proof of a second one."""
    if doubtful:
        return Fault("missing; a bad entry may have been its erasure", where=f"the body of entry {number}")
    return Fault(f"the body of this {kind} is missing, and no entry erased it", number)


def _ordered(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """By entry; what is in no entry comes last."""
    return tuple(sorted(faults, key=lambda fault: (fault.first is None, fault.first or 0)))
