"""Several matches that mean something together: Sigma correlations 2.1, as a stream.

How a stream of matches becomes findings (time is always the event's own):

1. A match belongs to the group that its group-by values name; without one of them it belongs to none.
2. A group keeps the matches of the last timespan before its newest one; a late match joins if it is within that span.
3. After each match the group's value is held against the condition. While the condition holds, the correlation itself
   matches, and feeds the temporal correlations built on it; counting ones are fed once per finding.
4. A finding is made when the *degree* (0 when the condition begins to hold, one more for each doubling of a count or
   sum) exceeds every degree of the quiet time before. So a flood gives a few findings, and one after a pause again:
   the quiet time is the timespan, or a quarter of it where the count asked for is high enough to make pauses rare.
   Where the share of a value is measured, each value is told of for itself, and only once however its share grows: that
   one was rare hides no other.

Because 4 looks back over bounded time, feeding the events of the last `Correlator.memory` again after a restart gives
the same findings with the same ids. Bounds on memory (`MAX_ENTRIES`, `MAX_GROUPS`, `MAX_HELD`) drop what is oldest, in
each correlation apart, so that forged packets cannot push out the memory of password guessing.
"""

import hashlib
import math
from bisect import bisect_left, insort
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rempart.detection.explain import observables
from rempart.detection.predicates import as_text
from rempart.detection.rule import Alternative, Comparison, Correlation, CorrelationType
from rempart.errors import RuleInvalid
from rempart.events.event import Event
from rempart.events.observable import Observable
from rempart.instants import Duration, Instant, seconds
from rempart.site.address import meant_text

MAX_ENTRIES = 4_096
"""Matches kept in one group."""
MAX_GROUPS = 10_000
"""Groups kept in one correlation."""
MAX_HELD = 200_000
"""Matches kept in one correlation."""
MAX_THINGS = 24
"""Observables kept in one group: addresses, accounts."""
MAX_TEXT = 120
"""Characters kept of a value that is counted or grouped by; a longer one is kept as its beginning and its digest."""

_TEMPORAL = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
_COUNTING = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT})
_STEADY = 8
"""From so many in a timespan on, a pause of a quarter of it is one."""
_QUIET = -1
_NEVER = Instant(0)
Entry = tuple[Instant, int, Any]
"""When, in which order it came, and the value that counts: texts, a rule's id, or an amount in whole thousandths (so
that adding and taking away again is exact). No two are alike in the first two, so entries sort without their value."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A correlation's condition was crossed by ``event``: what a finding is made of."""

    correlation: Correlation
    event: Event
    time: Instant
    group: tuple[tuple[str, str], ...]
    value: float
    count: int
    things: tuple[Observable, ...]


@dataclass(slots=True)
class Group:
    """The recent matches of one group."""

    entries: list[Entry] = field(default_factory=list)
    distinct: Counter[Any] = field(default_factory=Counter)
    total: int = 0
    """Sum of the amounts."""
    degrees: deque[tuple[Instant, int]] = field(default_factory=deque)
    """Falling degrees of the last quiet time: the first is the highest."""
    held: dict[Any, Instant] = field(default_factory=dict)
    """When the condition last held for a value, where values are told apart; none that has left ``distinct``."""
    things: dict[Observable, Instant] = field(default_factory=dict)
    newest: Instant = _NEVER

    def add(self, entry: Entry, span: Duration) -> None:
        """Take in one match and forget those older than the span before the newest."""
        self.newest = max(self.newest, entry[0])
        insort(self.entries, entry)
        self.distinct[entry[2]] += 1
        self.total += _amount(entry)
        keep = bisect_left(self.entries, (self.newest - span,))
        self._forget(max(keep, len(self.entries) - MAX_ENTRIES))

    def _forget(self, number: int) -> None:
        for entry in self.entries[:number]:
            self.total -= _amount(entry)
            self.distinct[entry[2]] -= 1
            if not self.distinct[entry[2]]:
                del self.distinct[entry[2]]
                self.held.pop(entry[2], None)
        del self.entries[:number]

    def rises(self, degree: int, quiet: Duration) -> bool:
        """Whether this degree exceeds all of the last ``quiet``; it is remembered either way."""
        while self.degrees and self.degrees[0][0] <= self.newest - quiet:
            self.degrees.popleft()
        highest = self.degrees[0][1] if self.degrees else _QUIET
        while self.degrees and self.degrees[-1][1] <= degree:
            self.degrees.pop()
        if degree > _QUIET:
            self.degrees.append((self.newest, degree))
        return degree > highest

    def holds_anew(self, value: object, quiet: Duration) -> bool:
        """Whether the condition, which holds, has not held for this value within the last ``quiet``."""
        before = self.held.get(value)
        self.held[value] = self.newest
        return before is None or before <= self.newest - quiet

    def remember(self, seen: Iterable[Observable], span: Duration) -> None:
        """Keep the observables of the last span, at most `MAX_THINGS`."""
        for thing in seen:
            if thing in self.things or len(self.things) < MAX_THINGS:
                self.things[thing] = self.newest
        for thing in [each for each, time in self.things.items() if time < self.newest - span]:
            del self.things[thing]


