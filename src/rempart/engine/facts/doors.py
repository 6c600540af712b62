"""Facts about doors: each set apart from the others, or opened for minutes to one visitor."""

from msgspec import field

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant
from rempart.site.opening import OpeningState


class LifelineClosed(Fact, frozen=True, tag=True, kw_only=True):
    """A named person closed a lifeline after confirming its fallback."""

    opening: str
    by: str
    reason: str
    until: Instant | None = None


class OpeningSet(Fact, frozen=True, tag=True, kw_only=True):
    """One opening was set apart from the others. ``drains``: until when requests under way may end.

    ``until`` alone: it falls back then unless somebody confirms it. With ``then`` it is on trial as before, and stands
    so from then on.
    """

    opening: str
    state: OpeningState
    by: str
    reason: str
    drains: Instant | None = None
    until: Instant | None = None
    then: OpeningState | None = None


class VisitBegun(Fact, frozen=True, tag=True, kw_only=True):
    """A named person of a supplier may come in until then; the kernel ends it.

    ``overridden``: what stood against it. ``hosts`` and ``certificate``: what it is limited to; empty: to nothing.
    """

    opening: str
    visitor: str
    source: str
    until: Instant
    by: str
    reason: str
    overridden: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    certificate: str = ""


class VisitEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A visit's minutes ran out; the kernel had closed the opening already."""

    opening: str
    visitor: str


DoorFact = LifelineClosed | OpeningSet | VisitBegun | VisitEnded
