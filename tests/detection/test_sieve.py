import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.predicates import FieldTests
from rempart.detection.sieve import CAUGHT, Commonness, Sieve, trace

TEXTS = (
    *("cmd.exe", "C:\\Windows\\cmd.exe", " -enc ", "net user", "true", "1e3", "1000", 'say "hi"', "kernel"),
    *("a/b/c", "system", "\\\\*\\ADMIN$", "rue", "als", "two words here", '{"a":1}', "[1,2]", "même"),
)
KINDS = (LeafKind.EXACT, LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH, LeafKind.WILDCARD)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(TEXTS)
    | st.sampled_from(["\u212aernel", "\u017fystem", "xCMD.EXEx", "KERNEL", "1000"])
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.none()
    | st.lists(st.sampled_from(TEXTS), min_size=2, max_size=3).map("".join),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b c"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def wild(text: str) -> str:
    return text.replace("\\", "\\\\").replace("w", "*")


@given(
    st.sampled_from(KINDS),
    st.sampled_from(TEXTS),
    VALUES,
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", ":\n")]),
)
def test_of_an_event_of_which_the_leaf_is_true_the_sieve_finds_something(
    kind: LeafKind, text: str, value: Any, ascii_only: bool, separators: tuple[str, str]
) -> None:
    leaf = Leaf("f", kind, wild(text) if kind is LeafKind.WILDCARD else text)
    told = trace(leaf)
    raw = json.dumps({"g": 1, "f": value}, ensure_ascii=ascii_only, separators=separators).encode()
    tests = FieldTests()
    tests.add(0, leaf)
    if told is not None and tests.true_of(json.loads(raw)["f"]):
        assert Sieve([told]).found(raw)


def test_a_trace_is_the_longest_piece_that_json_holds_together() -> None:
    assert trace(Leaf("f", LeafKind.ENDSWITH, "\\cmd.exe")) == '\\\\cmd.exe"'
    assert trace(Leaf("f", LeafKind.CONTAINS, " -enc x")) == "-enc"
    assert trace(Leaf("f", LeafKind.EXACT, "Valid")) == '"Valid"'
    assert trace(Leaf("f", LeafKind.EXACT, "true")) is None
    assert trace(Leaf("f", LeafKind.CONTAINS, "3389")) is None
    assert trace(Leaf("f", LeafKind.RE, "cmd.*exe")) is None
    assert trace(Leaf("f", LeafKind.NULL)) is None


def test_what_is_found_is_numbered() -> None:
    sieve = Sieve(["cmd.exe", "whoami"])
    assert sieve.found(b'{"f":"WHOAMI /all"}') == [1]
    assert sieve.found(b'{"f":"nothing"}') == []
    assert sieve.found(rb'{"f":"\u0077hoami"}') == [CAUGHT]
    assert Sieve(["a\\b"]).found(b'{"f":{"a":1}}') == [CAUGHT]


def test_commonness_is_the_share_of_events() -> None:
    common = Commonness([b'{"f":"cmd.exe"}', b'{"f":"x"}'])
    assert 0.5 < common.of(Leaf("f", LeafKind.CONTAINS, "CMD.exe")) < 0.51
    assert common.of(Leaf("f", LeafKind.CONTAINS, "absent")) < 0.001
    assert common.of(Leaf("f", LeafKind.NULL)) == float("inf")
