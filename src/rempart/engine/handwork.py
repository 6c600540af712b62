"""Work by hand beside the path: what people say they did at the firewall or the switch, and what probes say to it.

The station did none of it and holds none of it. A probe through a door outside can contradict a cut, or confirm it;
nothing checks a block or an isolation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network

from rempart.care.ledger import Ledger
from rempart.care.reply import Reply
from rempart.containment.by_hand import Deed, steps
from rempart.containment.policy import Action
from rempart.engine import facts, orders
from rempart.errors import OrderRefused, require
from rempart.incidents.incident import Incident, IncidentState
from rempart.instants import Instant, hours, seconds
from rempart.site.site import Site

CUT = Deed(Action.CONTAIN)

MOST_DEEDS = 200
"""Blocks and isolations by hand that are kept in mind, the latest; the journal has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandTick:
    """What somebody said of one step."""

    reply: Reply
    note: str
    by: str
    at: Instant
    """When they said it."""
    on: Instant | None = None
    """When they said it was done; None: they did not say."""

    @property
    def since(self) -> Instant:
        """Since when it is so, as far as is known."""
        return self.at if self.on is None else self.on


Handwork = Mapping[Deed, Mapping[str, HandTick]]
"""What was said of each deed, by step."""


class Checked(StrEnum):
    """What probes say to a cut by hand."""

    UNCHECKED = "unchecked"
    """Nothing was asked since, or nothing that ever answered: silence proves nothing."""
    CONFIRMED = "confirmed"
    """What answered before, answers no more."""
    CONTRADICTED = "contradicted"
    """Something outside still answers."""


def heard(
    site: Site, incidents: Iterable[Incident], order: orders.TickByHand, now: Instant
) -> facts.TickedByHand:
    """What is written down of somebody's word. Raises `OrderRefused`."""
    require(not site.enforces, "not-by-hand")
    deed = Deed(order.action, _target(site, order))
    planned = steps(site, deed)
    require(order.step <= len(planned), "no-hand-step", count=len(planned))
    return facts.TickedByHand(
        at=now,
        action=deed.action,
        target=deed.target,
        step=planned[order.step - 1],
        reply=order.reply,
        note=order.note,
        by=order.by,
        on=None if order.on is None else _done(Instant(order.on), order.reply, incidents, now),
    )


def _done(on: Instant, reply: Reply, incidents: Iterable[Incident], now: Instant) -> Instant:
    """When it was done: not in the future, and not before the first incident that is under way began.

    With none under way, at most a day ago: whoever pulls a cable may know before the station does. People say minutes.
    """
    require(reply is Reply.YES, "undone-at-a-time")
    require(on <= now, "done-in-future")
    begun = min((i.opened for i in incidents if i.state is not IncidentState.CLOSED), default=now - hours(24))
    require(on >= begun - begun % seconds(60), "done-before-all")
    return on


def _target(site: Site, order: orders.TickByHand) -> str:
    target = order.target.strip()
    match order.action:
        case Action.BLOCK:
            try:
                return str(ip_network(target, strict=False)) if "/" in target else str(ip_network(target)[0])
            except ValueError:
                raise OrderRefused("no-address", target=target) from None
        case Action.ISOLATE:
            require(bool(target), "no-hand-target")
            return site.called().get(target, target)
        case _:
            return ""


def after_it(work: Handwork, fact: facts.TickedByHand) -> Handwork:
    """The work after one word about it. A block or an isolation of which nothing is done any more is forgotten."""
    deed = Deed(fact.action, fact.target)
    said = HandTick(reply=fact.reply, note=fact.note, by=fact.by, at=fact.at, on=fact.on)
    ticks = {**work.get(deed, {}), fact.step: said}
    others = {each: of_it for each, of_it in work.items() if each != deed}
    if deed == CUT or _begun(ticks) is not None:
        others[deed] = ticks
    while len(others) > MOST_DEEDS:
        del others[next(each for each in others if each != CUT)]
    return others


def cut_since(work: Handwork) -> Instant | None:
    """When the latest step of the cut was done, as people say; None: no step is."""
    return _begun(work.get(CUT, {}))


def _begun(ticks: Mapping[str, HandTick]) -> Instant | None:
    return max((tick.since for tick in ticks.values() if tick.reply is Reply.YES), default=None)


def checked(site: Site, work: Handwork, ledger: Ledger) -> tuple[Checked, tuple[str, ...]]:
    """What probes found since the cut was made by hand, and the names of those that say so.

    Lifelines are left out: the site's own plan may leave them open.
    """
    since = cut_since(work)
    if since is None:
        return Checked.UNCHECKED, ()
    answering, silenced = [], []
    for probe in site.probes:
        turns = ledger.probes.get(probe.id, ())
        if probe.opening is None or site.opening(probe.opening).lifeline:
            continue
        if not turns or turns[-1].asked < since:
            continue
        if turns[-1].answered:
            answering.append(probe.name)
        elif any(turn.answered for turn in turns):
            silenced.append(probe.name)
    if answering:
        return Checked.CONTRADICTED, tuple(answering)
    return (Checked.CONFIRMED, tuple(silenced)) if silenced else (Checked.UNCHECKED, ())
