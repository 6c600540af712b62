"""How large expressions are when repeats are written out, and that rules with too large ones are refused at once."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection import sigma
from rempart.detection.place import placed
from rempart.detection.repeats import LONGEST, MOST_ADDED, MOST_TEXT, Allowance, added, too_large
from rempart.detection.sigma import load
from rempart.errors import Problem

RULE = "title: t\nlogsource: {product: acme}\nlevel: high\ndetection:\n  a:\n    Image|endswith: /x\n"


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("", 0),
        ("abc", 0),
        ("a*b+c?", 0),
        ("a{3}b", 2),
        ("(a|b.){3}", 6),
        ("(a{2}b){3}", 7),  # (aab){3} is nine, two are written
        ("(?:a(?:b{2}){2}){2}", 8),
        ("xa{5,}", 4),
        ("xa{,4}", 3),
        ("x{0}y", 0),
        (r"\{3}", 0),
        ("[{3}]b", 0),
        ("[]{3}]x", 0),
        (r"[\]{3}]x", 0),
        (r"x\w{2,20}", 19),
        ("a{b}", 0),
        ("(?P<name>a){2}b", 1),
        (".{1000,}", 249),  # a question of length: SigmaHQ has this one
        ("(.){200,}", 49),
        ("(.{9}){9}", 80),
    ],
)
def test_repeats_are_counted_as_written_out(expression: str, places: int) -> None:
    assert added(expression) == places


@given(st.text(alphabet="ab(){}[]|,0123456789*+?\\.^é", max_size=60))
def test_any_text_has_a_number(text: str) -> None:
    assert added(text) >= 0


@given(st.lists(st.tuples(st.sampled_from("ab."), st.integers(1, 40)), min_size=2, max_size=8))
def test_counted_letters_add_what_they_repeat(parts: list[tuple[str, int]]) -> None:
    expression = "".join(f"{letter}{{{times}}}" for letter, times in parts)
    assert re.compile(expression)
    assert added(expression) == sum(times - 1 for _, times in parts)


def test_towers_of_repeats_do_not_make_numbers_without_end() -> None:
    began = time.process_time()
    assert too_large(["(a" * 400 + "x){99}" * 200]) is not None
    assert too_large(["(a" * 200 + "x){99}" * 200]) is not None
    assert time.process_time() - began < 0.5


HOSTILE = {
    "accents": r"é(.{1,99}é){9}",
    "classes": "[à-ÿ]" + r"(?:[^é]{1,60}[à-ÿ]){9}",
    "tower": r"x(?:(?:\w{50}é){50}){50}",
    "one place": ".{32000}",
    "long": "(?:é|à|.)*" * (LONGEST // 9),
}


def refused(*expressions: str) -> Problem:
    lines = "".join(f"      - '{each}'\n" for each in expressions)
    text = f"{RULE}    CommandLine|re|i:\n{lines}  condition: a\n"
    rules = load([("hostile.yml", text)])
    assert not rules.rules
    (problem,) = placed(rules.refused, {"hostile.yml": text})
    return problem


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_expression_is_refused_with_file_line_and_reason_before_it_is_compiled(kind: str) -> None:
    began = time.process_time()
    problem = refused(HOSTILE[kind])
    assert time.process_time() - began < 1  # compiled, each takes many seconds
    assert problem.where in ("hostile.yml, line 7", "hostile.yml, line 8")
    assert re.search("add \\d+ places, more than 500|has \\d+ characters, more than 2000", problem.what)
    assert "repeat less" in problem.mend


def test_many_expressions_of_a_rule_count_together() -> None:
    assert f"more than {MOST_ADDED}" in refused(*(f"{letter}.{{1,60}}é" for letter in "abcdefghij")).what
    assert f"more than {MOST_TEXT}" in refused(*(letter + "é" * 1_500 for letter in "abcdefgh")).what


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("é" * 9_000, "a value of CommandLine has 9000 characters, more than 2000"),
        ("*é" * 900, "a value of CommandLine has 901 wildcards, more than 100"),
        ("é?" * 95, "Pattern is too large"),
    ],
)
def test_a_hostile_text_is_refused_too(text: str, says: str) -> None:
    """Without this it would be noticed when all rules are compiled together, and none would be asked."""
    rule = f"{RULE}    CommandLine|contains: '{text}'\n  condition: a\n"
    rules = load([("hostile.yml", rule)])
    assert not rules.rules
    (problem,) = placed(rules.refused, {"hostile.yml": rule})
    assert says in problem.what
    assert problem.where.startswith("hostile.yml, line")


def test_an_accent_does_not_change_what_classes_mean() -> None:
    """Unicode's classes are what took seconds to compile; an expression without accents never had them."""
    from rempart.detection.condition import Leaf, LeafKind
    from rempart.detection.predicates import FieldTests

    tests = FieldTests()
    for number, each in enumerate([r"\A\w+\z", r"\Aé\w+\z", r"\A[é\w]+\z", r"é\b"]):
        tests.add(number, Leaf("f", LeafKind.RE, each, cased=True, detail="i"))
    assert tests.true_of("éè") == frozenset()
    assert tests.true_of("ÉA é") == {3}
    assert tests.true_of("ÉA") == {1, 2, 3}  # to ASCII É is no letter, so a word begins behind it


def test_a_set_has_its_bound_too_and_the_files_beyond_it_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule is small enough, a thousand of them would compile for half an hour."""
    monkeypatch.setattr(sigma, "Allowance", lambda: Allowance(places=1_000))
    asked = [
        (f"{place}.yml", f"{RULE}    CommandLine|re: '{place}(ab){{50}}'\n  condition: a\n")
        for place in range(20)
    ]
    rules = load(asked)
    assert [rule.card.path for rule in rules.rules] == [f"{place}.yml" for place in range(10)]
    assert [problem.where for problem in rules.refused] == [f"{place}.yml" for place in range(10, 20)]
    assert "with this rule the set has more than" in rules.refused[0].what


@pytest.mark.parametrize(
    ("expressions", "wild", "says"),
    [
        ([f"{place}(a.{{1,98}}b){{5}}" for place in range(25)], [], "10,000 places"),
        ([f"{place}" + "a?" * 900 for place in range(34)], [], "60,000 characters of regular"),
        (
            [],
            [f"{place}" + "a*" * 90 for place in range(1_200)],
            "200,000 characters of texts with wildcards",
        ),
    ],
)
def test_what_a_set_may_cost(expressions: list[str], wild: list[str], says: str) -> None:
    allowance = Allowance()
    half = slice(len(expressions) // 2), slice(len(wild) // 2)
    assert allowance.take(expressions[half[0]], wild[half[1]]) is None
    assert says in str(allowance.take(expressions, wild))


def test_what_many_rules_ask_alike_counts_once() -> None:
    allowance = Allowance()
    for _ in range(1_000):
        assert allowance.take(["(a.{1,98}b){5}"], ["a*b"]) is None
    assert allowance.take([f"{place}(a.{{1,98}}b){{5}}" for place in range(50)], []) is not None
    assert allowance.take(["(a.{1,98}c){5}"], []) is None  # what was refused took nothing
