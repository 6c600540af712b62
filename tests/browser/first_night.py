"""The first night of somebody new on duty: a message wakes them; they understand, cut, print, ask for help, hand over.

The message is a real one: the guard decides it, the teller hands it to a modem (a simulated one), and the answer by
text takes the alert. Run it to take the pictures of docs/operating/first-night.*.md anew:
``PYTHONPATH=tests .venv/bin/python tests/browser/first_night.py``.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, expect, sync_playwright

from adapters.tell.simulated import SimulatedModem
from browser.home import CHROMIUM, Home, finding
from browser.home import home as site
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import serve
from rempart.adapters.tell.modem import GsmModem
from rempart.adapters.tell.spool import Spool
from rempart.console.app import COOKIE
from rempart.detection.finding import Kind
from rempart.messages import FromTeller
from rempart.site.language import Language
from rempart.site.telling import Channel, Modem, Recipient, Telling
from rempart.station import teller as tellers
from rempart.station.hearing import Hearing
from rempart.station.teller import Teller
from rempart.telling import pdu
from telling.test_pdu import as_delivered

PICTURES = Path("docs/operating/first-night")
LANGUAGES = (Language.FRENCH, Language.ENGLISH)

_PHONE = "+32470000001"
_TELEPHONE = {"width": 390, "height": 780}
_WAIT = 30.0


@dataclass(slots=True)
class Night:
    """A home that sends messages, a telephone, and whoever holds it."""

    home: Home
    modem: SimulatedModem
    page: Page
    keep: Callable[[str, Page], None]
    """Keeps the picture of a step."""

    def wake(self) -> str:
        """Records seem to leave; the text message that arrives."""
        self.home.see(finding(Kind.RECORDS))
        self._until(lambda: self.modem.sent)
        self._until(lambda: self.home.guard.status().alerts[0].told)
        message = "".join(pdu.delivered(as_delivered(each)).text for _, each in self.modem.sent)
        (alert,) = self.home.guard.state.alerts.values()
        assert alert.code in message
        (part,) = pdu.submit(_PHONE, f"OK {alert.code}", 1)
        self.modem.inbox = {1: as_delivered(part.hexadecimal)}
        self._until(lambda: self.home.guard.status().alerts[0].taken_by == "duty")
        return message

    def understand(self) -> None:
        """The first sentence, and what seems to happen."""
        self.page.goto(self.home.origin)
        expect(self.page.locator(".said")).to_be_visible()
        self.keep("1-understand", self.page)

    def contain(self) -> None:
        """Read what will stop, press again, see that it was checked."""
        self.page.locator("#contain").click()
        self.keep("2-what-stops", self.page)
        self.page.locator("form button.big").click()
        self.page.locator("#proof.good").wait_for()
        assert self.home.guard.state.contained
        self.keep("3-cut", self.page)

    def print_numbers(self) -> None:
        """The page on paper: what to use instead, whom to call."""
        self.page.emulate_media(media="print")
        expect(self.page.get_by_text("0470 00 00 01").first).to_be_visible()
        self.keep("4-numbers", self.page)
        self.page.emulate_media(media="screen")

    def ask_for_help(self) -> None:
        """Care is blocked: what, and what to use instead."""
        self.page.locator("#care").click()
        self.page.locator("#blocked-lab").check()
        self.page.locator("main form button.big").click()
        expect(self.page.locator(".lead")).to_contain_text("✓")
        self.keep("5-care-is-blocked", self.page)

    def hand_over(self, technician: Page) -> None:
        """The technician opens the same page, and finds what was done and what is blocked."""
        technician.goto(self.home.origin)
        expect(technician.locator("main")).to_contain_text("Laboratoire")
        assert [each.service for each in self.home.guard.status().care.troubles] == ["lab"]
        self.keep("6-hand-over", technician)

    def _until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + _WAIT
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(0.05)


@contextmanager
def night(
    browser: Browser, language: Language, keep: Callable[[str, Page], None]
) -> Iterator[tuple[Night, Page]]:
    """A night in that language, and the technician's page."""
    modem = SimulatedModem()
    recipient = Recipient(role="duty", language=language, text=_PHONE)
    telling = Telling(recipients=(recipient,), modem=Modem(device=modem.device))
    with tempfile.TemporaryDirectory(prefix="rempart-") as folder:
        home = Home(Path(folder), site=replace(site(), telling=telling)).start()
        telling_task = asyncio.run_coroutine_threadsafe(_tell(home), home.loop)
        pages = []
        for person, role in (("anne", Role.DUTY), ("tom", Role.TECHNICIAN)):
            context = browser.new_context(locale=language.value, viewport=_TELEPHONE)  # type: ignore[arg-type]
            cookie = {"name": COOKIE, "value": home.signed_in(person, role), "url": home.origin}
            context.add_cookies([cookie])  # type: ignore[list-item]
            pages.append(context.new_page())
        try:
            yield Night(home, modem, pages[0], keep), pages[1]
        finally:
            for page in pages:
                page.context.close()
            telling_task.cancel()
            home.stop()
            modem.close()


async def _tell(home: Home) -> None:
    """The teller, over its own socket."""
    door = await serve(
        home.places.teller_socket,
        mode=0o600,
        allowed_uids={os.geteuid()},
        incoming=FromTeller,
        handler=Hearing(home.guard).teller,
    )
    assert home.site.telling.modem
    modem = GsmModem(home.site.telling.modem)
    teller = Teller(home.site, Spool(home.places.spool), {Channel.TEXT: modem}, SystemClock())
    try:
        await asyncio.gather(teller.listen(home.places), teller.send(Channel.TEXT), teller.reply(modem))
    finally:
        await door.close()


def walk(browser: Browser, language: Language, keep: Callable[[str, Page], None]) -> str:
    """The whole night; the message that began it."""
    tellers.LISTEN = tellers.SELDOM = 0.2  # nobody sleeps here
    with night(browser, language, keep) as (tonight, technician):
        message = tonight.wake()
        tonight.understand()
        tonight.contain()
        tonight.print_numbers()
        tonight.ask_for_help()
        tonight.hand_over(technician)
    return message


def take() -> None:
    """Take the pictures, and say the messages."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-lcd-text"]
        )
        for language in LANGUAGES:

            def keep(step: str, page: Page, language: Language = language) -> None:
                page.screenshot(path=PICTURES / f"{step}.{language}.png", clip=_frame(page), full_page=True)

            print(walk(browser, language, keep))
        browser.close()


def _frame(page: Page) -> FloatRect:
    """The page down to where a telephone has been scrolled twice."""
    high = page.evaluate("document.fonts.ready.then(() => document.documentElement.scrollHeight)")
    return {"x": 0, "y": 0, "width": _TELEPHONE["width"], "height": min(high, 1400)}


if __name__ == "__main__":
    take()
