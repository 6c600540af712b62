"""The pages for people on duty are there in French and English, with the same steps, and quote buttons that exist."""

import re
from pathlib import Path

import pytest

from rempart.console.words import words
from rempart.site.site import Language

FOLDER = Path(__file__).parents[2] / "docs" / "operating"
PAGES = sorted({page.name.split(".")[0] for page in FOLDER.glob("*.??.md")})
_QUOTED = re.compile(r"(?<!\*)\*([^*]+)\*(?!\*)")
_STEP = re.compile(r"^\d+\. \*\*", re.MULTILINE)
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_same_steps_and_pictures_in_both_languages(page: str) -> None:
    french, english = ((FOLDER / f"{page}.{language}.md").read_text() for language in ("fr", "en"))
    assert len(_STEP.findall(french)) == len(_STEP.findall(english)) > 0
    pictures = _PICTURE.findall(french)
    assert [each.replace(".fr.", ".en.") for each in pictures] == _PICTURE.findall(english)
    assert all((FOLDER / each).exists() for each in (*pictures, *_PICTURE.findall(english)))


@pytest.mark.parametrize("language", [Language.FRENCH, Language.ENGLISH])
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_quotes_is_what_the_console_says(page: str, language: Language) -> None:
    said = {" ".join(text.split()) for text in words(language).texts.values()}
    quoted = _QUOTED.findall((FOLDER / f"{page}.{language.value}.md").read_text())
    assert [text for text in (" ".join(each.split()) for each in quoted) if text not in said] == []
