"""The web application: who gets in, what its headers forbid, and that the cut needs its form."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from rempart.console.access import Access
from rempart.console.app import COOKIE, STATIC, Console
from rempart.console.feed import Feed
from rempart.instants import Instant
from rempart.messages import Posture, Status
from rempart.site.site import Site

NAME = "127.0.0.1:8440"


class Stopped:
    """A clock that stands."""

    def __init__(self, now: Instant) -> None:
        self._now = now

    def now(self) -> Instant:
        return self._now


class Visit:
    """A browser of one tester: asks, and keeps cookies."""

    def __init__(self, console: Console, links: list[str]) -> None:
        self.app = console.app(frozenset({NAME}))
        self.console = console
        self.links = links
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=f"http://{NAME}", cookies=self.cookies
            ) as client:
                return await client.request(method, path, **options)  # type: ignore[arg-type]  # passed through

        answer = asyncio.run(go())
        self.cookies |= dict(answer.cookies)
        return answer

    def enter(self) -> httpx.Response:
        return self.ask("GET", f"/enter?token={self.links[-1]}")


@pytest.fixture
def visit(site: Site, make: Callable[..., Status], now: Instant, tmp_path: Path) -> Visit:
    links: list[str] = []
    clock = Stopped(now)
    feed = Feed(tmp_path / "no.sock", clock)
    feed.status = make()
    return Visit(Console(site=site, feed=feed, access=Access(publish=links.append), clock=clock), links)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/contain"), ("POST", "/contain"), ("GET", "/events")]
)
def test_nothing_is_shown_without_a_session(visit: Visit, method: str, path: str) -> None:
    answer = visit.ask(method, path)
    assert answer.status_code == 403
    assert "Tilleuls" not in answer.text


def test_the_link_is_exchanged_once_for_a_strict_cookie(visit: Visit) -> None:
    answer = visit.enter()
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert visit.ask("GET", "/").status_code == 200
    assert visit.ask("GET", f"/enter?token={visit.links[0]}").status_code == 403


def test_a_forged_cookie_buys_nothing(visit: Visit) -> None:
    visit.cookies[COOKIE] = "x" * 43
    assert visit.ask("GET", "/").status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:8440", ""]
)
def test_a_foreign_name_is_refused(visit: Visit, host: str) -> None:
    visit.enter()
    assert visit.ask("GET", "/", headers={"host": host}).status_code == 421


def test_every_answer_is_strict(visit: Visit) -> None:
    for answer in (
        visit.ask("GET", "/"),
        visit.enter(),
        visit.ask("GET", "/static/live.js"),
        visit.ask("GET", "/nothing"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_pages_ask_for_nothing_outside(visit: Visit) -> None:
    visit.enter()
    for text in (
        visit.ask("GET", "/").text,
        visit.ask("GET", "/contain").text,
        *(f.decode() for f in STATIC.values() if b"\0" not in f),
    ):
        assert "http://" not in text
        assert "https://" not in text
        assert "style=" not in text


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.css"])
def test_only_our_own_files_are_served(visit: Visit, path: str) -> None:
    assert visit.ask("GET", f"/static/{path}").status_code == 404


def form(visit: Visit, **changed: str) -> dict[str, str]:
    text = visit.ask("GET", "/contain").text
    return {"csrf": text.split('name="csrf" value="')[1].split('"')[0], "by": "Anne", "reason": ""} | changed


def test_a_form_without_its_token_orders_nothing(visit: Visit) -> None:
    visit.enter()
    assert visit.ask("POST", "/contain", data=form(visit, csrf="x")).status_code == 403
    assert visit.ask("POST", "/contain", data={"by": "x" * 9000}).status_code == 403
    assert visit.ask("POST", "/contain", content=b"\xff\xfe").status_code == 403


def test_a_form_from_another_origin_orders_nothing(visit: Visit) -> None:
    visit.enter()
    foreign = {"origin": "http://evil.example"}
    assert visit.ask("POST", "/contain", data=form(visit), headers=foreign).status_code == 403


def test_without_a_guard_the_cut_says_that_nothing_was_cut(visit: Visit) -> None:
    visit.enter()
    answer = visit.ask("POST", "/contain", data=form(visit))
    assert answer.status_code == 503
    assert "rien n&#39;a été coupé" in answer.text
    assert "débranchez le câble" in answer.text


def test_the_language_asked_for_is_kept(visit: Visit) -> None:
    visit.enter()
    assert '<html lang="nl">' in visit.ask("GET", "/?lang=nl").text
    assert '<html lang="nl">' in visit.ask("GET", "/contain", headers={"accept-language": "de"}).text


def test_the_page_follows_the_feed(visit: Visit, make: Callable[..., Status]) -> None:
    visit.enter()
    visit.console.feed.status = make(Posture.CONTAINED)
    assert "Le site est confiné depuis vendredi" in visit.ask("GET", "/").text
    visit.console.feed.status = None
    assert "Nous ne savons pas" in visit.ask("GET", "/").text
