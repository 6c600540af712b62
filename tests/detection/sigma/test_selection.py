"""Selections and the conditions over them match what Sigma says that they match."""

from collections.abc import Mapping
from typing import Any

import pytest

from detection.sigma.written import HEAD, SOURCE, fires, loaded
from rempart.detection.match import Matcher
from rempart.events.event import Event


@pytest.mark.parametrize(
    ("condition", "fields", "answer"),
    [
        ("a and not b", {"x": "1"}, True),
        ("a and not b", {"x": "1", "y": "2"}, False),
        ("1 of sel*", {"z": "3"}, True),
        ("all of sel*", {"z": "3"}, False),
        ("all of them", {"x": "1", "y": "2", "z": "3", "w": "4"}, True),
        ("(a or b) and 1 of sel*", {"y": "2", "w": "4"}, True),
        ("not 1 of them", {}, True),
    ],
)
def test_a_condition(condition: str, fields: Mapping[str, Any], answer: bool) -> None:
    parts = "a: {x: 1}, b: {y: 2}, sel1: {z: 3}, sel2: {w: 4}"
    text = f"{HEAD}detection: {{{parts}, condition: {condition}}}\n"
    assert bool(Matcher(loaded(text).rules).matches(Event(SOURCE, fields, "", 1))) is answer


@pytest.mark.parametrize(
    ("detection", "fields", "answer"),
    [
        ("f: null", {}, True),
        ("f: null", {"f": ""}, False),
        ("f: ''", {"f": ""}, True),
        ("f: '*'", {"f": ""}, True),
        ("f: '*'", {}, False),
        ("f: [a, b]", {"f": "B"}, True),
        ("f: 'a*c?'", {"f": "abbbcd"}, True),
        ("f: 'a\\*c'", {"f": "a*c"}, True),
        ("f: 'a\\*c'", {"f": "abc"}, False),
        ("f: true", {"f": True}, True),
        ("f: 445", {"f": 445}, True),
        ("- f: a\n    - g: b", {"g": "b"}, True),
        ("'|contains': needle", {"any": "a NEEDLE"}, True),
        ("'|re': 'ne+dle$'", {"any": "a neeedle"}, True),
        ("'|all': [one, two]", {"a": "one", "b": "two"}, True),
        ("'|all': [one, two]", {"a": "one"}, False),
    ],
)
def test_a_value(detection: str, fields: Mapping[str, Any], answer: bool) -> None:
    assert fires(detection, fields) is answer


def test_several_conditions_are_alternatives() -> None:
    rules = loaded(f"{HEAD}detection:\n  a: {{x: 1}}\n  b: {{y: 2}}\n  condition: [a, b]\n").rules
    assert Matcher(rules).matches(Event(SOURCE, {"y": 2}, "", 1))
