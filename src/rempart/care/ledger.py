"""The ledger of care: everything that people and probes said about whether care goes on, as the journal tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rempart.care.attestation import Attestation
from rempart.care.catchup import PaperKept
from rempart.care.rehearsal import Rehearsal
from rempart.care.reply import Reply
from rempart.care.trouble import Trouble
from rempart.instants import Instant

MOST = 300
"""Troubles, and piles of paper, that are kept in mind: open ones first; the journal has them all."""

CHANGES = 20
"""Turns of one probe that its history keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideTick:
    """One action outside the wall: whether it was done, with what proof."""

    reply: Reply
    proof: str
    by: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A probe began, or ceased, to get an answer: heard ``at`` that instant, and true when it was ``asked``."""

    at: Instant
    asked: Instant
    answered: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSeen:
    """The downtime pack as it last changed. ``sha256`` empty: there was no file."""

    sha256: str
    written: Instant
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is known about care. ``told`` numbers troubles and piles of paper, so that their ids are never reused."""

    rehearsal: Rehearsal | None = None
    attested: Mapping[str, Attestation] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    papers: Mapping[str, PaperKept] = field(default_factory=dict)
    outside: Mapping[str, Mapping[str, OutsideTick]] = field(default_factory=dict)
    """Name of what lies outside, then the action, then what was said of it."""
    probes: Mapping[str, tuple[Turn, ...]] = field(default_factory=dict)
    pack: PackSeen | None = None
    told: int = 0


def papers_waiting(ledger: Ledger, opening: str) -> tuple[PaperKept, ...]:
    """Paper of an opening that must be entered before its interfaces resume."""
    return tuple(each for each in ledger.papers.values() if each.opening == opening and each.entered is None)


def open_first(kept: Iterable[Trouble]) -> dict[str, Trouble]:
    """As many as are kept in mind: the open ones before the settled, the latest of each."""
    ranked = sorted(kept, key=lambda each: (each.settled is None, each.at))[-MOST:]
    return {each.id: each for each in sorted(ranked, key=lambda each: each.at)}


def waiting_first(kept: Iterable[PaperKept]) -> dict[str, PaperKept]:
    """The same for paper."""
    ranked = sorted(kept, key=lambda each: (each.entered is None, each.at))[-MOST:]
    return {each.id: each for each in sorted(ranked, key=lambda each: each.at)}
