"""A supplier's visit: one named person, one address, minutes; what an order for it becomes, or why it is refused."""

from collections.abc import Iterable
from ipaddress import ip_address

from rempart.containment.way import addresses
from rempart.engine import facts, orders
from rempart.engine.state import State
from rempart.errors import OrderRefused
from rempart.instants import Instant, after, minutes
from rempart.site.opening import Direction, Opening, OpeningState
from rempart.site.site import Site


def visit(site: Site, state: State, order: orders.OpenVisit, now: Instant) -> facts.VisitBegun:
    """The visit as it will be sealed. Raises `OrderRefused`."""
    opening = _opening(site, order.opening)
    _require(bool(order.visitor.strip()), "a visit needs the visitor's name", "Ask who is calling.")
    _require(bool(order.reason.strip()), "a visit needs a reason", "Say what is to be done.")
    _require(
        takes_visits(opening),
        f"{opening.id} is no opening for visits",
        "A visit comes in through an opening that is normally closed.",
    )
    door = state.doors[opening.id]
    _require(
        door.stand.state is OpeningState.CLOSED or bool(door.visitor),
        f"{opening.id} is {door.stand.state.value} already",
    )
    _require(
        _among(order.source, opening.hosts),
        f"{order.source} is none of the hosts of {opening.id}",
        "Add the supplier's address to site.toml, or ask whether it is really them.",
    )
    overridden = ["the site is contained"] if state.contained else []
    _require(
        not overridden or order.override,
        f"{opening.id} stays closed while the site is contained",
        "Override it if care depends on the visit.",
    )
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
        raise OrderRefused(f"this site has no opening {name!r}") from None


def _among(source: str, hosts: Iterable[str]) -> bool:
    """Whether that one address is among the hosts; anywhere is nowhere in particular."""
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in addresses(hosts))


def _require(holds: bool, what: str, now: str = "") -> None:  # noqa: FBT001  reads as a sentence
    if not holds:
        raise OrderRefused(what, now=now)
