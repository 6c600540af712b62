"""Countries: in which country an address lies, by a table that the site has; without one, the network around it."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from rempart.detection.surroundings import normal
from rempart.errors import InputRefused
from rempart.site.address import Address

AROUND = {4: 16, 6: 32}
"""Prefix length of the network that stands for the place of an address."""


@dataclass(frozen=True, slots=True)
class Countries:
    """Ranges of IPv4 and IPv6 addresses that do not overlap, sorted; of IPv6 the first 64 bits."""

    starts: dict[int, "array[int]"] = field(default_factory=dict)
    ends: dict[int, "array[int]"] = field(default_factory=dict)
    names: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, lines: Iterable[str], where: str) -> "Countries":
        """Lines ``network,country`` or ``first,last,country`` (country: two letters), in any order.

        Raises `InputRefused` at a line that is neither. Of ranges that overlap, the one that begins later counts.
        """
        rows: dict[int, list[tuple[int, int, str]]] = {4: [], 6: []}
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                version, row = _row(line, f"{where}:{number}")
                rows[version].append(row)
        for each in rows.values():
            each.sort()
        return cls(
            {version: array("Q", [row[0] for row in each]) for version, each in rows.items()},
            {version: array("Q", [row[1] for row in each]) for version, each in rows.items()},
            {version: [row[2] for row in each] for version, each in rows.items()},
        )

    def country(self, address: str) -> str | None:
        """Two letters, or None when the table does not say."""
        found = normal(address)
        if found is None or found.version not in self.starts:
            return None
        number = int(found) if found.version == 4 else int(found) >> 64
        at = bisect_right(self.starts[found.version], number) - 1
        inside = at >= 0 and number <= self.ends[found.version][at]
        return self.names[found.version][at] if inside else None

    def place(self, address: str) -> str:
        """The country, or else the network around the address."""
        if country := self.country(address):
            return country
        found = normal(address)
        return str(ip_network((found, AROUND[found.version]), strict=False)) if found else "unknown"


def _row(line: str, where: str) -> tuple[int, tuple[int, int, str]]:
    words = [word.strip().strip('"') for word in line.split(",")]
    try:
        first, last = _range(words[:-1])
        country = words[-1].upper()
        if (
            len(country) != 2
            or not country.isascii()
            or not country.isalpha()
            or first.version != last.version
        ):
            raise ValueError("no country of two letters")
    except ValueError as fault:
        raise InputRefused(
            f"no line of a table of countries: {str(fault)[:100]!a}",
            where=where,
            now="Write network,country or first,last,country.",
        ) from fault
    shift = 0 if first.version == 4 else 64
    return first.version, (int(first) >> shift, int(last) >> shift, country)


def _range(words: list[str]) -> tuple[Address, Address]:
    if len(words) == 1:
        network = ip_network(words[0], strict=False)
        return network[0], network[-1]
    first, last = words
    return ip_address(first), ip_address(last)
