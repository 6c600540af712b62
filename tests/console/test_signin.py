"""The console before a real guard: signing in, accounts, confirming with a passkey, forms without their token."""

import asyncio
import html
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx
import pyotp
import pytest

from engine.home import BROKEN_IN, SITE, STOLEN
from rempart.accounts.conversation import SessionAsked, Turned, Why
from rempart.accounts.person import Role
from rempart.accounts.session import IDLE
from rempart.console.access import Access
from rempart.console.app import COOKIE, Console
from rempart.console.feed import Feed
from rempart.engine import facts, orders
from rempart.engine.inputs import Found
from rempart.instants import Duration
from rempart.messages import FromConsole, OrderDone
from rempart.site.site import Site
from station.household import PASSWORD, Household, Inhabitant, household
from station.wrong_orders import FORGERIES

pytestmark = pytest.mark.edge

NAME = "localhost:8440"
STEP = Duration(30_000_000)
CONFIRM_AGAIN = "pas confirmé cet ordre-là"


class Browser:
    """A browser without script: follows nothing by itself, keeps cookies."""

    def __init__(self, console: Console, scheme: str = "http", links: Sequence[str] = ()) -> None:
        self.links = links
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=console.app(frozenset({NAME}))), base_url=f"{scheme}://{NAME}"
        )

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, fields: dict[str, object], **headers: str) -> httpx.Response:
        return await self.client.post(path, data=fields, headers=headers)

    async def enter(self) -> httpx.Response:
        """Come in by the one-time link, without an account."""
        return await self.get(f"/enter?token={self.links[-1]}")

    async def sign_in(self, person: Inhabitant, home: Household) -> httpx.Response:
        home.clock.pass_(STEP)
        fields = {"name": person.id, "password": PASSWORD, "code": person.code(home.clock)}
        return await self.post("/sign-in", fields)


def hidden(page: str, name: str) -> str:
    return html.unescape(page.split(f'name="{name}" value="')[1].split('"')[0])


Talk = Callable[[Household, Console, Browser], Awaitable[None]]


def visit(folder: Path, site: Site, talk: Talk, *, tls: bool = False, guarded: Site = SITE) -> None:
    async def life() -> None:
        async with household(folder, site=guarded) as home:
            feed = Feed(folder / "console", home.clock)
            links: list[str] = []
            access = Access(publish=links.append)
            console = Console(site=site, feed=feed, access=access, clock=home.clock, tls=tls)
            await talk(home, console, Browser(console, "https" if tls else "http", links))

    asyncio.run(life())


