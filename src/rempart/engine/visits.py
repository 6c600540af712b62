"""A supplier's visit: one named person, one address, minutes; what an order for it becomes, or why it is refused."""

from collections.abc import Iterable
from ipaddress import ip_address

from rempart.containment.way import addresses
from rempart.engine import facts, orders
from rempart.engine.state import State
from rempart.errors import OrderRefused, require
from rempart.instants import Instant, after, minutes
from rempart.site.opening import Direction, Opening, OpeningState
from rempart.site.site import Site


def visit(site: Site, state: State, order: orders.OpenVisit, now: Instant) -> facts.VisitBegun:
    """The visit as it will be sealed. Raises `OrderRefused`."""
    opening = _opening(site, order.opening)
    require(bool(order.visitor.strip()), "no-visitor")
    require(bool(order.reason.strip()), "visit-reason")
    require(takes_visits(opening), "no-visits", opening=opening.id)
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
    overridden = ["the site is contained"] if state.contained else []
    require(not overridden or order.override, "contained-no-visit", opening=opening.id)
    return facts.VisitBegun(
        at=now,
        opening=opening.id,
        visitor=order.visitor,
        source=order.source,
        until=after(now, minutes(order.minutes)),
        by=order.by,
        reason=order.reason,
        overridden=overridden,
    )


def takes_visits(opening: Opening) -> bool:
    """Whether somebody outside may be let in through it for minutes."""
    return (
        opening.direction is not Direction.OUT
        and opening.normally is OpeningState.CLOSED
        and not opening.lifeline
    )


def _opening(site: Site, name: str) -> Opening:
    try:
        return site.opening(name)
    except KeyError:
        known = (opening.id for opening in site.openings)
        raise OrderRefused("unknown-opening", opening=name, known=known) from None


def _among(source: str, hosts: Iterable[str]) -> bool:
    """Whether that one address is among the hosts; anywhere is nowhere in particular."""
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in addresses(hosts))
