"""The technician's pages in a real browser: real lines, a real watch and guard, an exception made with a passkey."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import LIVE, looking, sign_in
from browser.home import DESCRIPTION, Home
from browser.survey import width_of
from browser.test_accounts import desk, enrol, with_authenticator
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import Listener, serve
from rempart.engine.inputs import Ticked
from rempart.engine.timekeeping import Reckoning
from rempart.instants import as_datetime, hours
from rempart.messages import FromWatch
from rempart.station.hearing import Hearing

pytestmark = pytest.mark.browser

__all__ = ["desk"]  # the fixture

RULE = """\
title: Environment file asked for
id: 5b1f8a3e-0000-4000-8000-000000000001
level: high
tags: [attack.t1190]
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|contains: /.env}
  condition: asked
"""


def line(path: str, client: str) -> bytes:
    moment = f"{as_datetime(SystemClock().now()):%d/%b/%Y:%H:%M:%S} +0000"
    return f'{client} - anne [{moment}] "GET {path} HTTP/1.1" 404 512 "-" "curl" "portal.example"\n'.encode()


@pytest.fixture
def log(home: Home) -> Iterator[Path]:
    """The portal's log, followed by a watch that speaks with the home's guard."""
    path, rules = home.folder / "portal.log", home.folder / "rules"
    rules.mkdir()
    (rules / "env.yml").write_text(RULE)
    path.touch()
    site = home.folder / "site.toml"
    site.write_text(f'{DESCRIPTION.read_text()}\n[[logs]]\npath = "{path}"\ndecoder = "nginx"\n')

    async def opened() -> Listener:
        return await serve(
            home.places.watch_socket,
            mode=0o600,
            allowed_uids={os.getuid()},
            incoming=FromWatch,
            handler=Hearing(home.guard).watch,
        )

    door: Listener = home._call(opened()).result(10)  # type: ignore[assignment]  # any coroutine
    command = [sys.executable, "-m", "rempart.station.watch", "--site", site, "--state", home.folder]
    watch = subprocess.Popen([*command, "--run", home.folder, "--rules", rules])
    deadline = time.monotonic() + 60
    while not home.places.inquiry_socket.exists():
        assert time.monotonic() < deadline, "watch did not start"
        assert watch.poll() is None, "watch ended"
        time.sleep(0.05)
    yield path
    watch.terminate()
    assert watch.wait(60) == 0
    home._call(door.close()).result(10)


def append(log: Path, *lines: bytes) -> None:
    with log.open("ab") as file:
        file.write(b"".join(lines))


def until_shown(page: Page, address: str, text: str) -> None:
    """Look again until the page says it."""
    for _ in range(LIVE // 100):
        page.goto(address)
        if text in page.locator("main").inner_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"it never said {text!r}: {page.locator('main').inner_text()}")


def test_an_exception_is_tried_made_with_a_passkey_hides_and_is_ended(
    desk: Page, home: Home, log: Path
) -> None:
    append(log, line("/.env", "198.51.100.7"), line("/.env", "198.51.100.8"))
    with_authenticator(desk)
    enrol(desk, home, "tech", Role.TECHNICIAN)
    desk.get_by_role("link", name="Sign in").click()
    desk.get_by_role("button", name="Use my passkey").click()
    desk.locator("#proof").wait_for()
    until_shown(desk, f"{home.origin}/findings", "findings: 2")
    desk.locator(".bunches a").first.click()
    expect(desk.locator("main")).not_to_contain_text("anne")

    desk.get_by_label("c-ip = 198.51.100.7").check()
    desk.get_by_label("Why it is normal").fill("Our own scanner, every night")
    desk.get_by_role("button", name="Show what it would have hidden").click()
    expect(desk.locator(".tried")).to_contain_text("it would have hidden 1.")
    desk.get_by_role("button", name="Make the exception").click()
    expect(desk.locator("main")).to_contain_text("c-ip = 198.51.100.7")
    desk.locator("main button").first.click()
    expect(desk.locator("h1")).to_have_text("Exceptions")
    until_shown(desk, f"{home.origin}/exceptions", "holds")
    (held,) = home.guard.state.taming.held.values()
    assert (held.by, held.reason) == ("tech", "Our own scanner, every night")

    append(log, line("/x/.env", "198.51.100.7"), line("/x/.env", "198.51.100.9"))
    until_shown(desk, f"{home.origin}/findings", "findings: 3")
    until_shown(desk, f"{home.origin}/exceptions", "Hid something 1 times")
    desk.get_by_role("button", name="End it now").click()
    until_shown(desk, f"{home.origin}/exceptions", "There is no exception")
    assert not home.guard.state.taming.held


def test_others_may_look_and_are_offered_nothing(chromium: Browser, home: Home, log: Path) -> None:
    append(log, line("/.env", "198.51.100.7"))
    for role in (Role.APPROVER, Role.PRIVACY_OFFICER):
        with looking(chromium) as page:
            sign_in(page, home, role, role)
            until_shown(page, f"{home.origin}/findings?lang=en", "findings: 1")
            page.locator(".bunches a").first.click()
            expect(page).to_have_url(re.compile("/findings/.+"))
            expect(page.locator("h1")).to_be_visible()
            assert page.get_by_role("button", name="Make").count() == 0
            assert page.locator("form").count() == 0


def test_those_whom_it_does_not_concern_see_nothing(chromium: Browser, home: Home) -> None:
    for role in (Role.DUTY, Role.OBSERVER, Role.REGION):
        with looking(chromium) as page:
            sign_in(page, home, role, role)
            for address in ("/findings", "/exceptions"):
                answer = page.goto(f"{home.origin}{address}")
                assert answer
                assert answer.status == 403


def test_it_is_read_on_a_phone_and_by_keyboard(chromium: Browser, home: Home, log: Path) -> None:
    append(log, line("/.env", "198.51.100.7"))
    context = chromium.new_context(locale="fr-BE", viewport={"width": 360, "height": 800})
    page = context.new_page()
    sign_in(page, home, "tech", Role.TECHNICIAN)
    until_shown(page, f"{home.origin}/findings", "constats\u00a0: 1")
    shots = os.environ.get("REMPART_SHOTS")
    for number, address in enumerate(
        ("/findings", page.locator(".bunches a").first.get_attribute("href"), "/exceptions")
    ):
        page.goto(f"{home.origin}{address}")
        assert width_of(page) <= 360
        if shots:
            page.screenshot(path=f"{shots}/phone-{number}.png", full_page=True)
    context.close()


def test_after_the_clock_leapt_a_technician_says_with_a_passkey_that_the_date_is_right(
    desk: Page, home: Home
) -> None:
    with_authenticator(desk)
    enrol(desk, home, "tech", Role.TECHNICIAN)
    desk.get_by_role("link", name="Sign in").click()
    desk.get_by_role("button", name="Use my passkey").click()
    desk.locator("#proof").wait_for()
    for lived in (
        hours(24 * 60),
        hours(24 * 30),
    ):  # the second time it has lived a month less than its clock says
        home.tell(Ticked(SystemClock().now(), Reckoning(lived=lived)))

    desk.get_by_role("link", name="Say whether the date of the station is right").click()
    expect(desk.locator("#clock")).to_contain_text("Compare with another clock")
    for width in (360, 1360):
        desk.set_viewport_size({"width": width, "height": 900})
        assert width_of(desk) <= width
    desk.get_by_label("What you compared it with").fill("the radio's signal")
    desk.get_by_role("button", name="The date is right").click()
    expect(desk.locator("main")).to_contain_text("the radio's signal")
    desk.get_by_role("button", name="Use my passkey").click()
    expect(desk.locator("h1")).to_have_text("Health")
    expect(desk.locator("#clock")).to_have_count(0)
    assert home.guard.state.timekeeping.leapt is None
