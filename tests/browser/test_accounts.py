"""Accounts in a real browser with a virtual authenticator: enrolling, signing in, confirming, looking right."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from browser.home import Home, finding
from browser.survey import width_of
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.detection.finding import Kind
from rempart.engine import orders

pytestmark = pytest.mark.browser

PASSWORD = "een korte zin is goed"


@pytest.fixture
def desk(chromium: Browser, home: Home) -> Iterator[Page]:
    """A desk's browser, in English, without a session, whose script errors and refused resources fail the test."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None
    )
    yield page
    context.close()
    assert wrong == []


def with_authenticator(page: Page, *, verified: bool = True) -> tuple[CDPSession, str]:
    """Plug a security key into this browser: one that asks for a finger, which is there or not."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    key = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": verified,
            }
        },
    )
    return session, key["authenticatorId"]


def enrol(page: Page, home: Home, person: str, *roles: Role, passkey: bool = True) -> str:
    """Use the one-time link as its person does; the generator's secret."""
    done = home.local(orders.EnrolPerson(by="root", person=person, name="Anne Dupont", roles=list(roles)))
    page.goto(f"{home.origin}/link?secret={done.handed}")
    page.get_by_label("New password").fill(PASSWORD)
    secret = page.locator("p.code").inner_text().replace(" ", "")
    page.get_by_label("The six digits it shows now").fill(code(secret))
    if passkey:
        page.get_by_label("A name for it").fill("key ring")
        page.get_by_role("button", name="Make a passkey").click()
        expect(page.locator("[data-made]")).to_be_visible()
    page.get_by_role("button", name="Keep these choices").click()
    expect(page.locator("h1")).to_contain_text("It is kept")
    expect(page.locator("li.code")).to_have_count(10)
    return secret


def code(secret: str, ahead: int = 0) -> str:
    return pyotp.TOTP(secret).at(SystemClock().now() // 1_000_000 + 30 * ahead)


def test_a_passkey_signs_in_and_confirms_an_order(desk: Page, home: Home) -> None:
    with_authenticator(desk)
    enrol(desk, home, "tech", Role.TECHNICIAN)
    desk.get_by_role("link", name="Sign in").click()
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.locator("h1")).to_have_text("All is well.")
    desk.get_by_role("link", name="tech", exact=True).click()
    form = desk.locator("form", has=desk.get_by_role("button", name="Make an account"))
    form.get_by_label("Name of the account").fill("night.nurse")
    form.get_by_label("First and last name").fill("Night <b>Nurse")
    form.get_by_label("on duty").check()
    form.get_by_role("button", name="Make an account").click()
    expect(desk.locator("dl")).to_contain_text("Night <b>Nurse")
    assert "night.nurse" not in home.guard.state.people
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.locator("#handed")).to_contain_text("/link?secret=")
    assert home.guard.state.people["night.nurse"].roles == {Role.DUTY}
    desk.goto(f"{home.origin}/people")
    expect(desk.locator("#account-night\\.nurse")).to_contain_text("has not used the link yet")
    desk.get_by_role("button", name="Sign out", exact=True).click()
    expect(desk.locator("h1")).to_have_text("Sign in")


def test_a_finger_that_is_not_there_confirms_nothing(desk: Page, home: Home) -> None:
    session, key = with_authenticator(desk)
    enrol(desk, home, "tech", Role.TECHNICIAN)
    desk.goto(f"{home.origin}/sign-in")
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.locator("h1")).to_have_text("All is well.")
    desk.goto(f"{home.origin}/people")
    desk.get_by_role("button", name="New code for the envelope").click()
    session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.get_by_role("alert")).to_contain_text("did not answer")
    assert not home.guard.reception.everybody().envelope


def test_an_attached_file_is_erased_by_a_passkey_and_not_before(
    desk: Page, home: Home, tmp_path: Path
) -> None:
    session, key = with_authenticator(desk)
    enrol(desk, home, "claire", Role.PRIVACY_OFFICER)
    desk.goto(f"{home.origin}/sign-in")
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.locator("h1")).to_have_text("All is well.")
    kept = home.guard.attachments
    assert kept
    home.see(finding(Kind.RECORDS))
    (incident,) = home.guard.status().incidents
    desk.goto(f"{home.origin}/incidents/{incident.id}")
    shot = tmp_path / "screen.txt"
    shot.write_text("somebody's file")
    sha256 = hashlib.sha256(shot.read_bytes()).hexdigest()
    desk.get_by_label("File", exact=True).set_input_files(shot)
    desk.get_by_role("button", name="Attach, and seal its hash").click()
    kept = home.guard.attachments
    assert kept
    for verified in (False, True):
        desk.get_by_text("Erase this file").click()
        desk.get_by_label("Why it must go").fill("it shows a resident")
        desk.get_by_role("button", name="Erase for good").click()
        expect(desk.locator("h1")).to_have_text("Erase an attached file for good")
        expect(desk.locator("dl")).to_contain_text(sha256)
        expect(desk.locator("dl")).to_contain_text("it shows a resident")
        session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": verified})
        desk.get_by_role("button", name="Use my passkey").click()
        if not verified:
            expect(desk.get_by_role("alert")).to_contain_text("did not answer")
            assert kept.holds(sha256)
            desk.get_by_role("link", name="No, go back").click()
    expect(desk.locator("main")).to_contain_text("Erased by claire")
    expect(desk.get_by_role("link", name="screen.txt")).to_have_count(0)
    assert not kept.holds(sha256)


