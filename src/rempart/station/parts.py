"""The parts of a station: which processes a site needs, and the units that start them on a box."""

from collections.abc import Iterator
from enum import StrEnum

from rempart.containment.gate import gated
from rempart.site.site import Site


class Part(StrEnum):
    """One process; its unit is ``rempart-PART.service``."""

    GUARD = "guard"
    FILTER = "filter"
    PROXY = "proxy"
    PACKETS = "packets"
    WATCH = "watch"
    CONSOLE = "console"
    PROBER = "prober"
    GROUP = "group"
    STAFF = "staff"
    TELLER = "teller"
    UNBOUND = "unbound"
    RESOLVER = "resolver"
    GATE = "gate"


BEFORE = ("rempart-boot.service", "rempart-prepare.service", "rempart-logs.timer")
"""Units of a box that are no part: `rempart run` does what they do by itself, or is started too late for it."""

PROVIDER = "rempart-provider.timer"
"""Where people sign in with the account of the house: fetches the provider's keys each day."""

_SEES = (Part.GUARD, Part.WATCH, Part.CONSOLE)
_ENFORCES = (Part.GUARD, Part.FILTER, Part.PROXY, Part.PACKETS, Part.WATCH, Part.CONSOLE)


def parts(site: Site) -> Iterator[Part]:
    """What must run for this site, in the order in which one needs another; the guard is first."""
    yield from _ENFORCES if site.enforces else _SEES
    if site.probes or site.downtime_pack:
        yield Part.PROBER
    if site.group:
        yield Part.GROUP
    if site.staff_page:
        yield Part.STAFF
    if site.telling.recipients:
        yield Part.TELLER
    if site.resolver and site.enforces:
        yield from (Part.UNBOUND, Part.RESOLVER)
    if gated(site) and site.enforces:
        yield Part.GATE


def unneeded(site: Site) -> tuple[str, ...]:
    """The units of parts that this site does without; an earlier description may have needed them."""
    needed = set(parts(site))
    return tuple(f"rempart-{part}.service" for part in Part if part not in needed)


def units(site: Site) -> tuple[str, ...]:
    """The units to be enabled for this site."""
    around = (*BEFORE, PROVIDER) if site.sign_on else BEFORE
    return (*around, *(f"rempart-{part}.service" for part in parts(site)))
