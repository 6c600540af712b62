"""Facts about the cut: how it begins, is confirmed, falls back and ends, and what the public is told."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class Contained(Fact, frozen=True, tag=True, kw_only=True):
    """The site was cut off from the outside because of these incidents."""

    by: str
    reason: str
    incidents: list[str]
    until: Instant | None = None
    """Unless it is confirmed, it falls back then. So it is with the facts below that have this field."""


class ChangeConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """What waited for a confirmation stays."""

    by: str


class FellBack(Fact, frozen=True, tag=True, kw_only=True):
    """Nobody confirmed: these doors, and the cut if ``contained``, are as before; the kernel had done it already."""

    openings: list[str]
    contained: bool


class DeadlineNears(Fact, frozen=True, tag=True, kw_only=True):
    """In so many hours this ends by itself. ``what``: a trial, block, isolation or barrier; ``target``: of what."""

    what: str
    target: str
    until: Instant
    hours: int


class Normalised(Fact, frozen=True, tag=True, kw_only=True):
    """Containment ended; every opening is as it normally is."""

    by: str
    reason: str


class NewsAnnounced(Fact, frozen=True, tag=True, kw_only=True):
    """The public is told that there will be news then; None: it is told nothing."""

    news_at: Instant | None
    by: str


CutFact = Contained | ChangeConfirmed | FellBack | DeadlineNears | Normalised | NewsAnnounced