def _amount(entry: Entry) -> int:
    return entry[2] if type(entry[2]) is int else 0


@dataclass(slots=True)
class Groups:
    """All groups of one correlation, the least recently touched first."""

    correlation: Correlation
    held: int = 0
    groups: OrderedDict[tuple[str, ...], Group] = field(default_factory=OrderedDict)

    def add(self, key: tuple[str, ...], entry: Entry, seen: Iterable[Observable]) -> Group | None:
        """The group after the match, or None when the match came too late to count."""
        span = self.span
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group()
        if entry[0] < group.newest - span:
            return None
        before = len(group.entries)
        group.add(entry, span)
        group.remember(seen, span)
        self.held += len(group.entries) - before
        self.groups.move_to_end(key)
        while len(self.groups) > MAX_GROUPS or (self.held > MAX_HELD and len(self.groups) > 1):
            self.held -= len(self.groups.popitem(last=False)[1].entries)
        return group

    @property
    def span(self) -> Duration:
        """The correlation's timespan."""
        return seconds(self.correlation.timespan)

    @property
    def quiet(self) -> Duration:
        """How long nothing of the kind must happen before it is news again."""
        much = any(number >= _STEADY for _, number in self.correlation.limits)
        steady = self.correlation.type in _COUNTING and much
        return Duration(self.span // 4) if steady else self.span


class Correlator:
    """All correlations of a rule set, fed with matches."""

    def __init__(self, correlations: Iterable[Correlation]) -> None:
        """Raises `RuleInvalid` when correlations are built on one another in a circle."""
        self._stores = {each.card.id: Groups(each) for each in correlations}
        self._listeners: dict[str, list[Groups]] = {}
        for store in self._stores.values():
            for rule in dict.fromkeys(store.correlation.rules):
                self._listeners.setdefault(rule, []).append(store)
        self.memory = max((self._memory(each, ()) for each in self._stores), default=Duration(0))
        """How long an event can still matter: three timespans (window, quiet time, lateness) at each storey."""
        self._order = 0

    def _memory(self, identifier: str, above: tuple[str, ...]) -> Duration:
        if identifier in above:
            raise RuleInvalid(
                "correlations refer to one another in a circle",
                where=" -> ".join((*above, identifier)),
                now="Remove one of the references.",
            )
        store = self._stores.get(identifier)
        if store is None:
            return Duration(0)
        below = max((self._memory(each, (*above, identifier)) for each in store.correlation.rules), default=0)
        return Duration(3 * store.span + below)

    def feed(self, rule: str, event: Event, time: Instant) -> Iterator[Crossing]:
        """One rule matched one event: what that brings about, from the ground up."""
        yield from self._feed(rule, event, event.fields, time, crossed=True)

    def _feed(
        self, rule: str, event: Event, fields: Mapping[str, Any], time: Instant, *, crossed: bool
    ) -> Iterator[Crossing]:
        for store in self._listeners.get(rule, ()):
            correlation = store.correlation
            if not crossed and correlation.type not in _TEMPORAL:
                continue
            key = group_of(correlation, rule, fields)
            value = _value(correlation, rule, fields)
            if key is None or value is None:
                continue
            named = dict(zip(correlation.group_by, key, strict=True))
            joined = {**fields, **named}
            self._order += 1
            group = store.add(key, (time, self._order, value), observables(correlation.card.meaning, joined))
            if group is None:
                continue
            reached = share(value, group) if correlation.of_values else measure(correlation, group)
            degree = degree_of(correlation, reached)
            if correlation.of_values:
                rises = degree > _QUIET and group.holds_anew(value, store.quiet)
            else:
                rises = group.rises(degree, store.quiet)
            if rises:
                count = len(group.entries)
                yield Crossing(
                    correlation, event, time, tuple(named.items()), reached, count, tuple(group.things)
                )
            if degree > _QUIET:
                yield from self._feed(correlation.card.id, event, joined, time, crossed=rises)


def group_of(correlation: Correlation, rule: str, fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The group-by values of a match of ``rule``, aliases resolved; None when one is missing."""
    values = []
    for name in correlation.group_by:
        value = fields.get(_field(correlation, rule, name))
        if value is None or value == "":
            return None
        values.append(_short(value))
    return tuple(values)


def _short(value: object) -> str:
    """The value as text that stays distinct and takes little memory, however long; an address has one spelling."""
    text = meant_text(as_text(value))
    if len(text) <= MAX_TEXT:
        return text
    return (
        f"{text[: MAX_TEXT // 2]}… {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
    )


def _field(correlation: Correlation, rule: str, name: str) -> str:
    """The field that a name in group-by or in the condition stands for in one rule."""
    for alias, fields in correlation.aliases:
        if alias == name:
            return dict(fields).get(rule, name)
    return name


def _value(correlation: Correlation, rule: str, fields: Mapping[str, Any]) -> Any:
    """What counts in this match; None when it has nothing that could count."""
    values = [fields.get(_field(correlation, rule, name)) for name in correlation.fields]
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return 1
        case CorrelationType.TEMPORAL | CorrelationType.TEMPORAL_ORDERED:
            return rule
        case CorrelationType.VALUE_COUNT:
            return _texts(values)
        case CorrelationType.VALUE_PERCENTILE if correlation.of_values:
            return _texts(values)
        case _:
            return _thousandths(values[0] if values else None)


def _texts(values: Sequence[object]) -> tuple[str, ...] | None:
    return None if None in values else tuple(map(_short, values))


def _thousandths(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return round(float(value) * 1000)
    except (ValueError, OverflowError):  # no number, or none that ends
        return None


def share(value: object, group: Group) -> float:
    """How many in a hundred of the group's matches have the value of this match, which is one of them."""
    return 100 * max(1, group.distinct[value]) / len(group.entries)


def measure(correlation: Correlation, group: Group) -> float:
    """The group's value: a count, a sum, an average, a percentile; for temporal ones how many rules have matched."""
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return len(group.entries)
        case CorrelationType.TEMPORAL | CorrelationType.TEMPORAL_ORDERED if correlation.alternatives:
            return max(_fulfilled(correlation, way, group) for way in correlation.alternatives)
        case CorrelationType.VALUE_COUNT | CorrelationType.TEMPORAL:
            return len(group.distinct)
        case CorrelationType.TEMPORAL_ORDERED:
            return _in_order(correlation.rules, group.entries)
        case CorrelationType.VALUE_SUM:
            return group.total / 1000
        case CorrelationType.VALUE_AVG:
            return group.total / 1000 / len(group.entries)
        case CorrelationType.VALUE_PERCENTILE:
            return _percentile([entry[2] for entry in group.entries], correlation.percentile or 50)


def _fulfilled(correlation: Correlation, way: Alternative, group: Group) -> int:
    """How many rules have matched as the alternative wants; 0 unless all have, and none that it does not want."""
    if not group.distinct.keys().isdisjoint(way.unwanted):
        return 0
    if correlation.type is CorrelationType.TEMPORAL_ORDERED:
        held = _in_order(way.wanted, group.entries) == len(way.wanted)
    else:
        held = group.distinct.keys() >= set(way.wanted)
    return len(way.wanted) if held else 0


def _in_order(rules: tuple[str, ...], entries: Iterable[Entry]) -> int:
    """How many of the rules matched one after the other."""
    reached = 0
    for _, _, rule in entries:
        if reached < len(rules) and rule == rules[reached]:
            reached += 1
    return reached


def _percentile(thousandths: list[int], percent: int) -> float:
    """Nearest rank."""
    ranked = sorted(thousandths)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)] / 1000