def test_somebody_signs_in_without_script_and_cuts(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        assert (await browser.get("/")).status_code == 403
        answer = await browser.sign_in(anne, home)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = (await browser.get("/contain")).text
        assert 'name="by"' not in page
        cut = await browser.post("/contain", {"csrf": hidden(page, "csrf"), "reason": "x"})
        assert cut.status_code == 303, cut.text
        assert home.guard.state.contained

    visit(tmp_path, site, talk)


def test_a_wrong_password_says_so_and_keeps_the_name(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        answer = await browser.post("/sign-in", {"name": "anne", "password": "x" * 12, "code": "1"})
        assert answer.status_code == 403
        assert 'value="anne"' in answer.text
        assert COOKIE not in answer.cookies
        assert "juste" in answer.text

    visit(tmp_path, site, talk)


def test_cookies_are_strict_and_over_tls_bound_to_the_host(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        answer = await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 2
        for cookie in cookies:
            assert cookie.startswith("__Host-rempart-")
            assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert answer.headers["strict-transport-security"] == "max-age=31536000"

    visit(tmp_path, site, talk, tls=True)


def test_the_link_enrols_without_script_and_shows_recovery_codes_once(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        made = await home.local(orders.EnrolPerson(by="root", person="anne", name="A", roles=[Role.DUTY]))
        assert isinstance(made, OrderDone)
        page = (await browser.get(f"/link?secret={made.handed}")).text
        secret = re.search(r'class="code">([A-Z2-7 ]+)<', page)
        assert secret
        code = pyotp.TOTP(secret[1].replace(" ", "")).at(home.clock.now() // 1_000_000)
        given = {name: hidden(page, name) for name in ("link", "handle", "passkey")}
        poor = await browser.post("/link", {**given, "password": "short", "code": code})
        assert poor.status_code == 403
        page = poor.text
        secret = re.search(r'class="code">([A-Z2-7 ]+)<', page)
        assert secret
        code = pyotp.TOTP(secret[1].replace(" ", "")).at(home.clock.now() // 1_000_000)
        given = {name: hidden(page, name) for name in ("link", "handle", "passkey")}
        kept = await browser.post("/link", {**given, "password": PASSWORD, "code": code})
        assert kept.status_code == 200
        codes = re.findall(r'<li class="code">([A-Z2-7-]{19})</li>', kept.text)
        assert len(codes) == 10
        assert (await browser.get(f"/link?secret={made.handed}")).status_code == 403
        fields = {"name": "anne", "password": PASSWORD, "code": codes[0]}
        assert (await browser.post("/sign-in", fields)).status_code == 303

    visit(tmp_path, site, talk)


def test_endless_digits_and_endless_brackets_are_answered_in_words(tmp_path: Path, site: Site) -> None:
    """Python refuses to read the first, msgspec the second, each with an error of its own."""

    async def talk(home: Household, console: Console, browser: Browser) -> None:
        endless = f"/findings/{'9' * 5_000}/{'0' * 16}"
        assert (await browser.get(endless)).status_code == 403
        await browser.sign_in(await home.enrol("tech", Role.TECHNICIAN), home)
        assert (await browser.get(endless)).status_code == 404
        token = hidden((await browser.get("/contain")).text, "csrf")
        deep = f'{{"type":"Contain","by":"tech","x":{"[" * 3_000}{"]" * 3_000}}}'
        answer = await browser.post("/confirm", {"csrf": token, "order": deep, "back": "/people"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/people")

    visit(tmp_path, site, talk)


def test_an_order_about_accounts_waits_for_the_passkey(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        await browser.sign_in(tech, home)
        csrf = hidden((await browser.get("/people")).text, "csrf")
        asked = {"csrf": csrf, "do": "enrol", "person": "marc", "name": "Marc", "roles": ["duty", "observer"]}
        page = (await browser.post("/people", asked)).text
        assert "marc" not in home.guard.state.people
        options = html.unescape(page.split('data-options="')[1].split('"')[0])
        given = {name: hidden(page, name) for name in ("csrf", "order", "handle")}
        signed = tech.passkey.signed(options)
        tampered = {**given, "order": given["order"].replace("observer", "technician"), "response": signed}
        refused = await browser.post("/confirm", {**tampered, "back": "/masks#top"})
        assert (refused.status_code, refused.headers["location"]) == (303, "/masks")
        assert CONFIRM_AGAIN in (await browser.get("/masks")).text
        assert CONFIRM_AGAIN not in (await browser.get("/masks")).text
        assert "marc" not in home.guard.state.people
        page = (await browser.post("/people", asked)).text
        options = html.unescape(page.split('data-options="')[1].split('"')[0])
        given = {name: hidden(page, name) for name in ("csrf", "order", "handle")}
        done = await browser.post("/confirm", {**given, "response": tech.passkey.signed(options)})
        assert re.search(r"http://localhost:8440/link\?secret=[A-Za-z0-9_-]{43}", done.text)
        assert home.guard.state.people["marc"].roles == {Role.DUTY, Role.OBSERVER}

    visit(tmp_path, site, talk)


def test_others_see_themselves_only(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne, _ = await home.enrol("anne", Role.DUTY), await home.enrol("marc", Role.TECHNICIAN)
        await browser.sign_in(anne, home)
        page = (await browser.get("/people")).text
        assert "marc" not in page
        assert 'value="enrol"' not in page
        csrf = hidden(page, "csrf")
        asked = {"csrf": csrf, "do": "disable", "person": "marc"}
        refused = await browser.post("/people", asked)
        assert (refused.status_code, refused.headers["location"]) == (303, "/people")
        assert "Vos rôles ne le permettent pas" in (await browser.get("/people")).text
        assert home.guard.state.people["marc"].enabled

    visit(tmp_path, site, talk)


def test_a_flood_of_strangers_keeps_no_session_open_that_is_signed_out(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        kept = browser.client.cookies[COOKIE]
        csrf = hidden((await browser.get("/people")).text, "csrf")
        while console.visitors.may_ask("127.0.0.1"):
            pass
        await browser.post("/sign-out", {"csrf": csrf})
        assert await home.ask(SessionAsked(session=kept)) == Turned(why=Why.ENDED)

    visit(tmp_path, site, talk)


def test_signing_out_ends_the_session_at_the_guard(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        await browser.sign_in(anne, home)
        csrf = hidden((await browser.get("/people")).text, "csrf")
        await browser.post("/sign-out", {"csrf": "x"})
        cookie = browser.client.cookies.get(COOKIE)
        assert cookie is None  # this browser forgets it, whatever the form held
        await browser.sign_in(anne, home)
        kept = browser.client.cookies[COOKIE]
        csrf = hidden((await browser.get("/people")).text, "csrf")
        await browser.post("/sign-out", {"csrf": csrf})
        browser.client.cookies.set(COOKIE, kept)
        assert (await browser.get("/")).status_code == 403

    visit(tmp_path, site, talk)


def test_a_session_ended_elsewhere_ends_here_within_seconds(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        assert (await browser.get("/")).status_code == 200
        await home.local(orders.EndSessions(by="root", person="anne"))
        home.clock.pass_(Duration(5_000_000))
        assert (await browser.get("/")).status_code == 403

    visit(tmp_path, site, talk)


def test_a_page_that_looks_by_itself_is_no_use_of_the_session(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        for _ in range(5):
            home.clock.pass_(Duration(IDLE // 4))
            answer = await browser.client.get("/", headers={"x-rempart-live": "1"})
        assert answer.status_code == 403

    visit(tmp_path, site, talk)


def test_two_persons_look_behind_a_mask(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await home.guard.ask(Found(home.clock.now(), BROKEN_IN))
        (incident,) = [each for each in home.guard.state.incidents.values() if each.accounts]
        privacy = await home.enrol("privacy", Role.PRIVACY_OFFICER)
        director = await home.enrol("director", Role.APPROVER)
        console.feed.status = home.guard.status()
        for person, do in ((privacy, "ask"), (director, "agree")):
            browser.client.cookies.clear()
            await browser.sign_in(person, home)
            page = (await browser.get("/masks")).text
            assert STOLEN not in page
            asked = {"csrf": hidden(page, "csrf"), "incident": incident.id, "do": do, "reason": "warn them"}
            assert ("warn them" in page) is (do == "agree")  # nobody agrees to what they do not know
            assert f'value="{do}"' in page
            assert 'value="read"' not in page
            early = await browser.post("/masks", {**asked, "do": "read"})
            assert early.status_code == 409
            page = (await browser.post("/masks", asked)).text
            options = html.unescape(page.split('data-options="')[1].split('"')[0])
            given = {name: hidden(page, name) for name in ("csrf", "order", "handle", "back")}
            done = await browser.post("/confirm", {**given, "response": person.passkey.signed(options)})
            assert (done.status_code, done.headers["location"]) == (303, "/masks"), done.text
            console.feed.status = home.guard.status()
        page = (await browser.get("/masks")).text
        assert 'value="read"' in page
        assert 'value="agree"' not in page
        shown = await browser.post("/masks", {**asked, "do": "read"})
        assert shown.status_code == 200
        assert STOLEN in shown.text

    visit(tmp_path, site, talk)


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/", "/people\r\nx: y", "/a/b/c", "people", ""]
)
def test_a_refused_order_leads_to_no_page_but_ours(back: str, tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        csrf = hidden((await browser.get("/people")).text, "csrf")
        refused = await browser.post("/confirm", {"csrf": csrf, "order": "{}", "back": back})
        assert (refused.status_code, refused.headers["location"]) == (303, "/people")

    visit(tmp_path, site, talk)


def test_somebody_changes_their_password_without_script(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        await browser.sign_in(anne, home)
        csrf = hidden((await browser.get("/account")).text, "csrf")
        home.clock.pass_(STEP)
        given = {"csrf": csrf, "password": "wrong", "code": anne.code(home.clock), "fresh": FRESH}
        assert (await browser.post("/account/password", given)).status_code == 403
        forged = {**given, "password": PASSWORD, "csrf": "x"}
        assert (await browser.post("/account/password", forged)).status_code == 303
        changed = await browser.post("/account/password", {**given, "password": PASSWORD})
        assert changed.status_code == 200, changed.text
        assert "changé" in changed.text
        assert (await browser.get("/account")).status_code == 200
        home.clock.pass_(STEP)
        again = {"name": "anne", "password": FRESH, "code": anne.code(home.clock)}
        assert (await browser.post("/sign-in", again)).status_code == 303

    visit(tmp_path, site, talk)


FRESH = "een andere korte zin"
FORMS = ("/contain", "/people", "/confirm", "/sign-out", "/masks", "/account", "/account/password")


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(("csrf", "headers"), [(csrf, headers) for _, csrf, headers in FORGERIES])
def test_a_form_without_its_token_or_from_elsewhere_does_nothing(
    path: str, csrf: str, headers: dict[str, str], tmp_path: Path, site: Site
) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        await browser.sign_in(tech, home)
        token = hidden((await browser.get("/people")).text, "csrf") if csrf == "right" else csrf
        order = orders.Contain(by="tech")
        fields = {"csrf": token, "do": "sign-out", "person": "tech", "order": json.dumps({"type": "Contain"})}
        before = home.guard.state
        await browser.post(path, {**fields, "by": order.by}, **headers)
        assert home.guard.state == before
        for kind in (facts.Contained, facts.SessionsEnded, facts.OrderDeclined):
            assert await home.sealed(kind) == []

    visit(tmp_path, site, talk)


class Counting(Feed):
    """Counts what the guard is asked."""

    asked = 0

    async def ask(self, question: FromConsole, patience: float = 0) -> object:
        Counting.asked += 1
        return await super().ask(question)


def test_strange_cookies_cost_the_guard_little(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        console.visitors.feed = Counting(console.feed.path, home.clock)
        for number in range(200):
            browser.client.cookies.set(COOKIE, f"strange-{number}")
            assert (await browser.get("/")).status_code == 403
        assert 0 < Counting.asked < 150

    visit(tmp_path, site, talk)
