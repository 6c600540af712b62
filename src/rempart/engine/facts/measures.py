"""Facts about measures: blocks of addresses, machines in isolation, passages that are shut."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class Blocked(Fact, frozen=True, tag=True, kw_only=True):
    """An address or network outside is blocked until then."""

    target: str
    until: Instant | None
    by: str
    reason: str
    incident: str | None = None
    provisional: bool = False
    """It ends then unless it is confirmed, and stands until lifted when it is."""


class Unblocked(Fact, frozen=True, tag=True, kw_only=True):
    """A block ended, by an order or by its time."""

    target: str
    by: str


class Isolated(Fact, frozen=True, tag=True, kw_only=True):
    """A machine inside is isolated until then."""

    asset: str
    until: Instant | None
    by: str
    reason: str
    incident: str | None = None
    provisional: bool = False


class Released(Fact, frozen=True, tag=True, kw_only=True):
    """An isolation ended, by an order or by its time."""

    asset: str
    by: str


class Barred(Fact, frozen=True, tag=True, kw_only=True):
    """A passage is shut until then."""

    passage: str
    until: Instant | None
    by: str
    reason: str
    provisional: bool = False


class Unbarred(Fact, frozen=True, tag=True, kw_only=True):
    """A barrier ended, by an order or by its time."""

    passage: str
    by: str


MeasureFact = Blocked | Unblocked | Isolated | Released | Barred | Unbarred
