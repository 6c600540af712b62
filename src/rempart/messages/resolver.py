"""Resolver and guard: names that machines asked for in; how openings stand and what is leased out."""

import msgspec

from rempart.instants import Instant
from rempart.site.opening import OpeningState


class NameResolved(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A listed name was resolved for a machine; what it leads to is to be leased before it is told."""

    request: int
    client: str
    name: str
    kind: str
    """A or AAAA."""
    openings: list[str]
    """Ids of the openings that the answer may open; the guard looks again."""
    addresses: list[str]
    seconds: int


class NameRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A name that was refused. Who asked is left out: nobody's reading is watched."""

    name: str
    reason: str
    times: int
    last: Instant


class NamesRefused(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What was refused since the resolver began: how often for each reason, and the latest names."""

    times: dict[str, int]
    latest: list[NameRefusal]


FromResolver = NameResolved | NamesRefused


class OpeningStand(msgspec.Struct, frozen=True, kw_only=True):
    """How one opening stands."""

    state: OpeningState
    until: Instant | None = None
    then: OpeningState | None = None


class OpeningsStand(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How all openings stand, by id. Sent at first and at each change."""

    stands: dict[str, OpeningStand]
    contained: bool


class NameLeased(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The kernel holds what was asked for, or why not."""

    request: int
    fault: str = ""


ToResolver = OpeningsStand | NameLeased
