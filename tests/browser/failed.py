"""What was on the screen when a test failed, kept as pictures in build/failed, which git ignores."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, Page

FOLDER = Path(__file__).parents[2] / "build" / "failed"

_PATIENCE = 20_000
"""Milliseconds that a picture may take."""


def pictured(test: str, fixtures: Iterable[object]) -> str:
    """Take a picture of every page that is open in a test's browsers; where they are, a line each."""
    return "\n".join(
        _picture(page, FOLDER / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', test)}.{number}.png")
        for number, page in enumerate(dict.fromkeys(_open(fixtures)), 1)
    )


def _open(fixtures: Iterable[object]) -> Iterator[Page]:
    for each in fixtures:
        if isinstance(each, Browser):
            yield from (page for context in each.contexts for page in context.pages)
        elif isinstance(each, Page):
            yield each


def _picture(page: Page, path: Path) -> str:
    try:
        page.screenshot(path=path, full_page=True, timeout=_PATIENCE)
    except Error as fault:  # of a page that crashed or is gone: the test's own fault is the one to read
        return f"{page.url}: no picture: {fault}"
    return f"{page.url}: {path}"
