"""Looking at every page of the console as everybody who may come sees it, and what is wrong with any.

Which pages there are the console's own routes say (`browser.pages`). Each is fetched for every visitor, in one state
in all four languages and in the others in French, and read: its language, its words. Many are the same page but for
their words: those whose elements and attributes agree are of one kind. axe looks at one of each kind, at telephone
width, and in the dark for contrast. Whether a page fits hangs on its words too, so that each kind is drawn in German
as well, whose words are the longest. The bench lets axe look at desk width too, and keeps what was drawn in
build/pictures, which git ignores.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from browser import axe
from browser.home import Home
from browser.pages import CONTAINED, LINK, STRANGER, VISITORS, State, address, paths
from rempart.accounts.person import Role
from rempart.console.app import COOKIE
from rempart.site.site import Language

PICTURES = Path(__file__).parents[2] / "build" / "pictures"

DESK = {"width": 1360, "height": 900}
TELEPHONE = {"width": 360, "height": 740}

EXPECTED = {200, 403, 404}
"""Whoever may not look gets a page as well."""

_MISSING = re.compile(r"\{[a-z_]+\}|\b[a-z]+(\.[a-z-]+)+ \([a-z_]*(=|\))")
"""A hole that nobody filled, or a sentence that has no words and shows its key instead (`Words.tell`)."""


def width_of(page: Page) -> int:
    """Pixels from side to side of what is drawn, once its style sheets have come: a page that a click brought shows its
    words before they have, and is as wide as its longest line."""
    page.wait_for_load_state()
    return int(page.evaluate("document.documentElement.scrollWidth"))


@dataclass(frozen=True, slots=True)
class Seen:
    """One page as one visitor got it."""

    path: str
    visitor: str
    language: Language
    state: str
    html: str

    @property
    def kinds(self) -> tuple[str, str]:
        """Of what stands around the page, and of the page: alike for those that differ in their words alone."""
        around, _, inside = self.html.partition("<main")
        return _bones(around), _bones(inside)

    @property
    def name(self) -> str:
        page = self.path.strip("/").replace("/", "-") or "duty"
        return f"{page}.{self.state}.{self.visitor}.{self.language}"


_OF_ONE_PAGE = re.compile(r' (value|id|href|lang|for|aria-current|data-[a-z]+)="[^"]*"')
"""Attributes in which pages of one kind differ."""


def _bones(html: str) -> str:
    tags = "".join(re.findall(r"<[^>]*>", html))
    return sha256(_OF_ONE_PAGE.sub("", tags).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Station:
    """A home in some state, and the cookie of everybody who may look."""

    home: Home
    state: State
    cookies: dict[str, str]

    def looks(self) -> Iterator[Seen]:
        """Every page, for everybody, in the languages of this state; the next is fetched while one is drawn."""
        languages = tuple(Language) if self.state is CONTAINED else (Language.FRENCH,)
        known = paths()
        with httpx.Client(base_url=self.home.origin) as client, ThreadPoolExecutor(1) as ahead:

            def fetch(wanted: tuple[str, str, Language]) -> Seen | None:
                where, visitor, language = wanted
                headers = {"cookie": f"{COOKIE}={self.cookies[visitor]}"}
                answer = client.get(where, params={"lang": language.value}, headers=headers)
                client.cookies.clear()
                if answer.is_redirect and answer.headers["location"] in known:
                    return None
                code = answer.status_code
                assert code in EXPECTED, f"{where} for {visitor}: {code}"
                return Seen(where, visitor, language, self.state.name, answer.text)

            every = product((address(path, self.home) for path in known), self.cookies, languages)
            yield from (seen for seen in ahead.map(fetch, every) if seen)


_DRAWN = (Language.FRENCH, Language.GERMAN)
"""Languages in which every kind of page is drawn; the others are read."""

_looked_at: set[object] = set()
"""Kinds of pages, and kinds in a language, that were looked at in an earlier state."""


def survey(browser: Browser, home: Home, state: State, *, desk: bool) -> list[str]:
    """Bring the home into that state and look; what is wrong, one line each.

    ``desk``: axe looks there as well, and pictures are kept.
    """
    station = settled(home, state)
    pages: dict[str, Page] = {}
    wrong: list[str] = []
    for seen in station.looks():
        wrong += misread(seen)
        kinds = set(seen.kinds) - _looked_at
        spoken = {(seen.language, kind) for kind in seen.kinds} - _looked_at
        if not spoken or (seen.language not in _DRAWN and not kinds):
            continue
        _looked_at.update(kinds, spoken)
        if seen.visitor not in pages:
            pages[seen.visitor] = page_of(browser, station, seen.visitor)
        wrong += look(pages[seen.visitor], home, seen, thoroughly=bool(kinds), desk=desk)
    for page in pages.values():
        page.context.close()
    return wrong


def settled(home: Home, state: State) -> Station:
    """Everybody has come; then it happens, and the console has heard of it."""
    cookies = {STRANGER: "", LINK: httpx.get(home.link()).cookies[COOKIE]}
    cookies |= {role: home.signed_in(role, Role(role)) for role in VISITORS if role not in cookies}
    state.come(home)
    _await_sentence(home, state.sentence, cookies[LINK])
    return Station(home, state, cookies)


def _await_sentence(home: Home, sentence: str, cookie: str) -> None:
    deadline = time.monotonic() + 60
    while sentence not in httpx.get(f"{home.origin}?lang=fr", headers={"cookie": f"{COOKIE}={cookie}"}).text:
        assert time.monotonic() < deadline, f"the console never said {sentence!r}"
        time.sleep(0.1)


def page_of(chromium: Browser, station: Station, visitor: str) -> Page:
    """A telephone of that visitor."""
    context = chromium.new_context(viewport=TELEPHONE)  # type: ignore[arg-type]  # two whole numbers
    if cookie := station.cookies[visitor]:
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": station.home.origin}])
    return context.new_page()


def misread(seen: Seen) -> list[str]:
    """What is wrong with a page before anybody draws it."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", seen.html, flags=re.DOTALL)
    faults = [f"no words: {found[0]}" for found in _MISSING.finditer(text)]
    if f'<html lang="{seen.language}"' not in seen.html:
        faults.append("not in the language that was asked for")
    return [f"{seen.name}: {fault}" for fault in faults]


