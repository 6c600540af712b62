"""Leaves against values: Hyperscan and plain loops give the same answers, and no value is too odd."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.keywords import Keywords
from rempart.detection.predicates import (
    Beginnings,
    ExpressionRefused,
    FieldTests,
    HyperscanScan,
    PlainScan,
    as_text,
    check_expressions,
    refers,
    texts_of,
)


def true(leaf: Leaf, value: object) -> bool:
    tests = FieldTests()
    tests.add(7, leaf)
    return 7 in tests.true_of(value)


@pytest.mark.parametrize(
    ("kind", "asked", "value", "answer"),
    [
        ("exact", "root", "ROOT", True),
        ("exact", "root", "roots", False),
        ("exact", "", "", True),
        ("exact", "", None, False),
        ("exact", "4", 4, True),
        ("exact", "4", 4.0, True),
        ("exact", "true", True, True),
        ("exact", "1", True, False),
        ("exact", "ÉCOLE", "école", True),
        ("exact", "ασ", "ΑΣ", True),
        ("exact", "\u017f", "S", True),
        ("exact", "ß", "\u1e9e", True),
        ("exact", "\u0130", "i", False),
        ("contains", "task", "TA\u017f\u212a", True),
        ("contains", "ς", "ΑΣ", True),
        ("startswith", "k:", "\u212a:\\", True),
        ("endswith", "s", "x\u017f", True),
        ("wildcard", "s*k", "\u017fx\u212a", True),
        ("contains", "a.b", "xxA.Bxx", True),
        ("contains", "a.b", "axb", False),
        ("contains", "é", "xÉx", True),
        ("contains", "–enc", "x –ENC y", True),
        ("startswith", "c:\\", "C:\\x", True),
        ("startswith", "c:\\", "xC:\\", False),
        ("endswith", "\\cmd.exe", "C:\\CMD.EXE", True),
        ("endswith", ".exe", "a.exe\n", False),
        ("wildcard", "a*b?c", "AxxB\nC", True),
        ("wildcard", "a*b?c", "aBc", False),
        ("wildcard", "?", "é", True),
        ("wildcard", "\\*?", "*x", True),
        ("wildcard", "\\*?", "yx", False),
        ("re", "^[a-c]{2}$", "ab", True),
        ("re", "^[a-c]{2}$", "AB", False),
        ("re", "b.d", "abcde", True),
        ("re", "^.$", "é", True),
        ("cidr", "10.0.0.0/8", "10.2.3.4", True),
        ("cidr", "10.0.0.0/8", "::ffff:10.2.3.4", True),
        ("cidr", "10.0.0.0/8", "11.2.3.4", False),
        ("cidr", "10.0.0.0/8", "10.2.3", False),
        ("cidr", "fe80::/10", "FE80::1", True),
        ("null", "", None, True),
        ("null", "", "", False),
        ("null", "", [], True),
        ("exists", "", "", True),
        ("exists", "", None, False),
    ],
)
def test_a_leaf_on_a_value(kind: str, asked: str, value: object, answer: bool) -> None:
    assert true(Leaf("f", LeafKind(kind), asked, cased=kind == "re"), value) is answer


def test_cased_leaves_see_case() -> None:
    for kind in ("exact", "contains", "startswith", "endswith", "wildcard"):
        assert true(Leaf("f", LeafKind(kind), "Ab", cased=True), "Ab")
        assert not true(Leaf("f", LeafKind(kind), "Ab", cased=True), "AB")


@pytest.mark.parametrize(("flags", "text"), [("i", "xAB"), ("m", "x\nab"), ("s", "a\nb"), ("ims", "x\nA\nB")])
def test_flags_of_expressions(flags: str, text: str) -> None:
    asked = {"i": "xab", "m": "^ab", "s": "a.b", "ims": "^a.b"}[flags]
    assert true(Leaf("f", LeafKind.RE, asked, cased=True, detail=flags), text)
    assert not true(Leaf("f", LeafKind.RE, asked, cased=True), text)


@pytest.mark.parametrize(
    ("operator", "threshold", "value", "answer"),
    [
        ("gt", "5", 6, True),
        ("gt", "5", "6", True),
        ("gte", "5", "5.0", True),
        ("lt", "5", "-1", True),
        ("lte", "5", 6, False),
        ("lt", "5", "five", False),
        ("lt", "5", "", False),
        ("lt", "5", "1" * 5000, False),
        ("gt", "9007199254740992", 9007199254740993, True),
    ],
)
def test_comparing_numbers(operator: str, threshold: str, value: object, answer: bool) -> None:
    assert true(Leaf("f", LeafKind.COMPARE, threshold, detail=operator), value) is answer


@pytest.mark.parametrize(
    ("part", "wanted"),
    [("minute", 12), ("hour", 3), ("day", 22), ("week", 47), ("month", 11), ("year", 2026)],
)
def test_parts_of_a_time(part: str, wanted: int) -> None:
    for value in (
        "2026-11-22T03:12:00Z",
        "2026-11-22 03:12:00.5",
        1795317120,
        1795317120000,
        1795317120000000,
    ):
        assert true(Leaf("f", LeafKind.TIMEPART, str(wanted), detail=f"{part} eq"), value)
        assert not true(Leaf("f", LeafKind.TIMEPART, str(wanted), detail=f"{part} gt"), value)
    assert not true(Leaf("f", LeafKind.TIMEPART, str(wanted), detail=f"{part} eq"), "yesterday")


@pytest.mark.parametrize(
    ("how", "answer"), [("exact", False), ("contains", True), ("startswith", True), ("endswith", False)]
)
def test_one_field_against_another(how: str, answer: bool) -> None:
    leaf = Leaf("a", LeafKind.FIELDREF, "b", detail=how)
    assert refers(leaf, {"a": "Host1.domain", "b": "HOST1"}) is answer
    assert refers(leaf, {"a": "host1"}) is False
    assert refers(leaf, {}) is False


@pytest.mark.parametrize("expression", [r"(?=a)b", r"(a)\1", r"(?<!x)y", "["])
def test_expressions_that_could_hang_are_refused(expression: str) -> None:
    with pytest.raises(ExpressionRefused):
        check_expressions([Leaf("f", LeafKind.RE, expression, cased=True)])


def test_an_expression_that_hangs_others_does_not_hang_us() -> None:
    evil = Leaf("f", LeafKind.RE, "^(a+)+$", cased=True)
    check_expressions([evil])
    assert not true(evil, "a" * 50_000 + "!")


def test_a_lone_surrogate_breaks_nothing() -> None:
    assert true(Leaf("f", LeafKind.CONTAINS, "x"), "\ud800x")


LETTERS = st.text(alphabet="aAbÉé–\\.*? \n\x00🏠", max_size=8)
LEAVES = st.builds(
    Leaf,
    st.just("f"),
    st.sampled_from([LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH]),
    LETTERS.filter(bool),
    st.booleans(),
) | st.builds(
    Leaf,
    st.just("f"),
    st.just(LeafKind.WILDCARD),
    st.lists(st.sampled_from(["a", "A", "É", "*", "?", "\\*", "\\\\", "."]), min_size=1, max_size=6).map(
        "".join
    ),
    st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(LEAVES, min_size=1, max_size=6), LETTERS)
def test_hyperscan_and_plain_loops_agree(leaves: list[Leaf], text: str) -> None:
    pytest.importorskip("hyperscan")
    numbered = list(enumerate(leaves))
    assert sorted(HyperscanScan(numbered).found(text)) == sorted(PlainScan(numbered).found(text))


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_value_has_a_text(value: Any) -> None:
    assert all(isinstance(text, str) for text in texts_of(value))
    tests = FieldTests()
    for number, kind in enumerate(LeafKind):
        detail = {"compare": "gt", "timepart": "hour eq"}.get(kind, "")
        if kind is not LeafKind.FIELDREF:
            tests.add(number, Leaf("f", kind, "10.0.0.0/8" if kind is LeafKind.CIDR else "3", detail=detail))
    tests.true_of(value)


def test_texts() -> None:
    assert as_text({"a": 1}) == '{"a":1}'
    assert texts_of(["a", None, 2]) == ["a", "2", "a 2"]
    assert texts_of(["a"]) == ["a"]
    assert texts_of(None) == []


def test_plain_loops_are_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rempart.detection.predicates.hyperscan", None)
    assert true(Leaf("f", LeafKind.CONTAINS, "b"), "aBc")
    needle = Leaf("", LeafKind.KEYWORD, "needle")
    assert Keywords([(0, needle)]).true_of(["a needle"]) == {0}
    assert re.escape("b") == "b"


BYTES = st.text(alphabet="ab", max_size=6).map(str.encode)


@given(st.lists(BYTES, max_size=8), BYTES)
def test_beginnings_and_ends_are_found_by_sorting(texts: list[bytes], text: bytes) -> None:
    starts = Beginnings(enumerate(texts))
    assert starts.of(text.upper()) == {n for n, each in enumerate(texts) if text.startswith(each)}
    ends = Beginnings((n, each[::-1]) for n, each in enumerate(texts))
    assert ends.of_end(text.upper()) == {n for n, each in enumerate(texts) if text.endswith(each)}


class Kept(dict[str, bytes]):
    """Databases kept in memory."""

    def put(self, key: str, database: bytes) -> None:
        self[key] = database


def test_a_kept_database_gives_the_same_answers() -> None:
    pytest.importorskip("hyperscan")
    kept = Kept()
    numbered = [(3, Leaf("f", LeafKind.CONTAINS, "needle")), (5, Leaf("f", LeafKind.WILDCARD, "a*b?c"))]
    first = HyperscanScan(numbered, kept)
    assert len(kept) == 1
    again = HyperscanScan(numbered, kept)
    assert len(kept) == 1
    for text in ("a needle", "axbxc", "", "nothing"):
        assert again.found(text) == first.found(text)
    HyperscanScan([(4, numbered[0][1])], kept)
    assert len(kept) == 2


def test_a_database_of_another_machine_is_made_anew() -> None:
    pytest.importorskip("hyperscan")
    kept = Kept()
    numbered = [(3, Leaf("f", LeafKind.CONTAINS, "needle"))]
    HyperscanScan(numbered, kept)
    kept.update(dict.fromkeys(kept, b"\x00" * 64))
    assert HyperscanScan(numbered, kept).found("a needle") == [3]
