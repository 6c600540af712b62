"""Collections: what documents of one file share, and what they do not."""

from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load

SHARED = """
action: global
title: Shared
id: 11111111-1111-4111-8111-111111111111
level: high
detection: {condition: a}
---
logsource: {product: acme}
detection: {a: {f: 1}}
---
title: Other
logsource: {product: other}
detection: {a: {f: 2}}
---
action: repeat
level: low
detection: {b: {g: 3}, condition: a and b}
---
action: reset
---
title: Alone
logsource: {product: acme}
detection: {a: {f: 4}, condition: a}
"""


def loaded(text: str) -> RuleSet:
    return load([("r.yml", text)])


def test_rules_share_what_is_global_and_repeat_what_was_before() -> None:
    rules = loaded(SHARED)
    assert not rules.refused
    first, second, third, alone = rules.rules
    assert [each.card.title for each in rules.rules] == ["Shared", "Other", "Other", "Alone"]
    assert [each.card.level.name for each in rules.rules] == ["HIGH", "HIGH", "LOW", "INFORMATIONAL"]
    assert [each.logsource.product for each in rules.rules] == ["acme", "other", "other", "acme"]
    assert [each.card.id[36:] for each in rules.rules[:3]] == ["", "-2", "-3"]
    assert {second.condition}.isdisjoint({first.condition, third.condition, alone.condition})


def test_correlations_and_filters_share_nothing() -> None:
    rules = loaded(
        "action: global\nlogsource: {product: acme}\nlevel: high\n---\n"
        "title: One\nname: one\ndetection: {a: {f: 1}, condition: a}\n---\n"
        "title: Many\ncorrelation: {type: event_count, rules: [one], timespan: 1m, condition: {gte: 2}}\n"
    )
    assert not rules.refused
    assert [each.card.title for each in (*rules.rules, *rules.correlations)] == ["One", "Many"]


def test_another_action_is_refused() -> None:
    (refused,) = loaded(SHARED.replace("repeat", "multiply")).refused
    assert "global, reset or repeat" in refused.what
    assert refused.where == "r.yml (document 4)"
