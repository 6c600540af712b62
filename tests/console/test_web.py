"""Every form of a session comes in through `rempart.console.web.Orders`: no handler hears of one without its token."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.test_app import NAME, Stopped
from rempart.accounts.conversation import SessionAsked, Visitor
from rempart.accounts.credential import How
from rempart.accounts.person import Role
from rempart.console.access import Access, Session
from rempart.console.app import COOKIE, Console
from rempart.console.feed import Feed
from rempart.console.openapi import ROOT
from rempart.console.web import Fields, Orders, Upload
from rempart.instants import Instant, after, hours
from rempart.messages import FromConsole, Status
from rempart.site.site import Site
from station.wrong_orders import FORGERIES

BEFORE_A_SESSION = {
    "/sign-in",
    "/sign-in/envelope",
    "/sign-in/question",
    "/sign-in/passkey",
    "/link",
    "/passkey",
}
"""What strangers send: they have no session yet, so no token; where it comes from is looked at there too."""

KEY = "a-session-of-a-technician"
REACHED = 299
"""No handler of ours answers so."""


class OneSession(Feed):
    """A guard that knows one session, and says nothing else."""

    async def ask(self, question: FromConsole, patience: float = 0) -> object:
        if isinstance(question, SessionAsked) and question.session == KEY:
            ends = after(self.clock.now(), hours(1))
            return Visitor(
                person="tech",
                name="Tech",
                roles=[*Role],
                how=How.PASSKEY,
                session="1",
                ends=ends,
                passkey=True,
            )
        return None


@pytest.fixture
def console(site: Site, make: Callable[..., Status], now: Instant, tmp_path: Path) -> Console:
    clock = Stopped(now)
    feed = OneSession(tmp_path / "no.sock", clock)
    feed.status = make()
    return Console(site=site, feed=feed, access=Access(publish=lambda _: None), clock=clock)


@pytest.fixture
def app(console: Console) -> Starlette:
    """The console's own application, in which every handler of orders only says that it was reached."""

    async def reached(_: Request, __: Session, ___: Fields | Upload) -> Response:
        return Response(status_code=REACHED)

    application = console.app(frozenset({NAME}))
    for route in with_cookie(application):
        if isinstance(route, Orders):
            route.take = reached
    return application


def with_cookie(app: Starlette) -> Iterator[Route]:
    """What a browser's cookie can write to. The interface for programs looks at no cookie."""
    for route in app.routes:
        if not isinstance(route, Route) or "POST" not in (route.methods or ()):
            continue
        if route.path not in BEFORE_A_SESSION and not route.path.startswith(ROOT):
            yield route


def test_every_address_that_takes_orders_has_the_one_check(console: Console) -> None:
    routes = list(with_cookie(console.app(frozenset({NAME}))))
    assert len(routes) >= 11
    past_it = [route.path for route in routes if not isinstance(route, Orders)]
    assert past_it == [], "make it a `rempart.console.web.Orders`"


def test_only_a_form_of_ours_with_its_token_reaches_a_handler(console: Console, app: Starlette) -> None:
    async def tried() -> None:
        here = await console.visitors.session(KEY, "127.0.0.1")
        assert here is not None
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=f"http://{NAME}"
        ) as client:
            for route in with_cookie(app):
                client.cookies.set(COOKIE, KEY)
                assert await sent(client, route, here.csrf) == REACHED, route.path
                for what, token, headers in FORGERIES:
                    csrf = here.csrf if token == "right" else token
                    assert await sent(client, route, csrf, headers) != REACHED, (route.path, what)
                client.cookies.clear()
                assert await sent(client, route, here.csrf) != REACHED, (route.path, "nobody's session")
                client.cookies.set(COOKIE, "another")
                assert await sent(client, route, here.csrf) != REACHED, (route.path, "an unknown session")

    asyncio.run(tried())


async def sent(
    client: httpx.AsyncClient, route: Route, csrf: str, headers: dict[str, str] | None = None
) -> int:
    """How a form with this token is answered, sent as this route's own page would."""
    path = re.sub(r"\{[^}]*\}", "1", route.path)
    files = {"file": ("x", b"x")} if path.endswith("/files") else None
    return (await client.post(path, data={"csrf": csrf}, files=files, headers=headers)).status_code
