"""The sets and counters that every chain may ask: the zones inside, who reaches whom, rates and leases."""

from collections.abc import Iterator

from rempart.containment.names import resolved
from rempart.containment.render.nftables.spelling import device, devices
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site, Zone

_MOST_LEASES = 65535
"""Leases that one set takes."""


def fixed_sets(site: Site) -> Iterator[str]:
    """The sets whose elements never change, or that packets and leases fill."""
    pairs = sorted({(one.interface, other.interface) for one in site.zones for other in _reached(site, one)})
    reaches = ", ".join(f"{device(one)} . {device(other)}" for one, other in pairs)
    yield f"set inside {{ type ifname; elements = {devices(site.zones)} }}"
    yield f"set reaches {{ type ifname . ifname; elements = {{ {reaches} }} }}"
    for family in (4, 6):
        yield (
            f"set rate{family} {{ type ipv{family}_addr . mark; size 65535; flags dynamic,timeout; timeout 1m; }}"
        )
    for opening in site.openings:
        if resolved(site, opening):
            yield from _lease_sets(opening)


def _lease_sets(opening: Opening) -> Iterator[str]:
    """What the opening's names resolved to, for one machine or for any. Bounded: what finds no room is not answered."""
    for family in (4, 6):
        for alone, kind in ((True, f"ipv{family}_addr . ipv{family}_addr"), (False, f"ipv{family}_addr")):
            name = lease_set(opening.mark, family, alone=alone)
            yield f"set {name} {{ type {kind}; size {_MOST_LEASES}; flags timeout; }}"


def lease_set(mark: int, family: int, *, alone: bool) -> str:
    """Name of the set of an opening's leases of one family: those of one machine each, or those of any machine."""
    return f"{'leased' if alone else 'common'}{family}_{mark}"


def leased(mark: int, client: str, host: str) -> Iterator[str]:
    """What an opening's names lead to: the machine's own leases, where there is a machine, and those of any."""
    for protocol, family in (("ip", 4), ("ip6", 6)):
        if client:
            yield f"{protocol} {client} . {protocol} {host} @{lease_set(mark, family, alone=True)} "
        yield f"{protocol} {host} @{lease_set(mark, family, alone=False)} "


def _reached(site: Site, zone: Zone) -> Iterator[Zone]:
    """The zones that ``zone`` may begin connections to; itself too, when its networks meet at the gateway."""
    return (other for other in site.zones if other is zone or other.id in zone.reaches)


def counters(site: Site) -> Iterator[str]:
    """A counter for each state of each opening, each safeguard and each reason to refuse."""
    names = [f"{state}_{opening.mark}" for opening in site.openings for state in OpeningState]
    names += [f"limited_{opening.mark}" for opening in site.openings]
    names += [f"safeguard_{number}" for number, _ in enumerate(site.safeguards)]
    names += ["responder", "blocked", "isolated", "unclassified", "between_zones", "barred"]
    names += ["past_the_resolver"] if site.resolver else []
    return (f"counter {name} {{ }}" for name in names)
