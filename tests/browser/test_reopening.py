"""A door opens again in a real browser: a technician asks, a second person approves, the technician opens."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browser.conftest import looking
from browser.home import Home
from browser.test_accounts import enrol, fits, with_authenticator
from rempart.accounts.person import Role
from rempart.containment.limits import Limits
from rempart.engine import orders
from rempart.engine.orders import GateAnswer
from rempart.site.opening import OpeningState

pytestmark = pytest.mark.browser

DOOR = "ehealth-platform"


@pytest.fixture
def technician(chromium: Browser, home: Home) -> Iterator[Page]:
    with looking(chromium) as page:
        come_in(page, home, "tech", Role.TECHNICIAN)
        yield page


@pytest.fixture
def approver(chromium: Browser, home: Home) -> Iterator[Page]:
    with looking(chromium) as page:
        come_in(page, home, "anne", Role.APPROVER)
        yield page


def come_in(page: Page, home: Home, person: str, role: Role) -> None:
    page.goto(f"{home.origin}/sign-in?lang=en")
    with_authenticator(page)
    enrol(page, home, person, role)
    page.goto(f"{home.origin}/sign-in")
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.locator("header .account")).to_have_text(person)


def door(page: Page, home: Home) -> Locator:
    page.goto(f"{home.origin}/reopening#door-{DOOR}")
    return page.locator(f"#door-{DOOR}")


def ask_to_open(page: Page, home: Home, button: str) -> None:
    there = door(page, home)
    there.locator("summary", has_text="Open on trial").click()
    there.get_by_role("button", name=button).click()


def stand(home: Home) -> OpeningState:
    return home.guard.state.doors[DOOR].stand.state


def test_a_technician_asks_a_second_person_approves_and_the_door_opens(
    technician: Page, approver: Page, home: Home
) -> None:
    home.contain()
    for gate in ("cut-verified", "filter"):
        answer = orders.AnswerGate(
            by="tech", opening=DOOR, gate=gate, answer=GateAnswer.YES, proof="seen in a test"
        )
        home.local(answer)
    technician.goto(home.origin)  # which follows: the console hears of the cut a moment after the guard
    expect(technician.locator(".stance")).to_have_class(re.compile("contained"))
    there = door(technician, home)
    there.locator("summary", has_text="Note a proof").click()
    there.get_by_label("What was checked, and how").fill("prescriptions go through it")
    there.get_by_role("button", name="Note a proof").click()
    technician.get_by_role("button", name="Use my passkey").click()
    expect(technician.locator(f"#door-{DOOR}")).to_contain_text("prescriptions go through it")

    ask_to_open(technician, home, "What would happen?")
    expect(technician.locator("#foreseen")).to_contain_text("gate A second person agrees has not passed")
    expect(technician.locator("#foreseen")).to_contain_text("Nothing has been changed.")
    ask_to_open(technician, home, "Open on trial")
    technician.get_by_role("button", name="Use my passkey").click()
    expect(technician.get_by_role("alert")).to_contain_text("gate A second person agrees has not passed")
    assert stand(home) is OpeningState.CLOSED

    there = door(approver, home)
    expect(there.get_by_role("button", name="Open on trial")).to_have_count(0)
    there.locator("summary", has_text="Approve as the second person").click()
    there.get_by_label("What you looked at before agreeing").fill("read every proof")
    there.get_by_role("button", name="Approve as the second person").click()
    approver.get_by_role("button", name="Use my passkey").click()
    expect(approver.locator(f"#door-{DOOR}")).to_contain_text("read every proof")
    assert stand(home) is OpeningState.CLOSED

    ask_to_open(technician, home, "What would happen?")
    expect(technician.locator("#foreseen")).to_contain_text("closed → filtered")
    assert stand(home) is OpeningState.CLOSED
    ask_to_open(technician, home, "Open on trial")
    technician.get_by_role("button", name="Use my passkey").click()
    expect(technician.locator(f"#door-{DOOR}")).to_contain_text("left, until")
    assert stand(home) is OpeningState.FILTERED

    door(technician, home).get_by_role("button", name="Close again").click()
    expect(technician.locator(f"#door-{DOOR} h2")).to_contain_text("closed")
    assert stand(home) is OpeningState.CLOSED


def test_a_technician_lets_a_supplier_in_to_one_machine(technician: Page, home: Home) -> None:
    technician.goto(f"{home.origin}/reopening")
    there = technician.locator("#door-remote-maintenance")
    there.locator("summary", has_text="Let a supplier in").click()
    there.get_by_label("Who comes in").fill("J. Peeters (Beds Ltd)")
    there.get_by_label("The address they come from").fill("198.51.100.18")
    there.get_by_label("The only machines they reach").fill("care-server")
    there.get_by_label("Reason").fill("the bed sensors are mute")
    fits(technician)
    there.get_by_role("button", name="Let a supplier in").click()
    expect(technician.locator("main")).to_contain_text("care-server")
    technician.get_by_role("button", name="Use my passkey").click()
    expect(technician.locator("#door-remote-maintenance")).to_contain_text("to 10.0.2.10 only")
    stand = home.guard.state.doors["remote-maintenance"].stand
    assert stand.limits == Limits(source="198.51.100.18", hosts=("10.0.2.10",))


def test_it_fits(technician: Page, home: Home) -> None:
    home.contain()
    technician.goto(home.origin)
    expect(technician.locator(".stance")).to_have_class(re.compile("contained"))
    door(technician, home)
    fits(technician)
