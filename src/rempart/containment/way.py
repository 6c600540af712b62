"""The ways through a site's openings as addresses and ports, the narrowest description first.

An opening for named hosts wins over one for anywhere: that is how the e-health platform stays apart from browsing.
What hosts given by name resolve to is not known here: such a way leads to whatever the station's resolver has leased
(`rempart.containment.names`). Without a resolver those hosts are left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from itertools import groupby

from rempart.containment.names import resolved
from rempart.site.address import Network
from rempart.site.opening import Direction, Opening, Service, Transport
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Connections of one opening that begin in one direction, over one transport, with hosts of one prefix length."""

    opening: Opening
    outward: bool
    hosts: tuple[Network, ...]
    """Outside addresses, all of one family and prefix length; empty: anywhere, or ``by_name``."""
    by_name: bool
    """To the addresses leased for the opening's names; ``hosts`` is empty."""
    transport: Transport
    ports: tuple[tuple[int, int], ...]
    """Destination ports as disjoint inclusive ranges, in order."""

    @property
    def breadth(self) -> tuple[int, int, int, int]:
        """Sorts the narrowest first: single addresses, what names lead to, networks, anywhere; then fewest ports.

        A single address is a word of the site's own, and no answer from outside takes it over.
        """
        prefix = self.hosts[0].prefixlen if self.hosts else 0
        single = bool(self.hosts) and prefix == self.hosts[0].max_prefixlen
        width = 0 if single else 1 if self.by_name else 2 if self.hosts else 3
        span = sum(last - first + 1 for first, last in self.ports)
        return (width, -prefix, span, self.opening.mark)


def ways(site: Site) -> list[Way]:
    """All ways of a site that packets may take without the proxy, narrowest first."""
    found = (way for opening in site.openings for way in _ways(opening, named=bool(resolved(site, opening))))
    return sorted(found, key=lambda way: way.breadth)


def port_ranges(services: Iterable[Service], transport: Transport) -> tuple[tuple[int, int], ...]:
    """The ports of one transport as disjoint ranges: the kernel's sets refuse overlaps."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(
        (service.first_port, service.last_port) for service in services if service.transport is transport
    ):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def addresses(hosts: Iterable[str]) -> Iterator[Network]:
    """Those hosts that are addresses or networks; names and ``*`` are not."""
    return (found for host in hosts if (found := _address(host)))


@lru_cache(maxsize=1 << 12)
def _address(host: str) -> Network | None:
    """Parsed once: before each automatic measure all the hosts of a site are gone through."""
    try:
        return ip_network(host.partition("%")[0], strict=False)
    except ValueError:
        return None


def _ways(opening: Opening, *, named: bool) -> Iterator[Way]:
    groups = [(hosts, False) for hosts in _host_groups(opening)] + [((), True)] * named
    for outward in _directions(opening):
        for hosts, by_name in groups:
            for transport in Transport:
                if ports := port_ranges(opening.services, transport):
                    yield Way(
                        opening=opening,
                        outward=outward,
                        hosts=hosts,
                        by_name=by_name,
                        transport=transport,
                        ports=ports,
                    )


def _directions(opening: Opening) -> Iterator[bool]:
    """Outward or not. What the proxy publishes is reached through the proxy alone."""
    if opening.direction is not Direction.IN:
        yield True
    if opening.direction is not Direction.OUT and not opening.publication:
        yield False


def _host_groups(opening: Opening) -> Iterator[tuple[Network, ...]]:
    if "*" in opening.hosts:
        yield ()
    found = sorted(set(addresses(opening.hosts)), key=lambda host: (host.version, host.prefixlen, host))
    for _, group in groupby(found, key=lambda host: (host.version, host.prefixlen)):
        yield tuple(group)
