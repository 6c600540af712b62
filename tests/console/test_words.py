"""The words: complete in four languages, and hostile arguments shown for what they are."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.adapters import shipped
from rempart.console.words import LONGEST, Words, chosen, gaps, plain, words
from rempart.detection.explain import Explanation
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.site.site import Language

SOURCES = Path(__file__).parents[2] / "src" / "rempart"


def test_nothing_is_missing_wrong_or_too_long_in_any_language() -> None:
    assert list(gaps()) == []


def test_a_missing_word_a_wrong_hole_and_a_long_sentence_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**words(Language.DUTCH).texts, "label.yes": "{hole} " + "woord " * 31}
    del wrong["label.skip"]
    wrong["label.back"] = "Terug naar NTLM"
    monkeypatch.setattr(
        "rempart.console.words.words",
        lambda language: Words(language, wrong) if language is Language.DUTCH else words(language),
    )
    told = "\n".join(gaps())
    assert "nl: label.skip is missing" in told
    assert "nl: label.yes: its holes are ['hole']" in told
    assert "nl: label.yes: a sentence of 32 words" in told
    assert "nl: label.back: the abbreviation NTLM is not explained" in told


def test_an_abbreviation_of_the_law_is_spelled_out_once_where_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    law = shipped.text("duties/obligations.toml")
    spelled = "Agence pour une Vie de Qualité (AVIQ)"
    assert spelled in law
    monkeypatch.setattr(
        "rempart.console.words.shipped.text", lambda name: law.replace(spelled, "AVIQ (the agency)")
    )
    told = {gap for gap in gaps() if "AVIQ" in gap}
    assert told == {
        f"{language}: {name}: the abbreviation AVIQ is not explained"
        for language in Language
        for name in ("aviq-wished", "aviq")
    }


@pytest.mark.parametrize("language", [Language.DUTCH, Language.GERMAN])
def test_words_that_no_native_has_read_say_so(language: Language) -> None:
    files = sorted((SOURCES / "console" / "locale" / language.value).iterdir())
    assert files
    unmarked = [file.name for file in files if "# Needs a native reader.\n" not in file.read_text()[:400]]
    assert unmarked == []


def test_the_french_is_that_of_the_people_concerned() -> None:
    """The words in which the attacked group told the public what it did, at the places where each belongs."""
    french = words(Language.FRENCH).texts
    for key, word in (
        ("posture.contained", "confiné"),
        ("alert.cut", "confinement"),
        ("alert.cut", "filtrage"),
        ("reopening.title", "Réouverture"),
        ("nav.reopening", "Réouverture"),
        ("label.public", "en maintenance"),
    ):
        assert word in french[key], key
    foreign = re.compile(r"\b(firewall|lockdown|quarantaine|whitelist|backup|login|e-mail)\b", re.IGNORECASE)
    assert {key: text for key, text in french.items() if foreign.search(text)} == {}


HOSTILE = Finding(
    id="i",
    rule="r",
    title="Shadow copies \u202e deleted",
    level=Level.HIGH,
    kind=Kind.OTHER,
    outcome=Outcome.ATTEMPT,
    time=Instant(1),
    source="log",
    record=1,
    spoofable=True,
    observables=(Observable(ObservableKind.HOST, Role.VICTIM, "PC-07"),),
    proofs=(Proof("CommandLine", "vssadmin"),),
    tags=("attack.impact", "attack.t1490"),
)


@pytest.mark.parametrize(
    ("language", "first"),
    [
        (
            Language.FRENCH,
            "Un programme que les attaquants utilisent aussi a été lancé : « Shadow copies ⟨U+202E⟩ deleted ».",
        ),
        (
            Language.DUTCH,
            "Een programma dat ook aanvallers gebruiken werd gestart: “Shadow copies ⟨U+202E⟩ deleted”.",
        ),
        (
            Language.GERMAN,
            "Ein Programm wurde gestartet, das auch Angreifer benutzen: „Shadow copies ⟨U+202E⟩ deleted“.",
        ),
        (Language.ENGLISH, "A program was started that attackers use too: “Shadow copies ⟨U+202E⟩ deleted”."),
    ],
)
def test_a_finding_is_explained_in_every_language(language: Language, first: str) -> None:
    said = words(language).explain(Explanation.of(HOSTILE))
    assert said[0].replace("\u00a0", " ") == first
    assert len(said) == 5
    assert all(sentence.endswith(".") for sentence in said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.FRENCH, "Quelqu'un a essayé beaucoup de mots de passe."),
        (Language.ENGLISH, "Somebody tried many passwords."),
    ],
)
def test_what_is_not_known_reads_as_that(language: Language, said: str) -> None:
    guessing = replace(HOSTILE, kind=Kind.GUESSING, proofs=(), observables=(), level=Level.HIGH)
    assert words(language).explain(Explanation.of(guessing))[0] == said


def test_a_count_takes_its_form_and_its_figures() -> None:
    french = words(Language.FRENCH)
    assert french.say("digest.blocked", count=1).startswith("1 adresse a été bloquée")
    assert french.say("digest.blocked", count=0).startswith("0 adresse ")
    assert french.say("digest.blocked", count=12_345).replace("\u202f", " ").startswith("12 345 adresses ont")
    assert words(Language.GERMAN).say("digest.blocked", count=12_345).startswith("12.345 Adressen")


def test_every_key_that_the_pages_say_has_words() -> None:
    said = set()
    for file in (SOURCES / "console").rglob("*.py"):
        said |= set(re.findall(r'say\(\s*"([a-z0-9.-]+)"', file.read_text()))
    assert said
    texts = words(Language.FRENCH).texts
    assert {key for key in said if key not in texts and f"{key}.other" not in texts} == set()


def test_every_label_of_a_template_has_words() -> None:
    labels = set()
    for file in (SOURCES / "console" / "templates").iterdir():
        labels |= set(re.findall(r'(?:page|frame)\.labels(?:\.|\[")([a-z-]+)', file.read_text()))
    assert labels <= set(words(Language.FRENCH).under("label"))


def test_every_sentence_that_the_engine_tells_has_words() -> None:
    told = set()
    for file in (*(SOURCES / "engine" / "fold").glob("*.py"), SOURCES / "station" / "status.py"):
        told |= set(re.findall(r'Sentence\(\s*"([a-z.-]+)"', file.read_text()))
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


@pytest.mark.parametrize("language", Language)
def test_what_is_not_known_is_left_out_where_it_stood_in_brackets(language: Language) -> None:
    spoken = words(language)
    for key in ("alert.intrusion", "alert.records", "alert.care"):
        without = spoken.say(key, where="")
        assert "(" not in without
        assert without.endswith(".")
        assert " ." not in without.replace("\u00a0", " ")
        assert "(Accueil)" in spoken.say(key, where="Accueil")
