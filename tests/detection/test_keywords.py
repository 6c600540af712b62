import json

from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.keywords import Keywords, parts

WORDS = ("needle", 'a\\\\b"cde', "two*ends", "lsadump::", "sekurlsa::")
KEYWORDS = Keywords([(n, Leaf("", LeafKind.KEYWORD, word)) for n, word in enumerate(WORDS)])
PIECES = (
    *("needle", 'A\\B"CDE', "two", "ends", "LSADUMP::", "É", "n", "eedle", "\n"),
    *("ne\u0130dle", "\u017fekurlsa::"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=4), st.booleans(), st.booleans())
def test_the_json_text_is_only_a_shortcut(pieces: list[str], ascii_only: bool, listed: bool) -> None:
    fields = {"a": pieces if listed else "".join(pieces), "b": pieces[0] if pieces else ""}
    raw = json.dumps(fields, ensure_ascii=ascii_only).encode()
    assert KEYWORDS.may_stand_in(raw) or not KEYWORDS.true_of(fields.values())


def test_an_escaped_keyword_does_not_hide() -> None:
    assert KEYWORDS.may_stand_in(rb'{"a":"\u006eeedle"}')
    slash = Keywords([(0, Leaf("", LeafKind.KEYWORD, "etc/x"))])
    assert slash.may_stand_in(rb'{"a":"etc\/x"}')
    assert not slash.may_stand_in(rb'{"a":"etc"}')


def test_a_keyword_over_two_elements_of_a_list_is_found() -> None:
    keyword = Keywords([(0, Leaf("", LeafKind.KEYWORD, "first second"))])
    assert keyword.true_of([["first", "second"]]) == {0}
    assert keyword.may_stand_in(b'{"a":["first","second"]}')


def test_an_expression_may_ask_for_the_ends_of_any_value() -> None:
    keyword = Keywords([(n, Leaf("", LeafKind.KEYWORD_RE, asked)) for n, asked in enumerate(("^b$", r"\Ac"))])
    assert keyword.true_of(["a", "b", "ccc"]) == {0, 1}
    assert not keyword.true_of(["abc", "ab"])


def test_letters_of_another_case_than_asciis_are_found() -> None:
    keyword = Keywords([(n, Leaf("", LeafKind.KEYWORD, "task", cased=bool(n))) for n in range(2)])
    assert keyword.true_of(["x", "TA\u017f\u212a"]) == {0}


def test_a_few_parts_stand_for_many_keywords() -> None:
    chosen = parts(["privilege::debug", "privilege::driver", "event::clear", "x"])
    assert len(chosen) == 3
    assert all(any(part in text for part in chosen) for text in ("privilege::debug", "event::clear", "x"))


def test_a_long_keyword_is_looked_for_without_its_common_end() -> None:
    assert parts(["mimilib.dll"]) == ["mimilib"]
    assert parts(["[[["]) == ["[[["]
    keyword = Keywords([(0, Leaf("", LeafKind.KEYWORD, "mimilib.dll"))])
    assert keyword.may_stand_in(b'{"a":"C:\\\\MimiLib.dll"}')
    assert keyword.true_of(["mimilib.exe"]) == frozenset()
