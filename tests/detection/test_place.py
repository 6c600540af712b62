"""The line to go to, for every kind of refusal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.place import line_of, placed
from rempart.detection.sigma import load
from rempart.errors import Problem

FINE = """title: Fine
id: 11111111-1111-4111-8111-111111111111
logsource: {category: webserver}
detection:
  asked: {c-ip: 192.0.2.1}
  condition: asked
level: low
"""


def refusal(text: str) -> Problem:
    loaded = load([("a.yml", text)])
    (problem,) = placed((*loaded.refused, *loaded.waiting), {"a.yml": text})
    return problem


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title: A\nid: [unclosed\n", 3),
        (FINE.replace("level: low", "level: loud"), 7),
        (FINE.replace("condition: asked", "condition: missing"), 6),
        (FINE.replace("c-ip:", "c-ip|shout:"), 5),
        (FINE.replace("192.0.2.1}", "'(?=a)b'}").replace("c-ip:", "c-ip|re:"), 5),
        (FINE.replace("192.0.2.1}", "'%our_scanners%'}").replace("c-ip:", "c-ip|expand:"), 5),
        (f"{FINE}---\ntitle: B\ndetection:\n  a: {{b: c}}\n  condition: a\n", 9),
        (
            f"{FINE}---\ntitle: B\nid: 21111111-1111-4111-8111-111111111111\ncorrelation:\n  type: event_count\n"
            "  rules:\n    - nobody\n  group-by: [c-ip]\n  timespan: 1m\n  condition: {gte: 2}\n",
            14,
        ),
        ("just a text\n", 1),
    ],
)
def test_a_refusal_names_its_line(text: str, line: int) -> None:
    problem = refusal(text)
    assert problem.where == f"a.yml, line {line}", problem.what


def test_a_rule_that_loads_is_found_by_its_id() -> None:
    text = f"---\n{FINE}---\n{FINE.replace('1111-4111', '2222-4111')}"
    loaded = load([("a.yml", text)])
    assert not loaded.refused
    assert [line_of(rule.card, text) for rule in loaded.rules] == [3, 11]


def test_a_rule_without_an_id_is_found_by_its_title() -> None:
    nameless = "title: {}\nlogsource: {{category: webserver}}\ndetection: {{a: {{f: 1}}, condition: a}}\n"
    text = f"{nameless.format('One')}---\n{nameless.format('Two')}"
    assert [line_of(rule.card, text) for rule in load([("a.yml", text)]).rules] == [1, 5]


def test_a_problem_of_a_file_that_is_not_at_hand_stays_as_it_is() -> None:
    problem = Problem("wrong", "other.yml", "mend")
    assert placed([problem], {}) == (problem,)


def test_a_circle_of_aliases_ends() -> None:
    problem = Problem("wrong", "a.yml", "mend")
    assert placed([problem], {"a.yml": "\n&a [*a, {b: *a}]\n"})[0].where == "a.yml, line 2"


@given(st.text(max_size=60), st.text(max_size=30))
@settings(max_examples=100)
def test_whatever_the_file_holds_a_line_is_named(text: str, what: str) -> None:
    (problem,) = placed([Problem(what, "a.yml", "")], {"a.yml": text})
    assert problem.where.startswith("a.yml, line ")
