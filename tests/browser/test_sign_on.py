"""Single sign-on in a real browser: to a provider on another site, over its page, and back with strict cookies."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import looking
from browser.home import DESCRIPTION, Home, running
from rempart.__main__ import main
from rempart.accounts.credential import How
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.console.app import COOKIE
from rempart.engine import orders
from rempart.errors import ExitCode
from station.provider import CLIENT, SECRET, OpenIdProvider, provider

pytestmark = pytest.mark.browser

_SIGN_ON = """
[sign_on]
issuer = "{issuer}"
client = "{client}"
secret_file = "{folder}/secret"
keys_file = "{folder}/provider.json"

[[sign_on.accounts]]
subject = "s-1"
account = "anne"
"""


@pytest.fixture
def signs() -> Iterator[OpenIdProvider]:
    """The provider: at 127.0.0.1, which to a browser is another site than the console's localhost."""
    with provider(SystemClock().now) as there:
        there.page = True
        yield there


@pytest.fixture
def home(tmp_path: Path, signs: OpenIdProvider) -> Iterator[Home]:
    """A home that takes the provider's word for Anne, with the keys that its own command fetched."""
    secret, description = tmp_path / "secret", tmp_path / "site.toml"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    told = _SIGN_ON.format(issuer=signs.issuer, client=CLIENT, folder=tmp_path)
    description.write_text(DESCRIPTION.read_text() + told)
    assert main(["provider", "--site", str(description)]) == ExitCode.OK
    with running(description) as alive:
        alive.local(orders.EnrolPerson(by="root", person="anne", name="Anne", roles=[Role.TECHNICIAN]))
        yield alive


def through_the_provider(page: Page, home: Home, signs: OpenIdProvider) -> None:
    page.goto(f"{home.origin}/sign-in")
    page.get_by_role("link", name="Avec le compte de la maison").click()
    expect(page).to_have_url(re.compile(f"{re.escape(signs.issuer)}/authorize"))
    page.get_by_role("link", name="Go on").click()


def test_whoever_the_provider_vouches_for_comes_in_with_a_session_and_nobody_else(
    chromium: Browser, home: Home, signs: OpenIdProvider
) -> None:
    with looking(chromium) as page:
        through_the_provider(page, home, signs)
        expect(page.locator("h1")).to_have_text("Tout est en ordre.")
        expect(page).to_have_url(f"{home.origin}/")
        kept = {each["name"]: each for each in page.context.cookies(home.origin)}
        assert "rempart-provider" not in kept
        assert (kept[COOKIE]["sameSite"], kept[COOKIE]["httpOnly"]) == ("Strict", True)
        (session,) = home.guard.reception.everybody().sessions
        assert (session.person, session.how) == ("anne", How.SINGLE_SIGN_ON)
        page.goto(f"{home.origin}/people")
        page.get_by_role("button", name="Nouveau code pour l'enveloppe").click()
        expect(page.get_by_role("alert")).to_contain_text("Vous n'avez pas de clé d'accès")
        assert not home.guard.reception.everybody().envelope
    signs.subject = "s-9"  # somebody who has no account here
    with looking(chromium) as page:
        through_the_provider(page, home, signs)
        expect(page.locator("main")).to_contain_text("ne répond d'aucun compte d'ici")
        assert [each.person for each in home.guard.reception.everybody().sessions] == ["anne"]
