"""The guard's side of names: leases what the resolver says a name led to, after looking for itself whether it may.

The resolver parses what strangers send and is not believed: the guard looks the name up in the site, whether the
opening stands, who asks, and where the addresses lie. What it cannot see is whether the name really led there.
"""

import asyncio
import contextlib
import logging
from ipaddress import ip_address

from rempart.adapters.socket import Connection, Rate
from rempart.containment.measure import Enforcement
from rempart.containment.names import (
    ADDRESS_KINDS,
    GRACE,
    MOST_RECORDS,
    Address,
    Answer,
    Lease,
    Names,
    Permit,
    Question,
    Refusal,
    leases,
)
from rempart.containment.safeguard import serves_care
from rempart.errors import RempartError
from rempart.instants import Instant, seconds
from rempart.messages import NameLeased, NameRefusal, NameResolved, NamesRefused, OpeningsStand, OpeningStand
from rempart.ports import Clock, Lessor
from rempart.site.site import Site

_log = logging.getLogger("rempart.guard")

ANSWERS = Rate(per_second=1000.0, burst=4000.0)
"""Frames a second from the resolver."""

_MOST_NAMED = 10_000
_LONGEST_NAME = 80
_MOST_NAMES = 20


class Leasing:
    """What the resolver may have leased, and what it is told. For the guard's own loop and thread."""

    def __init__(self, site: Site, lessor: Lessor, clock: Clock, *, grace: int = GRACE) -> None:
        self._site = site
        self._names = Names(site)
        self._lessor = lessor
        self._clock = clock
        self._grace = grace
        self._standing = Enforcement(stands={})
        self._changed: dict[Connection, asyncio.Event] = {}
        self._care = frozenset(each.mark for each in site.openings if each.lifeline or serves_care(each))
        self._named: dict[Address, Instant] = {}
        self.refused: NamesRefused | None = None

    def stand(self, held: Enforcement) -> None:
        """How openings stand from now on; the resolver is told when that differs."""
        standing = Enforcement(stands=held.stands, contained=held.contained)
        if standing != self._standing:
            self._standing = standing
            for changed in self._changed.values():
                changed.set()

    def named(self) -> frozenset[Address]:
        """Where names that care needs lead at present: lifelines, and the first openings of care."""
        now = self._clock.now()
        if any(until <= now for until in self._named.values()):
            self._named = {address: until for address, until in self._named.items() if until > now}
        return frozenset(self._named)

    async def hear(self, connection: Connection) -> None:
        """What was resolved in; leases, and how openings stand, out."""
        self._changed[connection] = changed = asyncio.Event()
        telling = asyncio.create_task(self._tell(connection, changed))
        try:
            while (message := await connection.receive()) is not None:
                match message:
                    case NameResolved():
                        await connection.send(self._leased(message))
                    case NamesRefused():
                        self.refused = _bounded(message)
        finally:
            telling.cancel()
            del self._changed[connection]

    async def _tell(self, connection: Connection, changed: asyncio.Event) -> None:
        with contextlib.suppress(ConnectionError):  # it comes back and is told at first
            while True:
                changed.clear()
                await connection.send(_said(self._standing))
                await changed.wait()

    def _leased(self, resolved: NameResolved) -> NameLeased:
        try:
            wanted = self._wanted(resolved)
            if isinstance(wanted, Refusal):
                return NameLeased(request=resolved.request, fault=f"refused: {wanted}")
            self._lessor.hold(wanted)
            self._remember(wanted)
        except RempartError as fault:
            _log.error("a name could not be opened: %s", fault.diagnostics())
            return NameLeased(request=resolved.request, fault=fault.what)
        return NameLeased(request=resolved.request)

    def _remember(self, given: list[Lease]) -> None:
        """What care needs, for as long as it is leased. No more than the kernel would hold."""
        now = self._clock.now()
        for lease in given:
            if lease.mark in self._care and len(self._named) < _MOST_NAMED:
                self._named[lease.address] = Instant(now + seconds(lease.seconds))

    def _wanted(self, resolved: NameResolved) -> list[Lease] | Refusal:
        """The leases that follow from what the resolver says, if it may say so."""
        if resolved.kind not in ADDRESS_KINDS or len(resolved.addresses) > MOST_RECORDS:
            return Refusal.OVERSIZED
        try:
            asker = self._names.asker(ip_address(resolved.client))
            addresses = tuple((resolved.name, ip_address(text)) for text in resolved.addresses)
        except ValueError:
            return Refusal.ADDRESS
        if asker is None:
            return Refusal.STRANGER
        question = Question(resolved.name, resolved.kind)
        permit = self._names.judge(question, asker, self._standing, self._clock.now())
        if isinstance(permit, Refusal):
            return permit
        meant = tuple(opening for opening in permit.openings if opening.id in resolved.openings)
        answer = Answer(size=0, addresses=addresses, seconds=resolved.seconds)
        admitted = self._names.admit(question, Permit(outcome=permit.outcome, openings=meant), answer)
        return admitted if isinstance(admitted, Refusal) else list(leases(admitted, asker, self._grace))


def _said(standing: Enforcement) -> OpeningsStand:
    return OpeningsStand(
        stands={
            name: OpeningStand(state=stand.state, until=stand.until, then=stand.then)
            for name, stand in standing.stands.items()
        },
        contained=standing.contained,
    )


def _bounded(said: NamesRefused) -> NamesRefused:
    """What the resolver says of refusals, small whatever it says: everybody who looks at the status reads it."""
    reasons = {reason.value for reason in Refusal}
    return NamesRefused(
        times={reason: times for reason, times in said.times.items() if reason in reasons},
        latest=[
            NameRefusal(name=each.name[:_LONGEST_NAME], reason=each.reason, times=each.times, last=each.last)
            for each in said.latest[:_MOST_NAMES]
            if each.reason in reasons
        ],
    )
