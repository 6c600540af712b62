"""Correlations find the rules that they are built on, wherever those are written."""

import pytest

from detection.sigma.written import BASE, EVENT_COUNT
from rempart.detection.rule import Comparison, CorrelationType
from rempart.detection.sigma import load


def test_a_correlation_refers_to_rules_by_name_in_any_file() -> None:
    rules = load([("c.yml", EVENT_COUNT), ("one.yml", BASE.format("one")), ("two.yml", BASE.format("two"))])
    assert rules.refused == ()
    (correlation,) = rules.correlations
    ids = tuple(rule.card.id for rule in rules.rules)
    assert correlation.rules == ids
    assert (correlation.type, correlation.timespan) == (CorrelationType.VALUE_COUNT, 300)
    assert correlation.limits == ((Comparison.GTE, 10.0),)
    assert (correlation.fields, correlation.group_by) == (("user",), ("src", "dst"))
    assert correlation.aliases == (("src", ((ids[0], "src_ip"), (ids[1], "client"))),)
    assert correlation.generate is False


@pytest.mark.parametrize(
    ("condition", "understood"),
    [("one and two", True), ("one or two", True), ("not two", False), ("one or", False)],
)
def test_conditions_of_temporal_correlations(condition: str, understood: bool) -> None:
    text = f"title: C\ncorrelation: {{type: temporal, timespan: 1h, group-by: [u], condition: {condition}}}\n"
    rules = load([("a.yml", BASE.format("one")), ("b.yml", BASE.format("two")), ("c.yml", text)])
    assert bool(rules.correlations) is understood
    assert bool(rules.refused) is not understood


def test_correlations_built_on_themselves_are_refused_and_the_others_stay() -> None:
    def correlation(name: str, *rules: str) -> str:
        return (
            f"title: {name}\nid: 00000000-0000-4000-8000-{ord(name[0]):012d}\nname: {name}\nlevel: low\n"
            f"correlation:\n  type: temporal\n  rules: [{', '.join(rules)}]\n  group-by: [a]\n  timespan: 1m\n"
        )

    rule = (
        "title: r\nid: 00000000-0000-4000-8000-000000000001\nname: r\nlogsource: {category: webserver}\n"
        "detection: {s: {a: b}, condition: s}\nlevel: low\n"
    )
    files = [
        ("r.yml", rule),
        ("a.yml", correlation("a", "b", "r")),
        ("b.yml", correlation("b", "a", "r")),
        ("c.yml", correlation("c", "r")),
        ("d.yml", correlation("d", "a", "r")),
    ]
    loaded = load(files, {})
    assert [each.card.name for each in loaded.correlations] == ["c"]
    assert {problem.where for problem in loaded.refused} == {"a.yml", "b.yml", "d.yml"}
