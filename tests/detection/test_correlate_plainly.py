"""Correlations the slow way: after each match everything is looked at again. The stream must say the same.

Written from the specification 2.1 and from what `rempart.detection.correlate` promises at its head, not from its code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import ceil, log2
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.correlate import Correlator
from rempart.detection.rule import Correlation, CorrelationType, RuleSet
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds

RULES = ("r0", "r1", "r2")
TEMPORAL = {"temporal", "temporal_ordered"}
ROOMY = settings(max_examples=80, deadline=None)

Match = tuple[int, int, str, Mapping[str, Any], Any]
"""At which second, in which order it came, of which rule, its fields, and what counts of it."""


@dataclass
class Group:
    """All that ever happened to one group."""

    matches: list[Match] = field(default_factory=list)
    told: list[tuple[int, Any, int]] = field(default_factory=list)
    """The newest second, the value and the degree, each time the condition was held against something."""


@dataclass
class Plain:
    """Every correlation, by definition."""

    correlations: Sequence[Correlation]
    groups: dict[tuple[str, tuple[str, ...]], Group] = field(default_factory=dict)

    def feed(self, rule: str, fields: Mapping[str, Any], second: int, order: int) -> Iterator[Any]:
        yield from self._feed(rule, fields, second, order, news=True)

    def _feed(
        self, rule: str, fields: Mapping[str, Any], second: int, order: int, *, news: bool
    ) -> Iterator[Any]:
        for each in self.correlations:
            if rule not in each.rules or not (news or each.type in TEMPORAL):
                continue
            aliases = {alias: dict(names) for alias, names in each.aliases}
            key = tuple(fields.get(aliases.get(name, {}).get(rule, name), "") for name in each.group_by)
            value = counted(each, rule, fields)
            if "" in key or value is None:
                continue
            named = tuple(map(str, key))
            group = self.groups.setdefault((each.card.id, named), Group())
            newest = max((match[0] for match in group.matches), default=second)
            if second < newest - each.timespan:
                continue
            newest = max(newest, second)
            group.matches.append((second, order, rule, fields, value))
            within = sorted(
                (match for match in group.matches if match[0] >= newest - each.timespan),
                key=lambda match: match[:2],
            )
            reached = measured(each, within, value)
            degree = degree_of(each, reached)
            quiet = quiet_of(each)
            before = [
                degree
                for then, what, degree in group.told
                if then > newest - quiet and (not each.of_values or what == value)
            ]
            group.told.append((newest, value, degree))
            tell = degree > max(before, default=-1)
            if tell:
                yield each.card.title, second, order, named, round(reached, 6), len(within)
            if degree >= 0:
                further = {**fields, **dict(zip(each.group_by, named, strict=True))}
                yield from self._feed(each.card.id, further, second, order, news=tell)


def counted(correlation: Correlation, rule: str, fields: Mapping[str, Any]) -> Any:
    if correlation.type in TEMPORAL:
        return rule
    if correlation.type == "event_count":
        return True
    values = [fields.get(name) for name in correlation.fields]
    if correlation.type == "value_count" or correlation.of_values:
        return None if None in values else tuple(map(str, values))
    return float(values[0]) if isinstance(values[0], int) else None


def measured(correlation: Correlation, matches: Sequence[Match], value: Any) -> float:
    values = [match[4] for match in matches]
    rules = [match[2] for match in matches]
    if correlation.of_values:
        return 100 * values.count(value) / len(values)
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return len(values)
        case CorrelationType.VALUE_COUNT:
            return len(set(values))
        case CorrelationType.VALUE_SUM:
            return sum(values)
        case CorrelationType.VALUE_AVG:
            return sum(values) / len(values)
        case CorrelationType.VALUE_PERCENTILE:
            asked = correlation.percentile or 50
            return sorted(values)[max(0, ceil(len(values) * asked / 100) - 1)]
    if correlation.alternatives:
        return max(
            fulfilled(correlation, each.wanted, each.unwanted, rules) for each in correlation.alternatives
        )
    if correlation.type is CorrelationType.TEMPORAL:
        return len(set(rules))
    return in_order(correlation.rules, rules)


def in_order(wanted: Sequence[str], rules: Sequence[str]) -> int:
    """The most rules, from the first on, that some matches have in this order."""
    for number in range(len(wanted), 0, -1):
        if wanted[:number] in combinations(rules, number):
            return number
    return 0


def fulfilled(
    correlation: Correlation, wanted: tuple[str, ...], unwanted: tuple[str, ...], rules: Sequence[str]
) -> int:
    if set(unwanted) & set(rules):
        return 0
    if correlation.type is CorrelationType.TEMPORAL:
        return len(wanted) if set(wanted) <= set(rules) else 0
    return len(wanted) if wanted in combinations(rules, len(wanted)) else 0


def degree_of(correlation: Correlation, reached: float) -> int:
    compare = {
        "gt": float.__gt__,
        "gte": float.__ge__,
        "lt": float.__lt__,
        "lte": float.__le__,
        "eq": float.__eq__,
        "neq": float.__ne__,
    }
    limits = correlation.limits
    if not limits:
        wanted = 1 if correlation.alternatives else len(correlation.rules)
        return 0 if reached >= wanted else -1
    if not all(compare[name](float(reached), number) for name, number in limits):
        return -1
    begins = max((number for name, number in limits if name in {"gt", "gte"}), default=0.0)
    if begins <= 0 or correlation.type in TEMPORAL or correlation.of_values:
        return 0
    return int(log2(reached / begins))


def quiet_of(correlation: Correlation) -> float:
    counting = correlation.type in {"event_count", "value_count"}
    much = any(number >= 8 for _, number in correlation.limits)
    return correlation.timespan / 4 if counting and much else correlation.timespan


# -- rules and matches, by chance ---------------------------------------------------------------------------------

LIMITS = st.one_of(
    st.sampled_from(["gt", "gte", "lt", "lte", "eq", "neq"]).flatmap(
        lambda name: st.integers(0, 10).map(lambda number: f"{name}: {number}")
    ),
    st.tuples(st.integers(0, 3), st.integers(3, 9)).map(lambda ends: f"gte: {ends[0]}, lt: {ends[1]}"),
)
GROUPS = st.sampled_from(
    ["", "group-by: [u]", "group-by: [u, h]", "group-by: [who]\naliases: {who: {r0: u, r1: h}}"]
)


@st.composite
def correlations(draw: st.DrawFn, title: str, below: Sequence[str]) -> str:
    kind = draw(
        st.sampled_from(
            ["event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median"]
            + ["temporal", "temporal_ordered"] * 3
        )
    )
    rules = draw(st.lists(st.sampled_from([*RULES, *below]), min_size=1, max_size=4, unique=True))
    asked = draw(LIMITS)
    if kind == "value_percentile":
        asked += draw(st.sampled_from(["", ", percentile: 90", ", percentile: 1"]))
    if kind in TEMPORAL:
        asked = draw(st.sampled_from(["", asked, *([] if len(rules) < 2 else [OVER])]))
    if asked == OVER:
        words = [f"not {each}" if n and draw(st.booleans()) else each for n, each in enumerate(rules)]
        said = f"condition: {draw(st.sampled_from([' and ', ' or ', ') and ('])).join(words)}"
        said = f"condition: ({said[11:]})" if ") and (" in said else said
        if " or not " in said:
            said = said.replace("not ", "")
    else:
        counted = ", field: n" if kind.startswith("value") else ""
        said = f"condition: {{{asked}{counted}}}" if asked else ""
    lines = [
        f"type: {kind}",
        f"rules: [{', '.join(rules)}]",
        f"timespan: {draw(st.integers(2, 20))}s",
        said,
        draw(GROUPS),
    ]
    body = "".join(f"  {line}\n" for each in lines for line in each.split("\n") if line)
    return f"title: {title}\nname: {title}\nid: {title}\ncorrelation:\n{body}"


OVER = "rules"


@st.composite
def sets(draw: st.DrawFn) -> RuleSet:
    plain = [
        f"title: {each}\nid: {each}\nlogsource: {{product: acme}}\ndetection: {{s: {{x: 1}}, condition: s}}\n"
        for each in RULES
    ]
    low, high = draw(correlations("low", ())), draw(correlations("high", ("low",)))
    rules = load([("r.yml", "---\n".join([*plain, low, high, draw(correlations("top", ("low", "high")))]))])
    assert not rules.refused, (rules.refused, low, high)
    return rules


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "u": st.sampled_from(["a", "b", ""]),
        "h": st.sampled_from(["a", "b", 1]),
        "n": st.sampled_from([0, 1, 2, 5, "x"]),
    },
)
STEPS = st.lists(
    st.tuples(st.sampled_from(RULES), st.integers(-12, 9) | st.integers(0, 2), FIELDS), max_size=40
)


@ROOMY
@given(sets(), STEPS)
def test_the_stream_says_what_the_definition_says(
    rules: RuleSet, steps: list[tuple[str, int, dict[str, Any]]]
) -> None:
    stream, plain = Correlator(rules.correlations), Plain(rules.correlations)
    second = 1_000_000
    for order, (rule, step, fields) in enumerate(steps):
        second += step
        event = Event(LogSource("acme"), fields, "", order)
        found = [
            (
                each.correlation.card.title,
                second,
                order,
                tuple(value for _, value in each.group),
                round(each.value, 6),
                each.count,
            )
            for each in stream.feed(rule, event, Instant(seconds(second)))
        ]
        assert sorted(found) == sorted(plain.feed(rule, fields, second, order))
