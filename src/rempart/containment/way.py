"""The ways through a site's openings as addresses and ports, the narrowest description first.

An opening for named hosts wins over one for anywhere: that is how the e-health platform stays apart from browsing.
Hosts given by name are left out: what they resolve to is not known here. Until something that resolves them says
so, what they lead to is judged by a wider opening, or by none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import groupby

from rempart.containment.holdings import Network
from rempart.site.opening import Direction, Opening, Service, Transport
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Connections of one opening that begin in one direction, over one transport, with hosts of one prefix length."""

    opening: Opening
    outward: bool
    hosts: tuple[Network, ...]
    """Outside addresses, all of one family and prefix length; empty: anywhere."""
    transport: Transport
    ports: tuple[tuple[int, int], ...]
    """Destination ports as disjoint inclusive ranges, in order."""

    @property
    def breadth(self) -> tuple[bool, int, int, int]:
        """Sorts the narrowest first: named hosts, longest prefix, fewest ports."""
        prefix = self.hosts[0].prefixlen if self.hosts else 0
        span = sum(last - first + 1 for first, last in self.ports)
        return (not self.hosts, -prefix, span, self.opening.mark)


def ways(site: Site) -> list[Way]:
    """All ways of a site that packets may take without the proxy, narrowest first."""
    return sorted((way for opening in site.openings for way in _ways(opening)), key=lambda way: way.breadth)


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
    for host in hosts:
        try:
            yield ip_network(host.partition("%")[0], strict=False)
        except ValueError:
            continue


def _ways(opening: Opening) -> Iterator[Way]:
    for outward in _directions(opening):
        for hosts in _host_groups(opening):
            for transport in Transport:
                if ports := port_ranges(opening.services, transport):
                    yield Way(opening=opening, outward=outward, hosts=hosts, transport=transport, ports=ports)


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
