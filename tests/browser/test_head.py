"""The head of every page on a telephone: two lines, and behind a button the ways to the other pages, without script."""

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import revisit_until, sign_in
from browser.home import Home
from browser.survey import width_of
from rempart.accounts.person import Role
from rempart.site.site import Language

pytestmark = pytest.mark.browser

MOST = 110
"""Pixels; what was a third of a telephone's screen is what the page has to say."""


@pytest.mark.parametrize("dark", [False, True])
def test_the_head_leaves_the_telephone_to_the_page(chromium: Browser, home: Home, *, dark: bool) -> None:
    context = chromium.new_context(
        viewport={"width": 360, "height": 740},
        java_script_enabled=False,
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    sign_in(page, home, "technician", Role.TECHNICIAN)
    for language in Language:
        page.goto(f"{home.origin}/?lang={language}")
        head, ways = page.locator("header"), page.locator("header .ways")
        folded = head.bounding_box()
        assert folded is not None
        assert folded["height"] <= MOST, language
        expect(ways).to_be_hidden()
        menu = page.locator("header summary")
        menu.focus()
        page.keyboard.press("Enter")
        expect(ways.locator("a").first).to_be_visible()
        expect(page.locator("header .account")).to_be_visible()
        for target in (menu, *ways.locator("a").all(), *page.locator("header .languages a").all()):
            box = target.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 32, f"{language}: {target.text_content()}"
            assert box["x"] + box["width"] <= 360, f"{language}: {target.text_content()}"
        page.keyboard.press("Enter")
        expect(ways).to_be_hidden()
    context.close()


def test_on_a_desk_the_ways_are_there_at_once(director: Page, home: Home) -> None:
    director.goto(home.origin)
    expect(director.locator("header summary")).to_be_hidden()
    expect(director.locator("header .ways a").first).to_be_visible()


def test_the_way_back_fits_a_telephone_in_every_language(chromium: Browser, home: Home) -> None:
    home.contain()
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    sign_in(page, home, "technician", Role.TECHNICIAN)
    for language in Language:
        revisit_until(page, f"{home.origin}/reopening?lang={language}", page.locator(".sheet"))
        past = page.locator(".sheet").evaluate("each => each.scrollWidth - each.parentElement.clientWidth")
        assert past <= -30, language  # within what the card keeps free on both sides
        assert width_of(page) <= 360, language
    context.close()


def test_a_first_visit_is_drawn_with_our_typeface(page: Page) -> None:
    """Not only fetched: a page that is drawn before it comes stays without it (`font-display: optional`)."""
    devtools = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        devtools.send(f"{domain}.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    heading = devtools.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
    drawn = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": heading})["fonts"]
    assert [each["familyName"] for each in drawn] == ["Atkinson Hyperlegible Next"]
