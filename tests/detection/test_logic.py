"""Conditions against Python's own reading of the same words, which binds them in the same order."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.condition import TRUE, And, Condition, Leaf, LeafKind, Not, Or
from rempart.detection.logic import parsed

NAMES = ("a", "b", "not_c", "d-1")


def holds(condition: Condition, true: Mapping[str, bool]) -> bool:
    match condition:
        case Leaf():
            return true[condition.field]
        case Not(part):
            return not holds(part, true)
        case And(parts):
            return all(holds(part, true) for part in parts)
        case Or(parts):
            return any(holds(part, true) for part in parts)


def read(text: str) -> Condition:
    return parsed(text, NAMES, lambda name: Leaf(name, LeafKind.EXISTS))


CONDITIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        inner.map("not {}".format),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
    ),
    max_leaves=12,
)


@given(CONDITIONS, st.fixed_dictionaries(dict.fromkeys(NAMES, st.booleans())))
def test_a_condition_means_what_python_reads_in_it(text: str, true: Mapping[str, bool]) -> None:
    python = text.replace("not_c", "c").replace("d-1", "d")
    values = {name.removeprefix("not_").removesuffix("-1"): value for name, value in true.items()}
    expected = eval(python, {}, values)
    assert holds(read(text), true) is expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1 of them", "a or b or not_c or d-1"),
        ("all of *", "a and b and not_c and d-1"),
        ("any of d-*", "d-1"),
        ("not all of *c", "not not_c"),
        ("a or 1 of none*", "a"),
        ("a and not 1 of none*", "a"),
    ],
)
def test_patterns_stand_for_the_names_they_meet(text: str, same: str) -> None:
    assert read(text) == read(same)


def test_a_hostile_pattern_takes_no_time() -> None:
    pattern, name = "*a" * 40 + "*b", "a" * 80
    with pytest.raises(ValueError, match="no selection"):
        parsed(f"1 of {pattern}", [name], lambda _: TRUE)
    assert parsed(f"1 of {pattern}", [f"{name}b"], lambda _: TRUE) == TRUE


@pytest.mark.parametrize(
    ("pattern", "name", "meets"),
    [
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("*", "x", True),
        ("a**b", "ab", True),
        ("a*", "ba", False),
    ],
)
def test_a_star_is_any_number_of_characters(pattern: str, name: str, meets: bool) -> None:
    try:
        assert parsed(f"all of {pattern}", [name], lambda _: TRUE) == TRUE
        assert meets
    except ValueError:
        assert not meets
