"""The papers about care: every language says everything, hostile names are drawn."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from engine.home import NOW, SITE
from rempart.adapters import shipped
from rempart.care import document
from rempart.care.document import RehearsalTold
from rempart.care.rehearsal import Becomes, Question
from rempart.care.reply import Reply
from rempart.duties.words import Words, parse
from rempart.instants import after, minutes
from rempart.site.opening import OpeningState
from rempart.site.site import Language


@pytest.fixture(scope="module")
def words() -> Words:
    return parse(shipped.text("care/words.toml"), "care/words.toml", tuple(Language))


def test_what_to_use_instead(words: Words, snapshot: SnapshotAssertion) -> None:
    states = {"telephone": OpeningState.FILTERED, "ehealth": OpeningState.CLOSED}
    assert document.fallback(SITE, states, "contained", NOW, NOW, words, Language.FRENCH) == snapshot


def test_how_a_rehearsal_went(words: Words, snapshot: SnapshotAssertion) -> None:
    told = RehearsalTold(
        began=NOW,
        until=after(NOW, minutes(10)),
        by="Alex",
        why="1 things did not work in the last rehearsal",
        replies={("ground", "call"): ("yes", ""), ("ground", "print"): ("no", "labels hang")},
        corrections=[("ehealth", "lifeline", "tablets hung", False)],
    )
    assert document.rehearsal(SITE, told, NOW, words, Language.ENGLISH) == snapshot


@pytest.mark.parametrize("language", list(Language))
def test_every_answer_has_words(words: Words, language: Language) -> None:
    for kind, values in (("question", Question), ("reply", Reply), ("becomes", Becomes)):
        assert all(words.say(f"{kind}.{value}", language) for value in values)


def test_a_hostile_name_is_drawn_not_obeyed(words: Words) -> None:
    site = replace(SITE, name="Les \u202eTilleuls")
    paper = document.fallback(site, {}, "normal", NOW, NOW, words, Language.DUTCH)
    assert "<U+202E>" in paper.subtitle
