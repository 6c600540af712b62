"""The two profiles of a reopening: a way that care hangs on, to exact hosts at a home; and everything else."""

from enum import StrEnum
from ipaddress import ip_network

from rempart.reopening.gate import Gate
from rempart.site.opening import Direction, Opening
from rempart.site.site import Site

HOMES = frozenset({"nursing-home", "medical-house", "disability-centre"})
"""Templates of sites without a security team. A hospital group always takes the full profile."""

CARE_FIRST = 2
"""Openings up to this weight are what care needs first."""

MOST_PORTS = 20
MOST_ADDRESSES = 16
"""What one host of an exact filter may span: a supplier's small network."""


class Profile(StrEnum):
    """How much must be proven."""

    VITAL = "vital"
    FULL = "full"  # inbound, vendors, browsing, and whatever is not exact


_GATES = {
    Profile.VITAL: (Gate.NEED, Gate.CUT_VERIFIED, Gate.FILTER, Gate.APPROVAL),
    Profile.FULL: tuple(Gate),
}


def profile(site: Site, opening: Opening) -> Profile:
    """The profile of an opening: outward, to exact hosts, what care needs first, at a home; else the full one."""
    vital = (
        site.template in HOMES
        and opening.direction is Direction.OUT
        and (opening.lifeline or opening.care <= CARE_FIRST)
        and exact(opening)
    )
    return Profile.VITAL if vital else Profile.FULL


def gates(of: Profile) -> tuple[Gate, ...]:
    """The gates that a profile asks for, in order."""
    return _GATES[of]


def exact(opening: Opening) -> bool:
    """Whether the opening leads to named hosts or single addresses and few ports, not to anywhere."""
    ports = sum(service.last_port - service.first_port + 1 for service in opening.services)
    return ports <= MOST_PORTS and not opening.publication and all(map(_narrow, opening.hosts))


def _narrow(host: str) -> bool:
    if host == "*":
        return False
    try:
        return ip_network(host, strict=False).num_addresses <= MOST_ADDRESSES
    except ValueError:
        return True  # a name
