"""Unmasking: the privacy officer asks, for a stated purpose; a second person agrees; then, for a time, who was who.

The published status never holds the names: whoever may read them asks for them, and each reading is sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rempart.engine import facts, orders
from rempart.errors import OrderRefused
from rempart.instants import Duration, Instant, after, hours, seconds

ASKED_LASTS: Duration = hours(24)
"""How long a second person may take to agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmasking:
    """What was asked about one incident, and until when it holds; ``until`` None: nobody has agreed."""

    asked_by: str
    purpose: str
    length: int
    """Seconds asked for."""
    asked: Instant
    until: Instant | None = None

    def holds(self, now: Instant) -> bool:
        """Whether the names may be read now."""
        return self.until is not None and now < self.until


Unmaskings = Mapping[str, Unmasking]


def ask(known: Unmaskings, order: orders.AskUnmasking, now: Instant) -> facts.UnmaskingAsked:
    """The privacy officer's request. Raises `OrderRefused` without a purpose."""
    if not order.reason.strip():
        raise OrderRefused("no-purpose")
    if (before := known.get(order.incident)) and before.holds(now):
        raise OrderRefused("already-unmasked")
    return facts.UnmaskingAsked(
        at=now, incident=order.incident, by=order.by, purpose=order.reason, length=order.seconds
    )


def agree(known: Unmaskings, order: orders.AgreeUnmasking, now: Instant) -> facts.Unmasked:
    """The second person's agreement. Raises `OrderRefused` when nothing was asked, or by the same person."""
    asked = known.get(order.incident)
    if asked is None or asked.until is not None or now >= after(asked.asked, ASKED_LASTS):
        raise OrderRefused("nobody-asked")
    if _same(asked.asked_by, order.by):
        raise OrderRefused("asks-not-agrees")
    return facts.Unmasked(
        at=now,
        incident=order.incident,
        by=order.by,
        asked_by=asked.asked_by,
        purpose=asked.purpose,
        until=after(now, seconds(asked.length)),
    )


def after_it(known: Unmaskings, fact: facts.UnmaskingFact) -> Unmaskings:
    """What is asked and agreed after one fact. Total: an agreement whose request was erased stands by itself."""
    match fact:
        case facts.NamesRead():
            return known
        case facts.UnmaskingAsked():
            asked = Unmasking(asked_by=fact.by, purpose=fact.purpose, length=fact.length, asked=fact.at)
        case facts.Unmasked():
            before = known.get(fact.incident) or Unmasking(
                asked_by=fact.asked_by, purpose=fact.purpose, length=0, asked=fact.at
            )
            asked = replace(before, until=fact.until)
    return {**known, fact.incident: asked}


def _same(one: str, other: str) -> bool:
    """Whether two names are one person's, however they were typed on the box."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
