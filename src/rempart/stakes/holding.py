"""Holdings: folders in which sensitive data lie, how many persons they concern and which kinds. Never the data.

Each identifier is replaced at once by a keyed hash whose key is drawn for one run and forgotten with it: eleven
digits could be guessed from an unkeyed hash in seconds. What is kept after the run is numbers.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rempart.stakes.identifiers import Record, Sensitive

Mark = bytes
"""A keyed hash of an identifier, 16 bytes."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One folder: distinct persons, and distinct identifiers of each kind."""

    folder: str
    files: int
    """Files in which something was found."""
    persons: int
    kinds: Mapping[Sensitive, int]


@dataclass(slots=True)
class Tally:
    """Counts distinct persons over the records fed to it.

    A national number is a person. An account is one when it never stands beside a national number, a telephone
    number when it never stands beside either: so the institution's own number at the foot of every letter counts
    for nobody, and a couple that shares a telephone for two.
    """

    key: bytes = field(repr=False)
    files: int = 0
    _seen: dict[Sensitive, set[Mark]] = field(
        default_factory=lambda: {kind: set() for kind in Sensitive}, repr=False
    )
    _known: dict[Sensitive, set[Mark]] = field(
        default_factory=lambda: {kind: set() for kind in Sensitive}, repr=False
    )
    """Of the accounts and telephones, those that belong to somebody counted by another identifier."""

    def feed(self, record: Record) -> None:
        """Count what one record says."""
        marks = {kind: {self._mark(d.value) for d in record.data if d.kind is kind} for kind in _RANK}
        for rank, kind in enumerate(_RANK):
            self._seen[kind] |= marks[kind]
            if any(marks[better] for better in _RANK[:rank]):
                self._known[kind] |= marks[kind]
        if record.health:
            whom = next((marks[kind] for kind in _RANK if marks[kind]), set())
            self._seen[Sensitive.HEALTH] |= whom

    def add(self, other: "Tally") -> None:
        """Count with this what another tally of the same key counted."""
        self.files += other.files
        for kind in Sensitive:
            self._seen[kind] |= other._seen[kind]
            self._known[kind] |= other._known[kind]

    def holding(self, folder: str) -> Holding:
        """The numbers, which are all that remains."""
        persons = sum(len(self._seen[kind] - self._known[kind]) for kind in _RANK)
        return Holding(folder, self.files, persons, {kind: len(self._seen[kind]) for kind in Sensitive})

    def _mark(self, value: str) -> Mark:
        return hashlib.blake2b(value.encode(), key=self.key, digest_size=16).digest()


_RANK = (Sensitive.NATIONAL_NUMBER, Sensitive.BANK_ACCOUNT, Sensitive.PHONE)
"""From the identifier that names a person best to the one that does least."""


def whole(tallies: Iterable[Tally], key: bytes) -> Tally:
    """All tallies as one: a person who is in several folders counts once."""
    together = Tally(key)
    for tally in tallies:
        together.add(tally)
    return together
