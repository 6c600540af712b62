"""Single sign-on before a real guard and a provider over real HTTP: who is let in, and what is not believed."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from console.test_signin import Browser
from rempart.accounts.conversation import IdentityAsked, IdentitySignIn, SessionOpened, Turned, Why
from rempart.accounts.credential import How
from rempart.accounts.identity import KEYS_LAST
from rempart.accounts.person import Role
from rempart.adapters import identity
from rempart.console.access import Access
from rempart.console.app import Console
from rempart.console.feed import Feed
from rempart.engine import facts, orders
from rempart.errors import InputRefused
from rempart.instants import minutes
from rempart.messages import Ordered as OrderSent
from rempart.messages import OrderRejected
from rempart.site.sign_on import SignOn
from rempart.site.site import Site
from station.household import Household, household
from station.provider import CLIENT, SECRET, OpenIdProvider, provider

pytestmark = pytest.mark.edge

Talk = Callable[[Household, OpenIdProvider, Browser], Awaitable[None]]


def visit(folder: Path, site: Site, talk: Talk) -> None:
    async def life() -> None:
        async with household(folder) as home:
            with provider(home.clock.now) as signs:
                (folder / "secret").write_text(f"{SECRET}\n")
                (folder / "secret").chmod(0o600)
                keys = folder / "provider.json"
                fetched = await asyncio.to_thread(identity.fetched, signs.issuer, home.clock.now())
                keys.write_bytes(msgspec.json.encode(fetched))
                sign_on = SignOn(
                    issuer=signs.issuer,
                    client=CLIENT,
                    secret_file=str(folder / "secret"),
                    keys_file=str(keys),
                    accounts={"s-1": "anne", "s-2": "nobody.yet"},
                )
                home.guard.reception._who._sign_on = sign_on
                feed = Feed(folder / "console", home.clock)
                console = Console(
                    site=replace(site, sign_on=sign_on),
                    feed=feed,
                    access=Access(publish=lambda _: None),
                    clock=home.clock,
                )
                await talk(home, signs, Browser(console))

    asyncio.run(life())


async def returned(browser: Browser) -> str:
    """To the provider and back: the address that it leads to, not yet visited."""
    left = await browser.get("/sign-in/provider")
    assert left.status_code == 303, left.text
    async with httpx.AsyncClient(trust_env=False) as outside:
        back = (await outside.get(left.headers["location"])).headers["location"]
    parts = urlsplit(back)
    return f"{parts.path}?{parts.query}"


def test_somebody_known_to_the_provider_and_to_the_house_comes_in(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.TECHNICIAN)
        assert "/sign-in/provider" in (await browser.get("/sign-in")).text
        back = await returned(browser)
        came = await browser.get(back)
        assert came.status_code == 200, came.text
        assert 'http-equiv="refresh"' in came.text
        assert (await browser.get("/account")).status_code == 200
        assert (await home.sealed(facts.SignedIn))[-1].how is How.SINGLE_SIGN_ON
        secret = browser.client.cookies["rempart-session"]
        loosens = OrderSent(order=orders.Normalise(by="anne"), session=secret)
        refused = await home.ask(loosens)
        assert isinstance(refused, OrderRejected)
        assert "passkey" in refused.what
        assert (await browser.get(back)).status_code == 403  # the cookie is gone, and the code used

    visit(tmp_path, site, talk)


def test_another_browsers_answer_is_not_taken(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        back = await returned(browser)
        assert (await browser.get(back.replace("state=", "state=x"))).status_code == 403
        assert (await browser.get(f"{back}&iss=https://evil.example")).status_code == 403
        await browser.get("/sign-in/provider")  # another flow: its state is not the first one's
        assert (await browser.get(back)).status_code == 403
        assert len(await home.sealed(facts.SignedIn)) == 1

    visit(tmp_path, site, talk)


@pytest.mark.parametrize(
    "claims",
    [{"sub": "s-2"}, {"sub": "s-9"}, {"aud": "other"}, {"iss": "https://evil.example"}, {"nonce": "x"}],
)
def test_whom_the_house_does_not_know_stays_out(claims: dict[str, Any], tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        signs.claims = claims
        assert (await browser.get(await returned(browser))).status_code == 403
        (refused,) = await home.sealed(facts.SignInRefused)
        assert refused.why == Why.IDENTITY.value

    visit(tmp_path, site, talk)


def test_a_provider_that_keeps_everybody_waiting_takes_two_threads_and_no_more(
    tmp_path: Path, site: Site
) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        back = await returned(browser)
        signs.answers.clear()
        flood = [asyncio.create_task(browser.get(back)) for _ in range(8)]
        await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        signs.answers.set()
        assert [each.status_code for each in await asyncio.gather(*flood)].count(403) >= 7
        assert signs.exchanges <= 2

    visit(tmp_path, site, talk)


def test_a_disabled_account_and_a_provider_that_is_away_let_nobody_in(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        await home.local(orders.DisablePerson(by="root", person="anne"))
        assert (await browser.get(await returned(browser))).status_code == 403
        back = await returned(browser)
        signs.codes.clear()
        assert (await browser.get(back)).status_code == 403
        assert len(await home.sealed(facts.SignedIn)) == 1

    visit(tmp_path, site, talk)


def _said(header: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


def forged(signs: OpenIdProvider, nonce: str) -> dict[str, str]:
    """What somebody who owns the console may make up; they have the public keys, and the nonce of the guard."""
    honest = signs.signed(nonce)
    _, body, mark = honest.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = ECKey.generate_key("P-256")
    confused = f"{_said({'alg': 'HS256', 'kid': 'one'})}.{body}"
    mac = hmac.new(signs.key.as_pem(private=False), confused.encode(), hashlib.sha256).digest()

    return {
        "none": f"{_said({'alg': 'none', 'kid': 'one'})}.{body}.",
        "None": f"{_said({'alg': 'None'})}.{body}.{mark}",
        "public key as an HMAC secret": f"{confused}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "another key": jwt.encode({"alg": "ES256", "kid": "one"}, told, other),
        "a key in the header": jwt.encode({"alg": "ES256", "jwk": other.as_dict(private=False)}, told, other),
        "unknown key": jwt.encode({"alg": "ES256", "kid": "two"}, told, other),
        "another body": f"{honest.split('.')[0]}.{_said({**told, 'sub': 's-1', 'exp': told['exp'] + 9})}.{mark}",
        "no token": "x",
        "empty": "",
        "bytes": "\x00.\udc80.é".encode(errors="replace").decode(errors="replace"),
    }


def test_what_a_taken_console_makes_up_is_not_believed(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        nonce = (await home.ask(IdentityAsked())).nonce
        for what, token in forged(signs, nonce).items():
            turned = await home.ask(IdentitySignIn(token=token, nonce=nonce))
            assert turned == Turned(why=Why.IDENTITY), what
        made_up = f"{home.clock.now() + 60_000_000}.x.y"
        turned = await home.ask(IdentitySignIn(token=signs.signed(made_up), nonce=made_up))
        assert turned == Turned(why=Why.IDENTITY)
        opened = await home.ask(IdentitySignIn(token=signs.signed(nonce), nonce=nonce))
        assert isinstance(opened, SessionOpened)
        again = await home.ask(IdentitySignIn(token=signs.signed(nonce), nonce=nonce))
        assert again == Turned(why=Why.IDENTITY)
        late = (await home.ask(IdentityAsked())).nonce
        home.clock.pass_(minutes(10))
        assert await home.ask(IdentitySignIn(token=signs.signed(late), nonce=late)) == Turned(
            why=Why.IDENTITY
        )

    visit(tmp_path, site, talk)


def test_keys_that_nobody_fetched_for_a_month_are_not_believed(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, signs: OpenIdProvider, browser: Browser) -> None:
        await home.enrol("anne", Role.DUTY)
        home.clock.pass_(KEYS_LAST)
        nonce = (await home.ask(IdentityAsked())).nonce
        turned = await home.ask(IdentitySignIn(token=signs.signed(nonce), nonce=nonce))
        assert turned == Turned(why=Why.IDENTITY)

    visit(tmp_path, site, talk)


def test_a_secret_that_others_may_read_and_an_address_without_tls_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    with pytest.raises(InputRefused, match="others may read"):
        identity.secret_of(str(secret))
    for address in ("http://login.example", "file:///etc", "ftp://127.0.0.1", ""):
        with pytest.raises(InputRefused, match="TLS"):
            identity._asked(address)
