"""What must pass: a model of the ruleset, written from docs/design/ruleset.md and from nothing that renders it."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from rempart.containment.measure import Enforcement
from rempart.site.opening import Direction, Opening, OpeningState, Transport
from rempart.site.site import Site, Zone


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection."""

    source: str
    target: str
    transport: Transport
    port: int


def passes(site: Site, held: Enforcement, packet: Packet) -> bool:
    """Whether it crosses the gateway, with everything that had a deadline fallen already."""
    begun_in, ends_in = zone_of(site, packet.source), zone_of(site, packet.target)
    isolated = {a for asset in site.assets if asset.id in held.isolated for a in asset.addresses}
    if {packet.source, packet.target} & isolated:
        return False
    if begun_in and ends_in:
        name = f"{begun_in.id}>{ends_in.id}"
        return ends_in.id in begun_in.reaches and name not in held.barred
    outside = packet.target if begun_in else packet.source
    if any(_within(outside, text) for text in held.blocked):
        return False
    opening = named(site, packet, begun_in or ends_in, outward=begun_in is not None)
    if opening is None or f"{opening.id}:{'out' if begun_in else 'in'}" in held.barred:
        return False
    stand = held.stands[opening.id]
    if stand.limits and {packet.source, packet.target} - {outside, *stand.limits.hosts}:
        return False
    if stand.limits and outside != stand.limits.source:
        return False
    return stand.state is not OpeningState.CLOSED


def named(site: Site, packet: Packet, zone: Zone | None, *, outward: bool) -> Opening | None:
    """The opening that the packet belongs to: named hosts before anywhere, longer prefix, fewer ports, lower mark."""
    outside = packet.target if outward else packet.source
    fitting = []
    for opening in site.openings:
        wrong_way = Direction.IN if outward else Direction.OUT
        if zone is None or zone.id not in opening.zones or opening.direction is wrong_way:
            continue
        ports = {
            port
            for service in opening.services
            if service.transport is packet.transport
            for port in range(service.first_port, service.last_port + 1)
        }
        prefixes = [ip_network(host).prefixlen for host in opening.hosts if _within(outside, host)]
        if packet.port in ports and prefixes:
            fitting.append(((False, -max(prefixes), len(ports), opening.mark), opening))
        elif packet.port in ports and "*" in opening.hosts:
            fitting.append(((True, 0, len(ports), opening.mark), opening))
    return min(fitting, key=lambda each: each[0])[1] if fitting else None


def zone_of(site: Site, address: str) -> Zone | None:
    """The zone in which an address lies; None: outside."""
    return next((z for z in site.zones if any(_within(address, text) for text in z.networks)), None)


def _within(address: str, text: str) -> bool:
    try:
        network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    except ValueError:  # a name, or anywhere
        return False
    if network.version == 6 and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        network = ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return ip_address(address) in network
