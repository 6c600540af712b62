"""The notices and the draft assessment: from the site's facts, in four languages, no more certain than they may be."""

import re
from pathlib import Path

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.adapters import paper, shipped
from rempart.duties import notice, words
from rempart.duties.document import Fields
from rempart.duties.words import Words
from rempart.errors import InputRefused
from rempart.instants import parse_rfc3339
from rempart.site.description import parse
from rempart.site.language import Language
from rempart.site.site import Site

NOW = parse_rfc3339("2026-11-27T03:05:00Z")
KINDS = (notice.staff, notice.residents, notice.impact)


@pytest.fixture
def site() -> Site:
    file = Path(__file__).parents[1] / "console" / "tilleuls.toml"
    return parse(file.read_text(), file.name)


@pytest.fixture
def told() -> Words:
    return words.parse(shipped.text("duties/notices.toml"), "duties/notices.toml", tuple(Language))


@pytest.mark.parametrize("of", KINDS)
def test_the_notices_in_english(of, site: Site, told: Words, snapshot: SnapshotAssertion) -> None:
    assert msgspec.to_builtins(of(site, told, Language.ENGLISH, NOW)) == snapshot


@pytest.mark.parametrize("of", KINDS)
@pytest.mark.parametrize("language", list(Language))
def test_every_paper_is_set_and_says_that_it_is_a_draft(
    of, language: Language, site: Site, told: Words
) -> None:
    made = of(site, told, language, NOW)
    assert "Rempart" in made.notice
    assert made.notice == told.say("notice.draft", language)
    assert not re.search(r"\{[a-z]+\}", msgspec.json.encode(made).decode().replace("{name}", ""))
    assert paper.pdf(made).startswith(b"%PDF")


def test_what_is_a_persons_to_say_is_left_blank(site: Site, told: Words) -> None:
    made = notice.impact(site, told, Language.ENGLISH, NOW)
    decided = next(
        each for each in made.sections if isinstance(each, Fields) and each.heading.startswith("4.")
    )
    assert len(decided.fields) == 9
    assert all(field.blank for field in decided.fields)


def test_no_paper_says_that_something_is_compliant(told: Words) -> None:
    every = " ".join(text for sentence in told.sentences.values() for text in sentence.values()).lower()
    assert not re.search(r"conforme|compliant|konform|in overeenstemming|garant", every)


def test_a_key_without_a_language_is_named() -> None:
    with pytest.raises(InputRefused, match=r"a\.key"):
        words.parse('["a.key"]\nfr = "x"\nen = "y"\n', "test", tuple(Language))
