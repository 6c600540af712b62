"""Every page of the console, for everybody who may come, in every language, width and colour scheme.

The home is cut; `scripts/bench console` looks at the other states, and with axe at desk width, too.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser import axe
from browser.home import Home, running
from browser.home import home as site
from browser.pages import CONTAINED
from browser.survey import DESK, PICTURES, TELEPHONE, survey, width_of
from rempart.accounts.person import Role
from rempart.console.app import COOKIE
from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement

pytestmark = pytest.mark.browser


def test_every_page_of_a_home_that_is_cut(chromium: Browser, home: Home) -> None:
    axe.needed()
    assert survey(chromium, home, CONTAINED, desk=False) == []


# -- the public page: no console behind it -------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_public_page(chromium: Browser, tmp_path: Path, scheme: str) -> None:
    axe.needed()
    PICTURES.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(offline=True, viewport=TELEPHONE)  # type: ignore[arg-type]  # two whole numbers
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for opening, html in PublicFace(site()).filled(Enforcement(stands={})).items():
        assert "<script" not in html
        file = tmp_path / f"{opening}.html"
        file.write_text(html)
        page.goto(file.as_uri())
        for size in (TELEPHONE, DESK):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # two whole numbers
            assert width_of(page) <= size["width"]
            assert axe.barriers(page) == []
        page.screenshot(path=PICTURES / f"public-{opening}.{scheme}.png", full_page=True)
    context.close()


# -- without script ------------------------------------------------------------------------------------------------


def test_the_duty_page_and_the_cut_without_script(chromium: Browser) -> None:
    with running() as home:
        context = chromium.new_context(java_script_enabled=False, locale="fr-BE", viewport=TELEPHONE)  # type: ignore[arg-type]
        cookie = home.signed_in("anne", Role.DUTY)
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": home.origin}])
        page = context.new_page()
        page.goto(home.origin)
        page.locator("#contain").click()
        page.locator("form button.big").click()
        expect(page.locator("h1")).to_contain_text("confiné")
        assert home.guard.state.contained
        context.close()
