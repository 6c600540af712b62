"""Why packets of an address do not pass: which measure, since when, by whom and until when.

Told from the state and from the kernel's counters. A counter is of the whole measure, not of the one address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

import msgspec

from rempart.containment.holdings import network
from rempart.containment.way import addresses
from rempart.engine.state import NEVER, Door, Measure, State
from rempart.errors import InputRefused
from rempart.incidents.triage import inside
from rempart.instants import Instant
from rempart.site.address import meant
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site, Zone


class Cause(StrEnum):
    """What can stop a packet."""

    BLOCKED = "blocked"
    ISOLATED = "isolated"
    CONTAINED = "contained"
    CLOSED = "closed"
    LIMITED = "limited"  # filtered: what begins too fast is refused
    VISIT = "visit"  # it stands open for one visit, which this address is no part of
    BARRED = "barred"
    ZONES = "zones"  # site.toml does not let one zone reach the other
    UNCLASSIFIED = "unclassified"  # no opening leads there


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stops packets of the address."""

    cause: Cause
    what: str
    """The target of the measure: a network, a machine, an opening, a passage, a zone."""
    since: Instant | None = None
    until: Instant | None = None
    by: str = ""
    """Empty: site.toml says so."""
    reason: str = ""
    refused: int | None = None
    """Packets refused by it since the kernel's table was loaded; None: not known."""
    waits: bool = False
    """It falls back at ``until`` unless somebody confirms it."""


def why(site: Site, state: State, address: str, refused: Mapping[str, int]) -> tuple[Reason, ...]:
    """Everything that may stop packets from or to ``address``; none when all of it passes.

    ``refused``: the kernel's counters. Raises InputRefused for what is no single address.
    """
    try:
        known = meant(ip_address(address))
    except ValueError as error:
        raise InputRefused(
            f"{address[:60]!r} is no address", now="Write it like 203.0.113.7 or 2001:db8::1."
        ) from error
    asked = _Asked(site, state, str(known), refused)
    return tuple(asked.about_inside() if inside(site, str(known)) else asked.about_outside())


@dataclass(frozen=True, slots=True)
class _Asked:
    site: Site
    state: State
    address: str
    refused: Mapping[str, int]

    def about_outside(self) -> Iterator[Reason]:
        """Blocks, and the openings that lead there."""
        mine = network(self.address)
        for target, measure in self.state.blocked.items():
            wider = network(target)
            if wider.version == mine.version and mine.subnet_of(wider):  # type: ignore[arg-type]  # versions are equal
                yield self._measure(Cause.BLOCKED, measure, "blocked")
        leading = [opening for opening in self.site.openings if _leads(opening, self.address)]
        yield from self._openings(leading)
        if not leading:
            yield self._standing(Cause.UNCLASSIFIED, self.address, "unclassified")

    def about_inside(self) -> Iterator[Reason]:
        """Isolation, barriers, the openings and the zones that its zone may not use."""
        for asset in self.site.assets:
            if self.address in asset.addresses and asset.id in self.state.isolated:
                yield self._measure(Cause.ISOLATED, self.state.isolated[asset.id], "isolated")
        zone = next((zone for zone in self.site.zones if _holds(zone, self.address)), None)
        if zone is None:
            return
        for passage, measure in self.state.barred.items():
            if zone.id in passage.split(">"):
                yield self._measure(Cause.BARRED, measure, "barred")
        yield from self._openings([o for o in self.site.openings if zone.id in o.zones])
        for other in self.site.zones:
            if other is not zone and other.id not in zone.reaches:
                yield self._standing(Cause.ZONES, f"{zone.id}>{other.id}", "between_zones")

    def _openings(self, openings: list[Opening]) -> Iterator[Reason]:
        for opening in openings:
            for way in ("in", "out"):
                if measure := self.state.barred.get(f"{opening.id}:{way}"):
                    yield self._measure(Cause.BARRED, measure, f"closed_{opening.mark}")
            door = self.state.doors[opening.id]
            if door.stand.state is OpeningState.CLOSED:
                cut = self.state.contained and opening.normally is not OpeningState.CLOSED
                cause = Cause.CONTAINED if cut else Cause.CLOSED
                yield self._door(cause, opening, door, f"closed_{opening.mark}")
            elif door.stand.state is OpeningState.FILTERED:
                limits = door.stand.limits
                if limits and self.address not in (limits.source, *limits.hosts):
                    yield self._door(Cause.VISIT, opening, door, f"closed_{opening.mark}")
                yield self._door(Cause.LIMITED, opening, door, f"limited_{opening.mark}")

    def _measure(self, cause: Cause, measure: Measure, counter: str) -> Reason:
        return Reason(
            cause=cause,
            what=measure.target,
            since=measure.since,
            until=measure.until,
            by=measure.by,
            reason=measure.reason,
            refused=self.refused.get(counter),
            waits=measure.provisional,
        )

    def _door(self, cause: Cause, opening: Opening, door: Door, counter: str) -> Reason:
        return Reason(
            cause=cause,
            what=opening.id,
            since=None if door.since == NEVER else door.since,
            until=door.stand.until,
            by=door.by,
            reason=door.reason,
            refused=self.refused.get(counter),
            waits=door.provisional,
        )

    def _standing(self, cause: Cause, what: str, counter: str) -> Reason:
        return Reason(cause=cause, what=what, refused=self.refused.get(counter))


def _leads(opening: Opening, address: str) -> bool:
    """Whether an opening's description takes in the address. What its names resolve to is not known here."""
    mine = ip_address(address)
    return "*" in opening.hosts or any(mine in host for host in addresses(opening.hosts))


def _holds(zone: Zone, address: str) -> bool:
    return any(ip_address(address) in network(text) for text in zone.networks)
