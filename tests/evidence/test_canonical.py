"""Canonical JSON: stable, reversible, and strict about what it is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.evidence import canonical

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.LARGEST, canonical.LARGEST)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(values)
def test_what_goes_in_comes_out_with_the_same_bytes(value: object) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert json.loads(data) == value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)))
def test_the_order_of_a_map_changes_nothing(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical.encode(turned) == canonical.encode(value)


@given(st.binary(max_size=60))
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except canonical.NotCanonical:
        return
    assert canonical.encode(value) == data


def test_the_sorting_example_of_rfc_8785() -> None:
    """Section 3.2.3; the astral emoji (a surrogate pair) comes before U+FB33."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f602": 5, "\x80": 6, "\xf6": 7}
    wanted = ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f602", "\ufb33"]
    assert list(json.loads(canonical.encode(value))) == wanted


def test_the_string_example_of_rfc_8785() -> None:
    """Section 3.2.2.2."""
    text = '€$\x0f\nA\'B"\\\\"/'
    assert canonical.encode(text) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize(
    "value",
    [0.5, float("nan"), 2**53, -(2**53), {1: "a"}, {"a": {None: 1}}, b"bytes", {1, 2}, "\ud800", object()],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"NaN",
        b'"\\u0041"',
        b'"\\/"',
        b"\xff",
        b"",
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_bytes_that_are_not_the_one_form_are_refused(data: bytes) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.decode(data)


def test_depth_is_bounded() -> None:
    value: object = 1
    for _ in range(canonical.DEEPEST):
        value = [value]
    canonical.encode(value)
    with pytest.raises(canonical.NotCanonical):
        canonical.encode([value])
