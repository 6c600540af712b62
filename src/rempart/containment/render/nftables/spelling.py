"""How chains, interfaces, addresses, ports and reports are spelled for nft. Nothing here decides."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from rempart.containment.holdings import network
from rempart.errors import InputRefused
from rempart.site.address import Network
from rempart.site.opening import MARK_BITS
from rempart.site.site import Zone

TABLE = "inet rempart"
OURS = f"ct mark and {MARK_BITS:#x}"
_REPORTS = "limit rate 50/second burst 200 packets"
"""How much of one kind is reported to user space; the counters count everything."""
BEGUN = "ct state new ct status ! confirmed"
"""The first packet of a connection. `new` alone is every packet of a stream that nobody answers (an alarm, a one-way
voice), and a filtered lifeline would lose all but twenty of them a second."""
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")


def chain(name: str, *rules: str) -> list[str]:
    """The lines of a chain."""
    return [f"chain {name} {{", *(f"\t{rule}" for rule in rules), "}"]


def report(prefix: str, when: str = "") -> str:
    """A rule that tells user space of what ``when`` matches, at a bounded rate; the prefix is cleaned."""
    text = re.sub(r"[^A-Za-z0-9:._-]", "_", prefix)[:80]
    return f'{when} {_REPORTS} log prefix "{text}" group 1 snaplen 128'.strip()


def device(name: str) -> str:
    """A network interface, quoted. Raises InputRefused for what cannot be the name of one."""
    if not _INTERFACE.fullmatch(name):
        raise InputRefused(
            f"{name[:40]!r} cannot be the name of a network interface",
            now="Use a name as `ip link` shows it.",
        )
    return f'"{name}"'


def devices(zones: Iterable[Zone]) -> str:
    """The interfaces of these zones, as a set."""
    return braced(sorted({device(zone.interface) for zone in zones}))


def protocol_of(target: Network) -> str:
    """The protocol in whose header such an address stands."""
    return "ip" if target.version == 4 else "ip6"


def braced(members: Iterable[str]) -> str:
    """An anonymous set."""
    return f"{{ {', '.join(members)} }}"


def families(networks: Iterable[str]) -> Iterator[list[Network]]:
    """The networks by family, without overlaps."""
    known = [network(text) for text in networks]
    four = collapse_addresses(found for found in known if isinstance(found, IPv4Network))
    six = collapse_addresses(found for found in known if isinstance(found, IPv6Network))
    return (list(family) for family in (list(four), list(six)) if family)


def port_set(ranges: Iterable[tuple[int, int]]) -> str:
    """These ranges of ports, first and last included, as a set."""
    return braced(f"{first:d}" if first == last else f"{first:d}-{last:d}" for first, last in ranges)
