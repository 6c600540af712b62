"""Care is blocked by the cut: said without script in one form, and the door waits for whoever may open it."""

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import LIVE, looking, revisit_until, sign_in
from browser.home import Home
from rempart.accounts.person import Role

pytestmark = pytest.mark.browser


def test_a_report_without_script_reaches_the_door(chromium: Browser, home: Home, director: Page) -> None:
    home.contain()
    context = chromium.new_context(
        java_script_enabled=False, locale="fr-BE", viewport={"width": 360, "height": 740}
    )
    night = context.new_page()
    night.goto(home.origin)
    cookie = {"name": "rempart-session", "value": home.signed_in("nuit", Role.DUTY), "url": home.origin}
    context.add_cookies([cookie])  # type: ignore[list-item]  # a typed dictionary
    blocked = night.get_by_role("link", name="Un soin est bloqué")
    revisit_until(night, home.origin, blocked)
    blocked.click()
    night.get_by_label("Laboratoire").check()
    night.get_by_role("button", name="Le noter").click()
    expect(night.locator("h1")).to_have_text("Laboratoire")
    expect(night.get_by_text("Noté à")).to_be_visible()
    expect(night.get_by_role("link", name="04 000 00 12")).to_have_attribute("href", "tel:040000012")
    expect(night.get_by_role("link", name="0470 00 00 01")).to_be_visible()
    context.close()

    expect(director.get_by_role("link", name="Un soin est bloqué : Laboratoire")).to_have_attribute(
        "href", "/reopening#door-lab", timeout=LIVE
    )


def test_whoever_came_with_the_link_reports_until_there_are_accounts(
    chromium: Browser, home: Home, page: Page
) -> None:
    home.contain()
    expect(page.get_by_role("link", name="Un soin est bloqué")).to_be_visible(timeout=LIVE)
    page.get_by_role("link", name="Un soin est bloqué").click()
    page.get_by_label("Autre chose").check()
    page.get_by_label("Quoi d'autre").fill("l'ascenseur")
    page.get_by_label("Votre nom").fill("Anne")
    page.get_by_role("button", name="Le noter").click()
    expect(page.locator("h1")).to_have_text("l'ascenseur")
    expect(page.get_by_text("Noté à")).to_be_visible()


def test_an_observer_is_told_the_numbers(chromium: Browser, home: Home) -> None:
    home.contain()
    with looking(chromium) as page:
        sign_in(page, home, "region", Role.REGION)
        revisit_until(page, f"{home.origin}/care", page.get_by_role("link", name="04 000 00 12"))
        expect(page.locator("form")).to_have_count(0)
        page.goto(home.origin)
        expect(page.locator("h1")).to_contain_text("confiné")
        expect(page.get_by_role("link", name="Un soin est bloqué")).to_have_count(0)
        expect(page.get_by_role("link", name="Couper le site")).to_have_count(0)
        page.goto(f"{home.origin}/contain")
        expect(page.get_by_role("alert")).to_contain_text("regarde seulement")