def test_a_password_and_a_code_sign_in_without_script_and_cut(chromium: Browser, home: Home) -> None:
    plain = chromium.new_context(locale="nl-BE", java_script_enabled=False)
    page = plain.new_page()
    done = home.local(orders.EnrolPerson(by="root", person="anne", name="Anne", roles=[Role.DUTY]))
    page.goto(f"{home.origin}/link?secret={done.handed}")
    page.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
    secret = page.locator("p.code").inner_text().replace(" ", "")
    page.get_by_label("De zes cijfers van nu").fill(code(secret))
    page.get_by_role("button", name="Deze keuzes bewaren").click()
    printed = page.locator("li.code").first.inner_text()
    page.get_by_role("link", name="Aanmelden").click()
    page.get_by_label("Naam van de account").fill("anne")
    page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(printed.lower())
    page.get_by_role("button", name="Aanmelden").click()
    page.locator("#contain").click()
    page.locator("form button.big").click()
    expect(page).to_have_url(f"{home.origin}/")
    assert home.guard.state.contained
    plain.close()


def test_a_second_device_makes_a_passkey_and_what_it_refuses_to_sign_leads_back(
    desk: Page, chromium: Browser, home: Home
) -> None:
    with_authenticator(desk)
    enrol(desk, home, "tech", Role.TECHNICIAN)
    desk.goto(f"{home.origin}/sign-in")
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.locator("h1")).to_have_text("All is well.")
    desk.goto(f"{home.origin}/account")
    desk.get_by_role("button", name="Add a passkey").click()
    home.guard.reception._who._questions.clear()  # as if they had gone for a coffee
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.get_by_role("alert")).to_contain_text("Confirm the order again")
    expect(desk).to_have_url(f"{home.origin}/account")
    desk.get_by_role("button", name="Add a passkey").click()
    desk.get_by_role("button", name="Use my passkey").click()
    link = desk.locator("#handed").inner_text()
    context = chromium.new_context(locale="en-GB", viewport={"width": 390, "height": 800})
    telephone = context.new_page()
    with_authenticator(telephone)
    telephone.goto(link)
    telephone.get_by_label("A name for it").fill("telephone")
    telephone.get_by_role("button", name="Make the passkey").click()
    expect(telephone.get_by_role("status")).to_contain_text("is kept")
    telephone.goto(f"{home.origin}/sign-in")
    telephone.get_by_role("button", name="Use my passkey").click()
    expect(telephone.locator("h1")).to_have_text("All is well.")
    fits(telephone)
    telephone.goto(f"{home.origin}/account")
    telephone.get_by_role("button", name="Remove key ring").click()
    telephone.get_by_role("button", name="Use my passkey").click()
    expect(telephone.locator("h1")).to_have_text("Your own account")
    expect(telephone.locator("#content")).not_to_contain_text("key ring")
    fits(telephone)
    context.close()
    assert [each.label for each in home.guard.reception.everybody().people[0].passkeys] == ["telephone"]


def test_the_pages_of_accounts_fit(desk: Page, home: Home) -> None:
    with_authenticator(desk)
    enrol(desk, home, "tech", Role.TECHNICIAN)
    for path in ("/sign-in", "/people", "/account", "/masks", "/link?secret=x", "/passkey?secret=x"):
        desk.goto(f"{home.origin}{path}")
        if path == "/sign-in":
            fits(desk)
            desk.get_by_role("button", name="Use my passkey").click()
            expect(desk.locator("h1")).to_have_text("All is well.")
        fits(desk)


def fits(page: Page) -> None:
    """Nothing is wider than the page, at a desk and on a telephone, and every field has a label."""
    for width in (1360, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert width_of(page) <= width
    unlabelled = (
        "[...document.querySelectorAll('input:not([type=hidden])')].filter((e) => !e.labels.length).length"
    )
    assert page.evaluate(unlabelled) == 0
