"""The ward screen and the staff page in a real browser, and the posters on one sheet of paper each."""

import dataclasses
import re
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import LIVE, looking, sign_in
from browser.home import Home
from browser.home import home as tilleuls
from browser.survey import width_of
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.adapters.staff_notice import StaffNotice
from rempart.console.app import STATIC, rendered
from rempart.console.board import numbers_poster
from rempart.console.frame import frame
from rempart.console.words import words
from rempart.site.site import Language
from station.test_staff_page import Served, contained, served

__all__ = ["served"]

pytestmark = pytest.mark.browser


def pages(pdf: bytes) -> int:
    """Sheets in a PDF of Chromium's (ISO 32000-1, 7.7.3.2: the count at the root of the page tree)."""
    return max(int(count) for count in re.findall(rb"/Count (\d+)", pdf))


def test_the_ward_screen_follows(page: Page, home: Home) -> None:
    page.goto(page.url + "ward")
    expect(page.locator("h1")).to_contain_text("Tout est en ordre")
    home.contain()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    expect(page.locator("[data-key=door-lab]")).to_contain_text("fermée")
    for width in (360, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert width_of(page) <= width
    sentence = page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
    assert sentence >= 60  # two metres away, on a screen of full width


def test_the_staff_page_needs_neither_account_nor_script(chromium: Browser, served: Served) -> None:
    StaffNotice(served.places.staff_notice).leave(contained(SystemClock().now()))
    origin = f"http://127.0.0.1:{served.port}"
    context = chromium.new_context(
        java_script_enabled=False, locale="nl-BE", viewport={"width": 360, "height": 740}
    )
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(origin)
    expect(page.get_by_role("link", name="0470 00 00 01")).to_have_attribute("href", "tel:0470000001")
    assert {url.removeprefix(origin) for url in asked} == {"/", "/static/board.css"} | {
        url for url in asked if url.startswith("data:")
    }
    assert width_of(page) <= 360
    page.get_by_role("link", name="Affiche: de noodnummers").click()
    expect(page.locator("h1")).to_be_visible()
    assert context.cookies() == []
    context.close()


def test_a_poster_is_one_sheet(chromium: Browser, served: Served) -> None:
    with looking(chromium) as page:
        for poster, language in product(("numbers", "attack"), Language):
            page.goto(f"http://127.0.0.1:{served.port}/poster/{poster}?lang={language}")
            assert pages(page.pdf(format="A4", prefer_css_page_size=True)) == 1, (poster, language)


def test_a_paper_is_found_and_printed_on_a_telephone_without_script(chromium: Browser, home: Home) -> None:
    context = chromium.new_context(
        java_script_enabled=False, locale="fr-BE", viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    sign_in(page, home, "tech", Role.TECHNICIAN)
    page.locator("header summary").click()
    page.get_by_role("link", name="Papiers").click()
    page.get_by_role("link", name="Contourner le boîtier").click()
    expect(page.locator("h1")).to_have_text("Boîtier mort : le contourner avec deux câbles")
    assert pages(page.pdf(format="A4", prefer_css_page_size=True)) == 1
    context.close()


@pytest.mark.parametrize("times", [2, 3])
def test_a_group_with_many_openings_has_one_sheet_too(chromium: Browser, tmp_path: Path, times: int) -> None:
    site = tilleuls()
    many = dataclasses.replace(site, openings=site.openings * times)
    poster = numbers_poster(many, SystemClock().now(), words(Language.GERMAN))
    html = rendered("numbers.html", poster, frame(many, words(Language.GERMAN)))
    (tmp_path / "board.css").write_bytes(STATIC["board.css"])
    (tmp_path / "poster.html").write_text(html.replace("/static/", ""))
    with looking(chromium) as page:
        page.goto((tmp_path / "poster.html").as_uri())
        assert pages(page.pdf(format="A4", prefer_css_page_size=True)) == 1
