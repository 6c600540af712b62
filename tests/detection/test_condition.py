"""Conditions are as small as they can be said."""

from rempart.detection.condition import (
    FALSE,
    TRUE,
    And,
    Leaf,
    LeafKind,
    Not,
    Or,
    either,
    every,
    negate,
)


def test_constants_are_folded() -> None:
    leaf = Leaf("f", LeafKind.NULL)
    assert every([leaf]) is leaf
    assert every([leaf, FALSE]) == FALSE
    assert either([leaf, TRUE]) == TRUE
    assert negate(negate(leaf)) is leaf
    assert (negate(TRUE), negate(FALSE)) == (FALSE, TRUE)
    assert every([And((leaf, leaf)), Not(leaf)]) == And((leaf, leaf, Not(leaf)))
    assert either([Or((leaf, leaf)), leaf]) == Or((leaf, leaf, leaf))
