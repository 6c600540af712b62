"""A supplier's visit: one named person, one address, minutes; what an order for it becomes, or why it is refused."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from rempart.containment.holdings import network, single, spelled
from rempart.containment.limits import Limits
from rempart.containment.way import addresses
from rempart.engine import facts, orders
from rempart.engine.named import opening_named
from rempart.engine.state import State
from rempart.errors import InputRefused, require
from rempart.instants import Instant, after, minutes
from rempart.site.address import Network
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site


def visit(site: Site, state: State, order: orders.OpenVisit, now: Instant) -> facts.VisitBegun:
    """The visit as it will be sealed. Raises `OrderRefused`."""
    opening = opening_named(site, order.opening)
    require(bool(order.visitor.strip()), "no-visitor")
    require(bool(order.reason.strip()), "visit-reason")
    require(opening.takes_visits, "no-visits", opening=opening.id)
    door = state.doors[opening.id]
    require(
        door.stand.state is OpeningState.CLOSED or bool(door.visitor),
        "already-so",
        opening=opening.id,
        state=door.stand.state.value,
    )
    require(
        _among(order.source, opening.hosts),
        "not-its-host",
        source=order.source,
        opening=opening.id,
    )
    limits = _limits(site, opening, order)
    overridden = ["the site is contained"] if state.contained else []
    require(not overridden or order.override, "contained-no-visit", opening=opening.id)
    return facts.VisitBegun(
        at=now,
        opening=opening.id,
        visitor=order.visitor,
        source=limits.source if limits else order.source,
        until=after(now, minutes(order.minutes)),
        by=order.by,
        reason=order.reason,
        overridden=overridden,
        hosts=list(limits.hosts) if limits else [],
        certificate=limits.certificate if limits else "",
    )


def _limits(site: Site, opening: Opening, order: orders.OpenVisit) -> Limits | None:
    """What the visit is limited to, in one spelling; None: whatever the opening lets through."""
    if not order.hosts and not order.certificate:
        return None
    source = network(order.source)
    if opening.publication is None:
        require(not order.certificate, "no-certificate-asked", opening=opening.id)
        reached = {spelled(host) for name in order.hosts for host in _machine(site, opening, name, source)}
        return Limits(source=spelled(source), hosts=tuple(sorted(reached)))
    require(not order.hosts, "one-server", opening=opening.id)
    tls = opening.publication.tls
    require(tls is not None and tls.clients is not None, "no-certificate-asked", opening=opening.id)
    return Limits(source=spelled(source), certificate=_fingerprint(order.certificate))


def _machine(site: Site, opening: Opening, name: str, source: Network) -> Iterator[Network]:
    """The addresses of a machine, by its id or one address of it, that the visitor can speak to through the opening."""
    known = next((asset.addresses for asset in site.assets if asset.id == name), (name,))
    inside = [network(text) for zone in site.zones if zone.id in opening.zones for text in zone.networks]
    found = [
        host
        for host in map(_address, known)
        if host is not None
        and host.version == source.version
        and any(host.network_address in within for within in inside)
    ]
    require(bool(found), "not-behind", asset=name, opening=opening.id, source=spelled(source))
    yield from found


def _address(text: str) -> Network | None:
    try:
        found = network(text)
    except InputRefused:
        return None
    return found if single(found) else None


_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def _fingerprint(text: str) -> str:
    """A SHA-256 as people copy it, ``sha256 Fingerprint=AB:CD:…`` too, as digits alone."""
    digits = text.rpartition("=")[2].replace(":", "").strip().lower()
    require(_FINGERPRINT.fullmatch(digits) is not None, "no-fingerprint")
    return digits


def _among(source: str, hosts: Iterable[str]) -> bool:
    """Whether that one address is among the hosts; anywhere is nowhere in particular."""
    try:
        address = ip_address(source)
    except ValueError:
        return False
    if "%" in source:  # a scope: text of any kind
        return False
    return any(address in network for network in addresses(hosts))
