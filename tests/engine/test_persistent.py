"""Persistent maps: each says for ever what a plain dictionary would have said when it was made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.engine.persistent import PersistentMap

NAMES = st.sampled_from("abcde")
CHANGES = st.lists(
    st.tuples(st.integers(0, 30), NAMES, st.none() | st.integers(0, 3), st.booleans()), max_size=30
)
"""From which of the maps made so far, which name, its value (None: it goes), and whether the map is gone through."""


@given(st.dictionaries(NAMES, st.integers()), CHANGES)
def test_every_map_says_for_ever_what_a_dictionary_says(
    items: dict[str, int], changes: list[tuple[int, str, int | None, bool]]
) -> None:
    plain, kept = [dict(items)], [PersistentMap(items)]
    for number, name, value, gone_through in changes:
        of = number % len(kept)
        if value is None:
            plain.append({key: held for key, held in plain[of].items() if key != name})
            kept.append(kept[of].without(name))
        else:
            plain.append({**plain[of], name: value})
            kept.append(kept[of].with_item(name, value))
        if gone_through:
            assert list(kept[of].items()) == list(plain[of].items())
        assert [[each.get(key) for key in "abcde"] for each in kept] == [
            [each.get(key) for key in "abcde"] for each in plain
        ]
    assert kept == plain
    assert [list(each.items()) for each in kept] == [list(each.items()) for each in plain]
    assert [len(each) for each in kept] == [len(each) for each in plain]


def test_what_it_is_made_of_may_change_and_it_does_not() -> None:
    items = {"a": 1}
    kept = PersistentMap(items)
    items["a"] = 2
    assert kept["a"] == 1
    assert PersistentMap.of(kept) is kept
    assert kept.without("b") is kept
    with pytest.raises(KeyError):
        kept.with_item("b", 1).without("b")["b"]


def test_items_stay_in_the_order_in_which_they_came() -> None:
    kept = PersistentMap({"b": 1}).with_item("a", 2).with_item("b", 3)
    assert list(kept.items()) == [("b", 3), ("a", 2)]
