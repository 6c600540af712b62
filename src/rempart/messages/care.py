"""Whether care goes on: wards, troubles, rehearsals, paper, probes and the downtime pack."""

import msgspec

from rempart.instants import Instant
from rempart.phrase import Phrase, phrase


class TickStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One ward's answer to one question of a rehearsal."""

    ward: str
    question: str
    reply: str
    note: str
    by: str


class CorrectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal showed about an opening, and whether site.toml says so by now."""

    opening: str
    becomes: str
    reason: str
    by: str
    written: bool


class RehearsalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The latest rehearsal. ``locked``: why the station may not contain by itself; None: it may."""

    began: Instant
    until: Instant
    by: str
    ended: Instant | None
    early: bool
    locked: Phrase | None
    ticks: list[TickStatus]
    unanswered: list[tuple[str, str]]
    corrections: list[CorrectionStatus]


class WardStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A ward in this shift: goes-on, troubled or unheard."""

    id: str
    name: str
    phone: str | None
    standing: str
    at: Instant | None = None
    note: str = ""
    by: str = ""


class TroubleStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What staff reported of a service. ``settled`` None: open."""

    id: str
    service: str
    ail: str
    ward: str
    note: str
    by: str
    at: Instant
    settled: Instant | None
    remedy: str


class OutsideStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One action outside the wall. ``number`` counts the actions of its item from 1."""

    item: str
    number: int
    action: str
    phone: str | None
    reply: str
    proof: str = ""
    by: str = ""
    at: Instant | None = None


class PaperStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A pile of paper. ``entered`` None: it waits."""

    id: str
    opening: str
    what: str
    by: str
    at: Instant
    entered: Instant | None


class ProbeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A probe: what was asked, what came, and whether that is as it should be."""

    id: str
    name: str
    opening: str | None
    answered: bool | None
    """None: not asked yet."""
    right: bool | None
    """As it should be: inside, an answer; through a closed door, none. None: nothing can be said."""
    since: Instant | None
    detail: str
    history: list[tuple[Instant, bool]]


class PackStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The downtime pack. ``fresh`` False: too old, or not there."""

    path: str
    written: Instant | None
    sha256: str
    hours: int
    fresh: bool


class CareStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether care goes on."""

    rehearsal: RehearsalStatus | None = None
    locked: Phrase | None = phrase("locked-never")
    """Why the station may not contain by itself; None: it may."""
    wards: list[WardStatus] = []
    troubles: list[TroubleStatus] = []
    outside: list[OutsideStatus] = []
    papers: list[PaperStatus] = []
    probes: list[ProbeStatus] = []
    pack: PackStatus | None = None
