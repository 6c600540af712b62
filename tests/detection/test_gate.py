"""Gates: settling a rule by what is known never changes its answer, and memories are bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection import gate
from rempart.detection.gate import (
    All,
    Inverse,
    Memo,
    Passing,
    Room,
    Some,
    Tide,
    Tree,
    compiled,
    cover,
    mentioned,
    settle,
)

LEAVES = st.integers(min_value=0, max_value=7)
SETS = st.frozensets(LEAVES, max_size=8)


def trees(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    parts = st.lists(inner, max_size=3).map(tuple)
    return st.builds(All, SETS, parts) | st.builds(Some, SETS, parts) | st.builds(Inverse, inner)


TREES = st.recursive(
    st.builds(All, st.frozensets(LEAVES, min_size=1, max_size=1), st.just(())), trees, max_leaves=12
)


def holds(tree: Tree, true: frozenset[int]) -> bool:
    """The plainest reading of a tree."""
    if isinstance(tree, Inverse):
        return not holds(tree.part, true)
    answers = [leaf in true for leaf in tree.leaves] + [holds(part, true) for part in tree.parts]
    return all(answers) if isinstance(tree, All) else any(answers)


@given(TREES, SETS)
def test_compiled_means_the_same(tree: Tree, true: frozenset[int]) -> None:
    assert compiled(tree)(true) == holds(tree, true)


@given(TREES, SETS, SETS)
def test_settling_means_the_same(tree: Tree, known: frozenset[int], true: frozenset[int]) -> None:
    settled = settle(tree, known, true & known)
    answer = settled if isinstance(settled, bool) else holds(settled, true)
    assert answer == holds(tree, true)
    if not isinstance(settled, bool):
        assert mentioned(settled).isdisjoint(known)


@given(TREES, SETS)
def test_without_a_leaf_of_its_cover_a_tree_is_false(tree: Tree, true: frozenset[int]) -> None:
    found = cover(tree, lambda leaf: 1.0 + leaf)
    if found is not None and found[1].isdisjoint(true):
        assert not holds(tree, true)


def test_a_memo_forgets_rather_than_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_MEMO_CHARACTERS", 100_000)
    room = Room()
    quiet, flooded = (
        Memo(lambda value: frozenset((len(str(value)),)), frozenset(range(10_000)), room, Tide())
        for _ in range(2)
    )
    assert quiet["a"] == {1}
    for number in range(2_000):
        assert flooded[f"{number:0100d}"] == {100}
        assert sum(map(len, flooded)) <= 100_000
    assert "a" in quiet, "the flood is forgotten, not what was there before"


def test_a_memo_keeps_text_only() -> None:
    memo = Memo(
        lambda value: frozenset((1,)) if value is True else frozenset(), frozenset((1,)), Room(), Tide()
    )
    assert [memo[value] for value in (1, True, 1.0, "1", True)] == [set(), {1}, set(), set(), {1}]
    assert set(memo) == {"1"}


def test_long_texts_that_never_come_again_are_let_pass_for_a_while() -> None:
    memo = Memo(lambda value: frozenset((len(str(value)),)), frozenset(range(10_000)), Room(), Tide())
    assert memo["once"] == {4}
    assert memo.turned() is memo, "short texts are worth keeping"
    for number in range(gate._TURN):
        assert memo[f"{number:02000d}"] == {2_000}
    for _ in range(gate._PASSING):
        passed = memo.turned()
        assert isinstance(passed, Passing)
        assert [passed["once"], passed[["a", "list"]]] == [{4}, {13}]
        assert not memo
        assert not memo.held
    assert memo.turned() is memo
    assert memo["once"] == {4}
    assert set(memo) == {"once"}
