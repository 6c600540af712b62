"""A home to visit, and a real browser to visit it with."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from browser.home import CHROMIUM, Home, running
from rempart.accounts.person import Role

LIVE = 30_000
"""Milliseconds that a page may take to show what happened: the machine may be busy. How soon it does is measured in
benchmarks/console.py."""

expect.set_options(timeout=LIVE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module only: while it lives, its event loop keeps others from running in this thread."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _unhurried(unhurried: None) -> None:
    """Nothing is asked of anybody here but what a test is about."""


@pytest.fixture
def home() -> Iterator[Home]:
    with running() as alive:
        yield alive


@pytest.fixture
def page(chromium: Browser, home: Home) -> Iterator[Page]:
    """A desk's browser, in French, that came by the link. Any script error or refused resource fails the test."""
    with looking(chromium) as visited:
        visited.goto(home.link())
        yield visited


@pytest.fixture
def director(chromium: Browser, home: Home) -> Iterator[Page]:
    """The same of somebody who may see everything."""
    with looking(chromium) as visited:
        sign_in(visited, home, "direction", Role.APPROVER)
        yield visited


@contextmanager
def looking(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="fr-BE", viewport={"width": 1360, "height": 900})
    visited = context.new_page()
    wrong: list[str] = []
    visited.on("pageerror", lambda error: wrong.append(str(error)))
    visited.on(
        "console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None
    )
    yield visited
    context.close()
    assert wrong == []


def sign_in(page: Page, home: Home, person: str, *roles: Role) -> None:
    """Come back as somebody who has signed in, to the duty page."""
    cookie = {"name": "rempart-session", "value": home.signed_in(person, *roles), "url": home.origin}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a typed dictionary
    page.goto(home.origin)


def revisit_until(page: Page, url: str, shown: Locator) -> None:
    """Go there, and again, until it is shown: without script a page does not follow, and the console hears of a change
    a moment after the guard."""
    for _ in range(LIVE // 250):
        page.goto(url)
        if shown.count():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{url} never showed {shown}")
