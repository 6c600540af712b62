"""Questions to one event give the answers that the tests of a whole field give."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.predicates import FieldTests
from rempart.detection.question import View, all_of, none_of, one_of, question

LEAVES = st.builds(
    Leaf,
    st.just("f"),
    st.sampled_from([LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH, LeafKind.EXACT]),
    st.text(alphabet="aAÉé–k\\u212a", min_size=1, max_size=3),
    st.booleans(),
)
TEXTS = st.text(alphabet="aAÉé–k\\u212a\ud800", max_size=6)
VALUES = st.none() | TEXTS | st.integers() | st.lists(TEXTS | st.none(), max_size=3)


def field_of(leaf: Leaf) -> FieldTests:
    tests = FieldTests()
    tests.add(7, leaf)
    return tests


@given(LEAVES, VALUES)
def test_a_question_is_answered_as_the_field_is(leaf: Leaf, value: Any) -> None:
    tests = field_of(leaf)
    assert question(7, leaf)(View({"f": value}, {"f": tests})) == (7 in tests.true_of(value))


def test_questions_are_joined() -> None:
    view = View({"f": "abc"}, {})
    yes = question(0, Leaf("f", LeafKind.CONTAINS, "B"))
    no = none_of(yes)
    assert all_of([yes, yes])(view)
    assert not all_of([yes, no])(view)
    assert one_of([no, yes])(view)
    assert not one_of([no, no])(view)
    assert all_of([])(view)
    assert not one_of([])(view)
