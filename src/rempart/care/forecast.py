"""What stops if we cut? Answered from the flows of a past day: which machines use which opening, and what is unknown.

It sees only what went through the gateway that day. A service that nobody used yesterday is not in it: that is why a
rehearsal follows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address, ip_network

from rempart.containment.way import Way, ways
from rempart.site.opening import MARK_BITS, Opening, OpeningState
from rempart.site.site import Site

_MOST_UNKNOWN = 10_000
"""Destinations outside that are told apart; what comes beyond is counted together."""

UNLISTED = "unlisted"
"""The kind of a machine that site.toml does not list."""


class Fate(StrEnum):
    """What a cut does to an opening."""

    GOES_ON = "goes-on"  # a lifeline: it stays, filtered
    STOPS = "stops"
    CLOSED_ALREADY = "closed-already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One connection that ended. ``mark`` 0: the gateway did not name it."""

    source: str
    destination: str
    transport: str
    port: int
    mark: int = 0


@dataclass(slots=True)
class _Use:
    flows: int = 0
    machines: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One opening as it was used. ``machines`` counts those inside by kind."""

    opening: str
    name: str
    fate: Fate
    fallback: str
    flows: int
    machines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A place outside that was reached by no opening of site.toml: a cut stops it, whatever it is."""

    destination: str
    transport: str
    port: int
    flows: int
    machines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a cut would have stopped. ``unknown`` has the most used first."""

    lines: tuple[Line, ...]
    unknown: tuple[Unknown, ...]
    unknown_flows: int
    flows: int


def forecast(site: Site, flows: Iterable[Flow]) -> Forecast:
    """Sort the flows by opening; what stayed inside says nothing and is left out."""
    sorter = _Sorter(site)
    known: dict[str, _Use] = {}
    unknown: dict[tuple[str, str, int], _Use] = {}
    total = 0
    for flow in flows:
        opening = sorter.opening(flow)
        if opening is None and not sorter.leaves(flow):
            continue
        total += 1
        if opening is None:
            place = (flow.destination, flow.transport, flow.port)
            place = place if place in unknown or len(unknown) < _MOST_UNKNOWN else ("elsewhere", "", 0)
        use = known.setdefault(opening.id, _Use()) if opening else unknown.setdefault(place, _Use())
        use.flows += 1
        if sorter.inside(flow.source):
            use.machines.add(flow.source)
    return Forecast(
        lines=tuple(
            _line(sorter, opening, known[opening.id]) for opening in site.openings if opening.id in known
        ),
        unknown=tuple(
            Unknown(
                destination=place[0],
                transport=place[1],
                port=place[2],
                flows=use.flows,
                machines=sorter.kinds(use.machines),
            )
            for place, use in sorted(unknown.items(), key=lambda item: (-item[1].flows, item[0]))
        ),
        unknown_flows=sum(use.flows for use in unknown.values()),
        flows=total,
    )


def fate(opening: Opening) -> Fate:
    """What the default cut does to an opening."""
    if opening.normally is OpeningState.CLOSED:
        return Fate.CLOSED_ALREADY
    return Fate.GOES_ON if opening.lifeline else Fate.STOPS


def _line(sorter: "_Sorter", opening: Opening, use: _Use) -> Line:
    return Line(
        opening=opening.id,
        name=opening.name,
        fate=fate(opening),
        fallback=opening.fallback.text,
        flows=use.flows,
        machines=sorter.kinds(use.machines),
    )


class _Sorter:
    """The site as flows are looked up in it; what was looked up once is remembered."""

    def __init__(self, site: Site) -> None:
        self._by_mark = {opening.mark: opening for opening in site.openings}
        self._ways = [way for way in ways(site) if way.outward]
        self._zones = {zone.id: tuple(map(ip_network, zone.networks)) for zone in site.zones}
        self._kinds = {address: asset.kind.value for asset in site.assets for address in asset.addresses}
        self._zone_of: dict[str, str | None] = {}

    def opening(self, flow: Flow) -> Opening | None:
        """By the name that the kernel gave the connection, else by the narrowest way that fits it."""
        named = self._by_mark.get(flow.mark & MARK_BITS)
        if named or not self.leaves(flow):
            return named
        return next((way.opening for way in self._ways if self._fits(way, flow)), None)

    def leaves(self, flow: Flow) -> bool:
        """Whether it goes from a machine inside to the outside."""
        return (
            self.inside(flow.source) and not self.inside(flow.destination) and _is_unicast(flow.destination)
        )

    def inside(self, address: str) -> bool:
        """Whether the address lies in a zone."""
        return self._zone(address) is not None

    def kinds(self, machines: Iterable[str]) -> dict[str, int]:
        """How many of each kind."""
        return dict(sorted(Counter(self._kinds.get(address, UNLISTED) for address in machines).items()))

    def _fits(self, way: Way, flow: Flow) -> bool:
        destination = ip_address(flow.destination)
        return (
            way.transport.value == flow.transport
            and any(first <= flow.port <= last for first, last in way.ports)
            and self._zone(flow.source) in way.opening.zones
            and (not way.hosts or any(destination in network for network in way.hosts))
        )

    def _zone(self, address: str) -> str | None:
        if address not in self._zone_of:
            if len(self._zone_of) > _MOST_UNKNOWN * 4:
                self._zone_of.clear()
            self._zone_of[address] = self._found(address)
        return self._zone_of[address]

    def _found(self, address: str) -> str | None:
        try:
            wanted = ip_address(address)
        except ValueError:
            return None
        return next(
            (
                zone
                for zone, networks in self._zones.items()
                if any(wanted in network for network in networks)
            ),
            None,
        )


def _is_unicast(address: str) -> bool:
    """Chatter to everybody (mDNS, router discovery, DHCP) never leaves the house."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return not (
        found.is_multicast or found.is_link_local or found.is_unspecified or address == "255.255.255.255"
    )
