"""The gate: which openings pass it, where it listens, and who may pass under a name that the opening does not have.

On shared addresses an address says nothing: thousands of names lie on it. Connections to what such an opening's names
resolved to are turned to the gate, which reads the name in the TLS greeting (SNI), resolves it itself and connects
there: an allowed name sent to another address arrives at the right one. A name that the opening does not have is
passed on as what it is, somebody's browsing, while browsing stands open for that machine; otherwise it is closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rempart.containment.names import resolved
from rempart.site.opening import Direction, Opening, Transport
from rempart.site.site import Site

_FIRST_PORT = 18000
OTHERS_PORTS = (23000, 32000)
"""Source ports of connections under names that the opening does not have: the kernel judges them as browsing, also
when their address is one that the opening's own names lead to. Below what the kernel gives out by itself (32768)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """An opening to anywhere, and the networks inside that may use it."""

    opening: Opening
    networks: tuple[str, ...]


def gated(site: Site) -> tuple[Opening, ...]:
    """The openings that pass the gate."""
    return tuple(each for each in site.openings if each.shared_addresses and resolved(site, each))


def port(opening: Opening) -> int:
    """The one port of a gated opening."""
    return opening.services[0].first_port


def gate_port(opening: Opening) -> int:
    """Where the gate listens for an opening."""
    return _FIRST_PORT + opening.mark


def wide(site: Site, opening: Opening) -> Iterator[Wide]:
    """The openings to anywhere by which machines may reach the gated opening's port under any name."""
    for each in site.openings:
        if "*" in each.hosts and each.direction is not Direction.IN and _serves(each, port(opening)):
            inside = (zone for zone in site.zones if zone.id in each.zones)
            yield Wide(opening=each, networks=tuple(net for zone in inside for net in zone.networks))


def _serves(opening: Opening, number: int) -> bool:
    return any(
        each.transport is Transport.TCP and each.first_port <= number <= each.last_port
        for each in opening.services
    )
