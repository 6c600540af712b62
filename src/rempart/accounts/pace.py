"""How fast guesses may come: token buckets by who is guessing, so that a stranger can slow down strangers only.

Three kinds of buckets: an address, an account tried from browsers it does not know, and a browser that the account
knows (it carries a device cookie). Somebody on a known browser passes by none but its own, so that no guessing from
elsewhere locks them out (the idea of OWASP's "Slow Down Online Guessing Attacks with Device Cookies"). How many
hashings may wait is bounded apart (`rempart.adapters.credentials`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Network, ip_address

from rempart.instants import Duration, Instant, seconds

MOST = 4_096
"""Buckets kept at once; the one that is nearest to full is forgotten first, so that whoever comes from many places, or
under many names, washes out none that was emptied."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many tries at once, and then one more each ``every``."""

    burst: int
    every: Duration


ADDRESS = Pace(20, seconds(3))
ACCOUNT = Pace(10, seconds(30))
DEVICE = Pace(10, seconds(10))


@dataclass(frozen=True, slots=True)
class Buckets:
    """For each name: when it will be full again. A name that is not there is full."""

    full: Mapping[str, Instant] = field(default_factory=dict)

    def take(self, name: str, pace: Pace, now: Instant) -> tuple["Buckets", Duration]:
        """Take one try; how long to wait before the next is possible, 0 when this one may go ahead.

        A refused try costs nothing: whoever waits is served when it was said.
        """
        full = max(self.full.get(name, now), now)
        wait = full + pace.every - now - pace.burst * pace.every
        if wait > 0:
            return self, Duration(wait)
        others = {other: at for other, at in self.full.items() if other != name and at > now}
        while len(others) >= MOST:
            del others[min(others, key=others.__getitem__)]
        return replace(self, full={**others, name: Instant(full + pace.every)}), Duration(0)


def place(address: str) -> str:
    """The address as guesses are counted by: an IPv6 network of 64 bits is one place, as one machine has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
