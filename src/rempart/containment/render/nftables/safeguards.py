"""The operators' way in, which nothing else in the table can close."""

from collections.abc import Iterator

from rempart.containment.holdings import spelled
from rempart.containment.render.nftables.spelling import (
    braced,
    chain,
    device,
    families,
    port_set,
    protocol_of,
)
from rempart.containment.way import port_ranges
from rempart.site.opening import Transport
from rempart.site.site import Safeguard, Site


def safeguards(site: Site) -> list[str]:
    """The operators' way in: exact addresses and ports, both directions, metered, whatever the connection's state."""
    rules = [rule for number, safeguard in enumerate(site.safeguards) for rule in _safe(safeguard, number)]
    return [
        *chain("safeguards_in", *(inward for inward, _ in rules)),
        *chain("safeguards_out", *(outward for _, outward in rules)),
    ]


def _safe(safeguard: Safeguard, number: int) -> Iterator[tuple[str, str]]:
    interface, verdict = device(safeguard.interface), f"counter name safeguard_{number} accept"
    for hosts in families(safeguard.networks):
        protocol, members = protocol_of(hosts[0]), braced(map(spelled, hosts))
        for transport in Transport:
            if ranges := port_ranges(safeguard.services, transport):
                ports = port_set(ranges)
                yield (
                    f"iifname {interface} {protocol} saddr {members} {transport} dport {ports} {verdict}",
                    f"oifname {interface} {protocol} daddr {members} {transport} sport {ports} {verdict}",
                )
