"""Facts about the station itself: that it started, what it refused, and what did not go as it should."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class StationStarted(Fact, frozen=True, tag=True, kw_only=True):
    """The guard began to watch over the site.

    ``last``: the latest fact before, where it is so long ago that the station was off: another may stand in its place.
    """

    site: str
    last: Instant | None = None


class BoxRestored(Fact, frozen=True, tag=True, kw_only=True):
    """This box was made of a backup. The one it was made of may come back, and knows nothing of it.

    ``made``: when the backup was; ``entries``: how many of the journal's it held.
    """

    made: Instant
    entries: int
    by: str


class OrderDeclined(Fact, frozen=True, tag=True, kw_only=True):
    """An order was refused, and why; from the network the first of its sort in an hour, the tenth … (``tally``)."""

    order: str
    by: str
    why: str
    tally: int = 1


class EnforcementFaulted(Fact, frozen=True, tag=True, kw_only=True):
    """The kernel or the proxy did not hold what the journal says; it was repaired, or could not be.

    ``lasts``: it could not for so long that somebody must know.
    """

    what: str
    repaired: bool
    lasts: bool = False


class SealedLate(Fact, frozen=True, tag=True, kw_only=True):
    """A tightening was applied before it could be sealed: the disk took too long or was full."""

    what: list[str]
    milliseconds: int


StationFact = StationStarted | BoxRestored | OrderDeclined | EnforcementFaulted | SealedLate
