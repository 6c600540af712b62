"""The case file of an incident: what was found in it, what was done, and what people wrote about it, in order.

Nothing in it is overwritten: a new qualification stands after the earlier ones. It holds the latest of each sort, as
many as are named here; the journal holds them all.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

from rempart.detection.finding import Kind, Level, Outcome
from rempart.incidents.incident import Qualification
from rempart.instants import Instant

MOST_SEEN = 100
"""Findings kept of one incident; only these can be moved to another."""

MOST_DEEDS = 200
MOST_WRITTEN = 200
"""Comments, qualifications and assignments kept, of each."""

MOST_FILES = 20
"""Files that may be attached to one incident."""

MOST_FILE_BYTES = 640 * 1024
"""Bytes of the longest file: a mail, a picture of a screen. Larger evidence goes into a bag (`rempart export`)."""

_PARTIES = 10

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One finding of the incident, with the technical detail that a person needs to check it."""

    finding: str
    at: Instant
    rule: str
    title: str
    """Hostile text may be in it."""
    level: Level
    kind: Kind
    outcome: Outcome
    actors: tuple[str, ...]
    accounts: tuple[str, ...]
    """Those of the finding, whether or not the sign-in succeeded."""
    assets: tuple[str, ...]
    hosts: tuple[str, ...]
    victims: tuple[str, ...]
    source: str
    record: int
    count: int
    tally: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that was done because of the incident. ``what`` is a message key, ``by`` the station or a person."""

    at: Instant
    what: str
    target: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualified:
    """What somebody thought the incident to be from then on, with a short text."""

    at: Instant
    by: str
    said: Qualification
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Who looks after the incident from then on; ``person`` empty: nobody in particular."""

    at: Instant
    by: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Somebody's words."""

    at: Instant
    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Whose word took the bytes of a file away, and why."""

    at: Instant
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file beside the journal, known by its hash. ``name`` is what somebody called it: hostile text."""

    at: Instant
    by: str
    name: str
    size: int
    """Bytes."""
    sha256: str
    note: str = ""
    erased: Erasure | None = None
    """None: its bytes are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything kept of one incident beside what it is. Each tuple is in the order in which it was sealed."""

    seen: tuple[Seen, ...] = ()
    unkept: int = 0
    """Findings that are no longer in ``seen``."""
    deeds: tuple[Deed, ...] = ()
    qualified: tuple[Qualified, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    comments: tuple[Comment, ...] = ()
    files: tuple[Attachment, ...] = ()
    absorbed: tuple[str, ...] = ()
    """Ids of incidents that turned out to be part of it."""
    split_off: tuple[str, ...] = ()
    """Ids of incidents made of findings that turned out not to be part of it."""
    split_from: str = ""

    @property
    def assignee(self) -> str:
        """Who looks after it; empty: nobody in particular."""
        return self.assigned[-1].person if self.assigned else ""

    def with_seen(self, seen: Seen) -> "CaseFile":
        """The file with one finding more."""
        kept = (*self.seen, seen)
        return replace(self, seen=kept[-MOST_SEEN:], unkept=self.unkept + max(0, len(kept) - MOST_SEEN))

    def without_bytes(self, sha256: str, erased: Erasure) -> "CaseFile":
        """The file, in which it stands that the bytes of that hash are gone."""
        files = tuple(
            replace(file, erased=erased) if file.sha256 == sha256 and file.erased is None else file
            for file in self.files
        )
        return self if files == self.files else replace(self, files=files)

    def with_deed(self, deed: Deed) -> "CaseFile":
        """The file with one deed more."""
        return replace(self, deeds=latest((*self.deeds, deed), MOST_DEEDS))


NOTHING = CaseFile()


def latest(these: tuple[_T, ...], most: int) -> tuple[_T, ...]:
    """The last of them, as many as are kept."""
    return these[-most:]


def parties(these: list[str]) -> tuple[str, ...]:
    """As many of a finding's parties as are kept; the journal has them all."""
    return tuple(these[:_PARTIES])


def joined(into: CaseFile, gone: CaseFile, merged: str) -> CaseFile:
    """One file of two that were about one attack."""

    def ordered(these: tuple[_T, ...], most: int) -> tuple[_T, ...]:
        return latest(tuple(sorted(these, key=lambda each: each.at)), most)  # type: ignore[attr-defined]  # each has one

    seen = ordered((*into.seen, *gone.seen), len(into.seen) + len(gone.seen))
    return replace(
        into,
        seen=seen[-MOST_SEEN:],
        unkept=into.unkept + gone.unkept + max(0, len(seen) - MOST_SEEN),
        deeds=ordered((*into.deeds, *gone.deeds), MOST_DEEDS),
        qualified=ordered((*into.qualified, *gone.qualified), MOST_WRITTEN),
        # Who looks after the whole is who looked after what stays.
        assigned=latest((*gone.assigned, *into.assigned), MOST_WRITTEN),
        comments=ordered((*into.comments, *gone.comments), MOST_WRITTEN),
        files=ordered((*into.files, *gone.files), 2 * MOST_FILES),
        absorbed=(*into.absorbed, *gone.absorbed, merged),
        split_off=(*into.split_off, *(name for name in gone.split_off if name not in into.split_off)),
    )
