import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.duties import words
from rempart.duties.words import Words, plain
from rempart.errors import InputRefused
from rempart.incidents.incident import Sentence
from rempart.site.language import Language

FR, EN = Language.FRENCH, Language.ENGLISH


def test_arguments_are_told_in_both_languages(spoken: Words) -> None:
    sentence = Sentence("story.contained", {"by": "Anne"})
    assert (
        spoken.tell(sentence, FR) == "Les connexions vers l'extérieur ont été coupées (décision\u00a0: Anne)."
    )
    assert spoken.tell(sentence, EN) == "Connections to the outside were cut (decision: Anne)."


def test_an_unknown_key_is_shown_never_dropped(spoken: Words) -> None:
    assert spoken.tell(Sentence("story.new", {"a": 1, "b": "x"}), FR) == "story.new (a=1, b=x)"


def test_a_missing_argument_is_said_to_be_unknown(spoken: Words) -> None:
    assert spoken.say("story.scan", EN, actor="", count=3) == (
        "unknown looked for open doors on unknown (3 events)."
    )


def test_an_argument_cannot_bring_holes_of_its_own(spoken: Words) -> None:
    told = spoken.say("story.contained", EN, by="{by} {0.__class__}")
    assert told == "Connections to the outside were cut (decision: {by} {0.__class__})."


def test_moments_are_told_by_the_belgian_clock(spoken: Words) -> None:
    assert "01/01/1970 01:00:00 (UTC+1)" in spoken.say("story.blocked", EN, target="x", until=0, by="a")


@given(st.text())
def test_plain_text_holds_only_what_the_fonts_draw(text: str) -> None:
    shown = plain(text)
    assert not [c for c in shown if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0x2028 <= ord(c) <= 0x202E]
    assert plain(text[:10]) == shown or len(text) > 10


def test_a_key_without_french_is_refused_by_name() -> None:
    with pytest.raises(InputRefused, match=r"paper\.x"):
        words.parse('["paper.x"]\nen = "x"', "words.toml")


def test_an_id_is_told_by_its_name_where_it_has_one() -> None:
    spoken = Words({"k": {"en": "{duty}, {question}, {by}", "fr": "{duty}, {question}, {by}"}}).naming(
        duty={"a": {"en": "tell them", "fr": "prévenir"}}, question={"a": {"en": "Who?", "fr": "Qui ?"}}
    )
    assert spoken.say("k", Language.ENGLISH, duty="a", question="a", by="a") == "tell them, Who?, a"
    assert spoken.say("k", Language.FRENCH, duty="b", question="a", by="a") == "b, Qui ?, a"
