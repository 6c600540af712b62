"""Whatever the guard can refuse has words: each key in the code, with its arguments, in all four languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rempart import phrase as phrases
from rempart.console.refusal import refusal, tell
from rempart.console.words import words
from rempart.errors import OrderRefused
from rempart.messages import OrderRejected
from rempart.phrase import LONGEST, WORDS, phrase
from rempart.site.language import Language, typeset
from rempart.site.site import Site

SOURCE = Path(phrases.__file__).parent
HOLE = re.compile(r"\{([a-z_]+)\}")
MADE_BY = {"OrderRefused": 0, "phrase": 0, "phrased": 1, "require": 1}
"""What makes a phrase, and which of its arguments is the key."""

ELSEWHERE = {
    "own-roles",
    "own-account",
    "needs-passkey",
    "needs-box",
    "unsealable",
    "unverified",
    "unenforced",
    "defect",
}
"""Keys that stand in a table or are handed on, instead of in a call."""


def used() -> Iterator[tuple[str, str, set[str]]]:
    """Where, which key, and with which arguments."""
    for file in sorted(SOURCE.rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MADE_BY:
                at = MADE_BY[call.func.id]
                key = call.args[at] if len(call.args) > at else None
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    given = {each.arg for each in call.keywords if each.arg} - {"where"}
                    yield f"{file.name}:{call.lineno}", key.value, given


def test_every_key_in_the_code_has_words_and_gets_the_arguments_they_have_holes_for() -> None:
    for where, key, given in used():
        assert key in WORDS, where
        asked = set(HOLE.findall(WORDS[key])) | set(HOLE.findall(WORDS.get(f"{key}-now", "")))
        assert asked == given, where


def test_no_words_are_left_without_a_use() -> None:
    keys = {key for _, key, _ in used()} | ELSEWHERE
    assert {key for key in WORDS if not key.endswith("-now") or key.removesuffix("-now") not in WORDS} == keys


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", sorted(WORDS))
def test_all_four_languages_say_it(language: Language, key: str) -> None:
    text = words(language).texts[f"refused.{key}"]
    assert ("[because]" in text) == ("{because}" in WORDS[key])
    assert set(HOLE.findall(text)) == set(HOLE.findall(WORDS[key])) - {"because"}


def test_it_reads_with_the_names_people_use(site: Site) -> None:
    reasons = [phrase("against-gate", gate="approval"), phrase("against-needs", openings=["lab", "mail"])]
    refused = OrderRefused("cannot-be-tried", because=reasons, opening="lab")
    assert refused.what == (
        "lab cannot be tried yet: gate approval has not passed; what it needs is closed: lab, mail"
    )
    answer = OrderRejected(what=refused.what, now=refused.now, said=refused.said)
    what, now = refusal(answer, site, words(Language.FRENCH))
    assert what == typeset(
        "Laboratoire ne peut pas encore être mise à l'essai : "
        "l'étape « Une seconde personne est d'accord » n'est pas passée ; "
        "ce dont elle a besoin est fermé : Laboratoire, Courriel",
        Language.FRENCH,
    )
    assert now.startswith("Répondez aux étapes")


def test_hostile_arguments_are_capped_and_made_visible(site: Site) -> None:
    said = phrase("no-incident", incident="\x1b[2J\u202e{opening}" + "x" * 900)
    assert "\x1b" not in said.text
    assert "\u202e" not in said.text
    assert len(str(said.arguments["incident"])) == LONGEST
    told = tell(said, site, words(Language.DUTCH))
    assert told.isprintable()
    assert "{opening}" in told


def test_what_another_version_says_stays_in_its_english(site: Site) -> None:
    newer = OrderRejected(what="too new", now="Wait.", said=phrases.Phrase("not-known-here", "too new"))
    assert refusal(newer, site, words(Language.GERMAN)) == ("too new", "Wait.")
