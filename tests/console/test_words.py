"""The words: complete in four languages, and hostile arguments shown for what they are."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.console.words import LONGEST, chosen, plain, words
from rempart.incidents.incident import Sentence
from rempart.site.site import Language

SOURCES = Path(__file__).parents[2] / "src" / "rempart"


@pytest.mark.parametrize("language", Language)
def test_no_key_is_missing_in_a_language(language: Language) -> None:
    assert set(words(language).texts) == set(words(Language.FRENCH).texts)


@pytest.mark.parametrize("language", Language)
def test_the_holes_are_the_same_in_every_language(language: Language) -> None:
    for key, text in words(language).texts.items():
        expected = set(re.findall(r"\{\w+\}", words(Language.ENGLISH).texts[key]))
        assert set(re.findall(r"\{\w+\}", text)) == expected, key


@pytest.mark.parametrize("language", Language)
def test_every_text_says_something(language: Language) -> None:
    assert all(text.strip() for text in words(language).texts.values())


def test_every_key_that_the_pages_say_has_words() -> None:
    said = set()
    for file in (SOURCES / "console").glob("*.py"):
        said |= set(re.findall(r'say\(\s*"([a-z0-9.-]+)"', file.read_text()))
    assert said
    assert said <= set(words(Language.FRENCH).texts)


def test_every_label_of_a_template_has_words() -> None:
    labels = set()
    for file in (SOURCES / "console" / "templates").iterdir():
        labels |= set(re.findall(r'page\.labels(?:\.|\[")([a-z-]+)', file.read_text()))
    assert labels <= set(words(Language.FRENCH).under("label"))


def test_every_sentence_that_the_engine_tells_has_words() -> None:
    told = set()
    for file in ("engine/state.py", "station/status.py"):
        told |= set(re.findall(r'Sentence\(\s*"([a-z.-]+)"', (SOURCES / file).read_text()))
    assert told <= set(words(Language.FRENCH).texts)


def test_an_unknown_key_is_shown_with_its_arguments() -> None:
    assert (
        words(Language.ENGLISH).tell(Sentence("story.new", {"actor": "x\x1b"}))
        == "story.new (actor=x⟨U+001B⟩)"
    )


def test_a_missing_argument_is_told_as_unknown() -> None:
    assert words(Language.ENGLISH).tell(Sentence("incident.device", {"assets": ""})).endswith("unknown.")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("a\u202egnp.exe", "a⟨U+202E⟩gnp.exe"),
        ("a\nb", "a⟨U+000A⟩b"),
        ("\u200b", "⟨U+200B⟩"),
        ("<script>", "<script>"),
        ("x" * 200, "x" * (LONGEST - 1) + "…"),
        ("שלום", "\u2068שלום\u2069"),
    ],
)
def test_what_is_invisible_is_made_visible(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


@given(st.text())
def test_no_text_leaves_a_control_in_a_sentence(text: str) -> None:
    shown = plain(text).strip("\u2068\u2069")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown)


def test_braces_in_an_argument_fill_no_hole() -> None:
    told = words(Language.ENGLISH).tell(Sentence("story.reclosed", {"opening": "{title}", "title": "secret"}))
    assert "“{title}”" in told


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("nl", "de", "nl"),
        (None, "de-BE,de;q=0.9,fr;q=0.8", "de"),
        (None, "it, en;q=0.3, nl;q=0.7", "nl"),
        (None, "fr;q=0, en", "en"),
        (None, "", "fr"),
        ("../../etc", "\x00;q=x", "fr"),
    ],
)
def test_the_language_is_the_one_asked_for(asked: str | None, accepted: str, language: str) -> None:
    assert chosen(asked, accepted, (Language.FRENCH, Language.DUTCH)) == language
