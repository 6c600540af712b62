"""What somebody new on duty does in their first night works from the message to the hand-over, in both languages."""

import pytest
from playwright.sync_api import Browser

from browser.first_night import LANGUAGES, PICTURES, walk
from rempart.site.language import Language

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_night(chromium: Browser, language: Language) -> None:
    steps: list[str] = []
    message = walk(chromium, language, lambda step, _: steps.append(step))
    assert "Les Tilleuls" in message
    assert {f"{step}.{language}.png" for step in steps} == {
        each.name for each in PICTURES.glob(f"*.{language}.png")
    }