_PROTRUDING = """[...document.querySelectorAll("main li > *")]
    .filter(each => !each.closest(".rooms") || innerWidth < 700)
    .filter(each => each.getBoundingClientRect().right > each.parentElement.getBoundingClientRect().right + 1)
    .map(each => each.textContent.trim())"""
"""What sticks out of its line of a list; the page itself may be no wider for it. Rooms are drawn on a desk, and their
list is there for screen readers alone."""


def look(page: Page, home: Home, seen: Seen, *, thoroughly: bool, desk: bool) -> list[str]:
    """What is wrong with a page as it is drawn: barriers, what does not fit, what is asked of others, what fails."""
    faults: list[str] = []

    def asked(request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(home.origin).netloc and not request.url.startswith(
            "data:"
        ):
            faults.append(f"asks {request.url}")

    def failed(error: Error) -> None:
        faults.append(f"script: {error}")

    def said(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    heard = {"request": asked, "pageerror": failed, "console": said}
    for event, listener in heard.items():
        page.on(event, listener)  # type: ignore[call-overload]  # one of the three
    page.emulate_media(color_scheme="light")
    page.goto(f"{home.origin}{seen.path}?lang={seen.language}")
    for size, name in ((TELEPHONE, "telephone"), (DESK, "desk")):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # two whole numbers
        if (wide := width_of(page)) > size["width"]:
            faults.append(f"{name}: {wide} px wide")
        faults += [f"{name}: sticks out: {text}" for text in page.evaluate(_PROTRUDING)]
        if desk:
            page.screenshot(path=PICTURES / f"{seen.name}.{name}.png", full_page=True)
        if thoroughly and (desk or name == "telephone"):
            faults += [f"{name}: {each}" for each in axe.barriers(page)]
    if thoroughly:
        page.emulate_media(color_scheme="dark")
        faults += [f"dark: {each}" for each in axe.pale(page)]
    for event, listener in heard.items():
        page.remove_listener(event, listener)
    return [f"{seen.name}: {fault}" for fault in faults]
