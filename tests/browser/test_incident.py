"""Incidents in a real browser: a privacy officer works on one, without script; a ward's screen is shown no name."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pypdf import PdfReader

from browser.conftest import revisit_until
from browser.home import Home, finding
from rempart.accounts.person import Role
from rempart.console.app import COOKIE
from rempart.detection.finding import Kind
from rempart.site.language import Language

pytestmark = pytest.mark.browser


TITLES = ("Plainte", "Klacht", "Anzeige", "Complaint")
"""Of the complaint, in the order of the languages."""


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A desk's browser, in French, without script: writing down must not need any."""
    made = chromium.new_context(
        locale="fr-BE", viewport={"width": 1360, "height": 900}, java_script_enabled=False
    )
    yield made
    made.close()


def visit(context: BrowserContext, home: Home, person: str, *roles: Role) -> Page:
    secret = home.signed_in(person, *roles)
    context.add_cookies([{"name": COOKIE, "value": secret, "url": home.origin}])
    page = context.new_page()
    revisit_until(page, f"{home.origin}/incidents", page.locator(".list a"))
    page.locator(".list a").first.click()
    return page


def attacked(home: Home) -> None:
    home.see(finding(Kind.RECORDS, account="anne.dupont"))
    home.contain()


def test_the_privacy_officer_answers_qualifies_and_attaches(
    context: BrowserContext, home: Home, tmp_path: Path
) -> None:
    attacked(home)
    page = visit(context, home, "claire", Role.PRIVACY_OFFICER)
    expect(page.get_by_role("img", name="Comment les portes")).to_be_visible()
    expect(page.locator("#duties")).to_contain_text("Aucune horloge ne tourne")
    page.get_by_text("Dire ce que l'on en pense").click()
    page.get_by_label("Auteur").select_option("external")
    page.locator("#q-reason").fill("une adresse étrangère")
    page.locator("#qualification button").click()
    expect(page.locator("#qualification")).to_contain_text("une adresse étrangère")
    for question in ("personal-data-breach", "risk-to-persons"):
        asked = page.locator(".asked").filter(has=page.locator(f'input[value="{question}"]'))
        asked.locator("summary").click()
        asked.get_by_label("Réponse").select_option("yes")
        asked.get_by_role("button").click()
    expect(page.locator("#duties")).to_contain_text("encore")
    kept = tmp_path / "écran.txt"
    kept.write_text("<script>document.title = 'owned'</script>")
    page.get_by_label("Fichier", exact=True).set_input_files(kept)
    page.get_by_role("button", name="Joindre, et sceller").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="écran.txt").click()
    assert download.value.suggested_filename == "écran.txt"
    assert Path(download.value.path()).read_text() == kept.read_text()


@pytest.mark.parametrize(("language", "title"), list(zip(Language, TITLES, strict=True)))
def test_those_who_check_save_the_complaint_and_the_timeline_to_print(
    context: BrowserContext, home: Home, language: Language, title: str
) -> None:
    attacked(home)
    page = visit(context, home, "claire", Role.PRIVACY_OFFICER)
    page.goto(f"{page.url}?lang={language.value}")
    links = page.locator("a[href*='/papers/']").filter(has_text="PDF")
    expect(links).to_have_count(2)
    for link in links.all():
        with page.expect_download() as download:
            link.click()
        made = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename.endswith(f".{language.value}.pdf")
        text = "".join(each.extract_text() for each in PdfReader(BytesIO(made)).pages)
        assert "person-" in text
        assert "anne.dupont" not in text
    assert title in text


def test_a_ward_screen_tells_the_story_without_names_or_clocks(context: BrowserContext, home: Home) -> None:
    attacked(home)
    page = visit(context, home, "nuit", Role.DUTY)
    expect(page.locator("main")).to_contain_text("Les liaisons vers l'extérieur ont été coupées")
    text = page.locator("main").inner_text()
    assert page.locator("main a[href*='/papers/']").count() == 0
    for hidden in ("Direction", "anne.dupont", "10.0.1.12", "203.0.113.66", "RGPD", "Personnes concernées"):
        assert hidden not in text, hidden
    page.get_by_label("Noter quelque chose").fill("l'imprimante du premier est lente")
    page.get_by_role("button", name="Inscrire au journal").click()
    expect(page.locator("main")).to_contain_text("l'imprimante du premier est lente")
