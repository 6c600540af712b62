"""Taming: exceptions that people make by an order, until their last day or until somebody ends them.

The guard decides and seals; watch is told what stands and hides it. Those of `exceptions.toml` are not here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from rempart.detection.exception import Exemption, Value, is_plain
from rempart.detection.trait import Trait
from rempart.engine import facts, orders
from rempart.errors import OrderRefused
from rempart.instants import Instant
from rempart.site.belgian_time import on_the_wall

MOST = 200
"""Exceptions that hold at once: beyond that a rule is wrong, or an asset is missing in the site's description."""

LONGEST = timedelta(days=366)
"""Whoever still wants it then says so again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tamed:
    """One exception that holds."""

    id: str
    rule: str
    traits: tuple[Trait, ...]
    reason: str
    by: str
    until: str
    """Its last day, in Belgium, as 2027-01-31."""
    since: Instant
    even_grave: bool = False


@dataclass(frozen=True, slots=True)
class Taming:
    """What holds, by id."""

    held: Mapping[str, Tamed] = field(default_factory=dict)


def make(taming: Taming, order: orders.MakeException, now: Instant) -> tuple[facts.ExceptionMade, ...]:
    """The exception, unless the same holds already. Raises `OrderRefused`."""
    today, until = on_the_wall(now).date(), _day(order.until)
    if not order.reason.strip():
        raise OrderRefused("exception-reason")
    if not today <= until <= today + LONGEST:
        raise OrderRefused("exception-days")
    for trait in order.traits:
        if not trait.value.replace("*", "").strip():
            raise OrderRefused("exception-anything", field=trait.field)
    # Watch keeps it in a file that it refuses whole for one word like that, and other rules with it.
    if not all(map(is_plain, _said(order))):
        raise OrderRefused("exception-unreadable")
    holding = _holding(taming, today)
    made = facts.ExceptionMade(
        at=now,
        exception=_id(order, until),
        rule=order.rule,
        traits=list(order.traits),
        by=order.by,
        reason=order.reason,
        until=until.isoformat(),
        even_grave=order.even_grave,
    )
    if made.exception in holding:
        return ()
    if len(holding) >= MOST:
        raise OrderRefused("many-exceptions", count=MOST)
    return (made,)


def end(taming: Taming, order: orders.EndException, now: Instant) -> facts.ExceptionEnded:
    """Its end, before its day. Raises `OrderRefused`."""
    if order.exception not in _holding(taming, on_the_wall(now).date()):
        raise OrderRefused("no-exception")
    return facts.ExceptionEnded(at=now, exception=order.exception, by=order.by, reason=order.reason)


def after_it(taming: Taming, fact: facts.TamingFact) -> Taming:
    """What holds after one fact. Those whose last day was over then are forgotten."""
    held = {
        name: each for name, each in taming.held.items() if _day(each.until) >= on_the_wall(fact.at).date()
    }
    match fact:
        case facts.ExceptionMade():
            held[fact.exception] = Tamed(
                id=fact.exception,
                rule=fact.rule,
                traits=tuple(fact.traits),
                reason=fact.reason,
                by=fact.by,
                until=fact.until,
                since=fact.at,
                even_grave=fact.even_grave,
            )
        case facts.ExceptionEnded():
            held.pop(fact.exception, None)
    return Taming(held)


def exemption(rule: str, traits: Iterable[Trait], *, reason: str, by: str, until: date) -> Exemption:
    """As `rempart.detection.exception` has it."""
    fields: dict[str, tuple[Value, ...]] = {}
    for trait in traits:
        fields[trait.field] = (*fields.get(trait.field, ()), Value(trait.value))
    return Exemption(rules=(rule,), fields=tuple(fields.items()), reason=reason, author=by, until=until)


def _said(order: orders.MakeException) -> Iterator[str]:
    yield from (order.rule, order.reason, order.by)
    for trait in order.traits:
        yield from (trait.field, trait.value)


def _id(order: orders.MakeException, until: date) -> str:
    return exemption(order.rule, order.traits, reason=order.reason, by=order.by, until=until).id


def _holding(taming: Taming, today: date) -> set[str]:
    return {name for name, each in taming.held.items() if _day(each.until) >= today}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OrderRefused("no-day", day=text) from None