def degree_of(correlation: Correlation, value: float) -> int:
    """-1 while the condition does not hold; 0 when it does, and one more for every doubling of a count or sum."""
    limits = correlation.limits or _all_rules(correlation)
    if not limits or not all(_holds(comparison, value, number) for comparison, number in limits):
        return _QUIET
    begins = max((number for comparison, number in limits if comparison in _RISING), default=0.0)
    return math.frexp(value / begins)[1] - 1 if begins > 0 and correlation.type not in _TEMPORAL else 0


_RISING = frozenset({Comparison.GT, Comparison.GTE})


def _all_rules(correlation: Correlation) -> tuple[tuple[Comparison, float], ...]:
    """What a temporal correlation wants that says nothing: all its rules, or one alternative."""
    if correlation.type not in _TEMPORAL:
        return ()
    ordered = correlation.type is CorrelationType.TEMPORAL_ORDERED
    rules = correlation.rules if ordered else set(correlation.rules)
    return ((Comparison.GTE, 1.0 if correlation.alternatives else float(len(rules))),)


def _holds(comparison: Comparison, value: float, threshold: float) -> bool:
    match comparison:
        case Comparison.GT:
            return value > threshold
        case Comparison.GTE:
            return value >= threshold
        case Comparison.LT:
            return value < threshold
        case Comparison.LTE:
            return value <= threshold
        case Comparison.EQ:
            return value == threshold
        case Comparison.NEQ:
            return value != threshold
