"""The web application of one station: its headers, its sessions, the duty page, live, and the cut.

It holds no privilege and reads none of the guard's files. What it sends are orders of whoever is signed in, with their
session and, where needed, their passkey's answer; the guard believes it in nothing. Other pages' handlers are in
`rempart.console.routes`.
"""

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rempart.accounts.conversation import FromVisitor, Turned, Why
from rempart.config import RUN
from rempart.console.access import LASTS, Access, Session
from rempart.console.audience import Audience, Tasked, as_seen, audience, for_anybody, tasked
from rempart.console.contain import ContainPage, contain_page
from rempart.console.duty import DutyPage, duty_page
from rempart.console.feed import Feed
from rempart.console.frame import Frame, frame
from rempart.console.inquirer import Inquirer
from rempart.console.live import Live
from rempart.console.refusal import Refusal, hindrance, refusal
from rempart.console.routes import (
    account,
    api,
    board,
    by_hand,
    care,
    findings,
    incidents,
    masks,
    papers,
    people,
    reopening,
    sign_on,
    signin,
    taking,
    technique,
    wards,
)
from rempart.console.signin import sign_in_page
from rempart.console.visitors import Note, Visitors
from rempart.console.web import Fields, Orders, form, one, session, where
from rempart.console.words import SENTENCES, Words, chosen, plain, words
from rempart.engine.orders import AnyOrder
from rempart.errors import StationUnreachable
from rempart.messages import OrderDone, Ordered, OrderRejected, Status
from rempart.ports import Clock
from rempart.site.site import Site

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_log = logging.getLogger(__name__)

COOKIE = "rempart-session"
_DEVICE = "rempart-device"
_LANGUAGE = "rempart-language"
_LIVE = "x-rempart-live"
"""What our script adds to requests that nobody made by hand."""
_SECURE = "__Host-"
"""What a cookie's name begins with over TLS: browsers then take it from this very host only (RFC 6265bis, 4.1.3)."""
_YEAR = 366 * 86_400
"""Seconds for which a browser is remembered as one that its person uses."""
_HSTS = "max-age=31536000"
_FORM_TOKEN = secrets.token_urlsafe(32)
"""Stands where a session's form token belongs in pages that are drawn once for many. Nobody outside can write it."""
_BEAT = 3.0
"""Seconds between two words of a live page when nothing changes."""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "camera=(), geolocation=(), microphone=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)"
    ),
    "referrer-policy": "same-origin",  # not no-referrer: browsers would then hide the origin of our own form
    "x-content-type-options": "nosniff",
}

_TYPEFACE = {"cache-control": "max-age=604800"}
"""A page that finds it in the browser's keep is drawn with it; one that must fetch it may be drawn before it comes."""

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "woff2": "font/woff2"}


class Guarded:
    """Answers only to our own names (DNS rebinding: a foreign name that leads to loopback), with strict headers."""

    def __init__(self, app: ASGIApp, names: frozenset[str], *, tls: bool) -> None:
        self.app = app
        self.names = names
        self.headers = {**_HEADERS, "strict-transport-security": _HSTS} if tls else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 421."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        lasting = _TYPEFACE if scope["path"].endswith(".woff2") else {}

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers | lasting)
            await send(message)

        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and hosts[0] in self.names:
            await self.app(scope, receive, headed)
        else:
            await Response("This is not the name of this station.\n", 421)(scope, receive, headed)


class Recognised:
    """Finds out whose session a request comes with, before any handler runs."""

    def __init__(self, app: ASGIApp, visitors: Visitors, cookie: str) -> None:
        self.app = app
        self.visitors = visitors
        self.cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the session, or None, into the request's state. Our own files are everybody's: nobody is asked."""
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            request = Request(scope)
            key, looking = request.cookies.get(self.cookie, ""), _LIVE in request.headers
            found = await self.visitors.session(key, where(request), looking=looking)
            scope.setdefault("state", {})["session"] = found
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Console:
    """One station's pages. ``tls``: whether browsers reach them over TLS."""

    site: Site
    feed: Feed
    access: Access
    clock: Clock
    tls: bool = False
    inquirer: Inquirer = field(default_factory=lambda: Inquirer(RUN / "watch" / "inquiry.sock"))
    """The way to watch, for the technician's pages."""
    certificate: Path | None = None
    """The pages' own certificate, if they have one."""
    leave: Callable[[Status], None] | None = None
    """Leaves for the staff page how the site stands; None: there is no such page."""
    live: Live = field(init=False)
    visitors: Visitors = field(init=False)

    def __post_init__(self) -> None:
        self.visitors = Visitors(self.feed, self.access, self.clock)
        self.live = Live(self.feed, self.clock, self._draw)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return f"{_SECURE}{COOKIE}" if self.tls else COOKIE

    @property
    def device_cookie(self) -> str:
        """The name of the cookie by which a browser is known to belong to somebody."""
        return f"{_SECURE}{_DEVICE}" if self.tls else _DEVICE

    def app(self, names: frozenset[str]) -> Starlette:
        """The application, answering to ``names`` (``127.0.0.1:8440`` …)."""
        application = Starlette(
            routes=[
                Route("/", self.duty),
                Route("/enter", self.enter),
                Route("/events", self.events),
                Route("/contain", self.confirm),
                Orders("/contain", form, self.contain, who=session, refused=self.refused, stale=self._stale),
                Route("/static/{path:path}", self.static),
                *signin.routes(self),
                *sign_on.routes(self),
                *people.routes(self),
                *account.routes(self),
                *board.routes(self),
                *care.routes(self),
                *incidents.routes(self),
                *masks.routes(self),
                *findings.routes(self),
                *reopening.routes(self),
                *taking.routes(self),
                *by_hand.routes(self),
                *papers.routes(self),
                *technique.routes(self),
                *wards.routes(self),
                *api.routes(self),
            ],
            lifespan=self._living,
        )
        application.add_middleware(Recognised, visitors=self.visitors, cookie=self.cookie)
        application.add_middleware(Guarded, names=names, tls=self.tls)
        return application

    @contextlib.asynccontextmanager
    async def _living(self, _: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in (self.feed.follow(), self._leaving())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _leaving(self) -> None:
        """Leave for the staff page what it may know, whenever something is known."""
        while self.leave:
            if status := self.feed.status:
                try:
                    self.leave(for_anybody(status))
                except OSError as fault:
                    _log.error("the staff page is not told how the site stands: %s", fault)
            await self.feed.changed(_BEAT)

    # -- pages ---------------------------------------------------------------------------------------------------

    async def enter(self, request: Request) -> Response:
        """Exchange the one-time link for a session."""
        entered = self.access.enter(request.query_params.get("token", ""), self.clock.now())
        if entered is None:
            return self.refused(request)
        response = RedirectResponse("/", 303)
        self.keep(response, self.cookie, entered.key, LASTS // 1_000_000)
        return response

    async def duty(self, request: Request) -> Response:
        """The duty page."""
        here = session(request)
        if here is None:
            return self.refused(request)
        if _LIVE in request.headers:
            shared = self.live.shown(self.words(request), audience(here), tasked(here)).html
            return HTMLResponse(shared.replace(_FORM_TOKEN, here.csrf))
        return self.html(request, "duty.html", self.looks(self.words(request), audience(here), tasked(here)))

    async def confirm(self, request: Request) -> Response:
        """What the cut will do, and the button."""
        here = session(request)
        if here is None:
            return self.refused(request)
        page = self._asking(request, here)
        return self.html(request, "contain.html", page, 200 if page.may_contain else 403)

    async def contain(self, request: Request, here: Session, given: Fields) -> Response:
        """Order the cut, once confirmed."""
        spoken = self.words(request)
        named = one(given, "by", 120).strip() or spoken.say("word.duty-person")
        by = here.visitor.person if here.visitor else named
        try:
            answer = await self.feed.contain(by, one(given, "reason", 400).strip(), here.secret)
        except StationUnreachable:
            return self._again(request, here, 503, *_told(spoken, "unreachable"))
        if not isinstance(answer, OrderDone):
            return self._again(request, here, 409, *self.refusal(request, answer))
        await self.feed.caught_up(answer)
        return RedirectResponse("/", 303)

    # -- live ----------------------------------------------------------------------------------------------------

    async def events(self, request: Request) -> Response:
        """Server-sent events: ``proof`` every few seconds, ``page`` when something to be shown has changed."""
        here = session(request)
        if here is None or not self.live.room(here.key):
            return Response(status_code=403 if here is None else 503)
        return StreamingResponse(self._stream(request, here), media_type="text/event-stream")

    async def _stream(self, request: Request, here: Session) -> AsyncIterator[str]:
        spoken, looks, tasks = self.words(request), audience(here), tasked(here)
        shown = request.query_params.get("shown", "")
        self.live.come(here.key)
        try:
            while await self._still(request, here):
                now = self.live.shown(spoken, looks, tasks)
                if now.digest != shown:
                    shown = now.digest
                    yield f"event: page\ndata: {shown}\n\n"
                yield f"event: proof\ndata: {now.proof}\n\n"
                await self.feed.changed(_BEAT)
        finally:
            self.live.gone(here.key)

    # -- what they share -----------------------------------------------------------------------------------------

    async def static(self, request: Request) -> Response:
        """A file of ours; there are no others."""
        name = request.path_params["path"]
        kind = name.rpartition(".")[2]
        if name not in STATIC or kind not in _TYPES:
            return Response(status_code=404)
        return Response(STATIC[name], headers={"content-type": _TYPES[kind]})

    async def _still(self, request: Request, here: Session) -> bool:
        """Whether a live page may go on. Looking on is no use of a session."""
        return await self.visitors.session(here.key, where(request), looking=True) is not None

    def told(self, seen_by: Audience) -> Status | None:
        """The status as such people may read it; None: no guard answers."""
        return as_seen(self.feed.status, seen_by, self.site) if self.feed.status else None

    def words(self, request: Request) -> Words:
        """The words in the visitor's language."""
        asked = request.query_params.get("lang") or request.cookies.get(_LANGUAGE)
        return words(chosen(asked, request.headers.get("accept-language", ""), self.site.languages))

    def looks(self, spoken: Words, seen_by: Audience, tasks: Tasked) -> DutyPage:
        """The duty page as such people may see it."""
        now = self.clock.now()
        return duty_page(self.site, self.told(seen_by), self.feed.seen, now, spoken, seen_by, tasks)

    def _draw(self, spoken: Words, seen_by: Audience, tasks: Tasked) -> tuple[DutyPage, str, str]:
        """The same, drawn for whoever it may be: its frame knows the house, but nobody; their token is put in later."""
        page = self.looks(spoken, seen_by, tasks)
        around = replace(frame(self.site, spoken), site_name=plain(self.site.name), csrf=_FORM_TOKEN)
        return page, _digest(page), rendered("duty.html", page, around)

    def refusal(self, request: Request, answer: OrderRejected) -> tuple[str, str]:
        """What the guard refused and what to do instead, in the visitor's language."""
        return refusal(answer, self.site, self.words(request))

    async def give(self, request: Request, here: Session, order: AnyOrder) -> OrderDone | Refusal:
        """Give an order for which a session is enough; the status has caught up with it when it is done."""
        try:
            answer = await self.feed.order(Ordered(order=order, session=here.secret))
        except StationUnreachable:
            return hindrance("unreachable", self.words(request))
        if isinstance(answer, OrderRejected):
            return Refusal(409, *self.refusal(request, answer))
        await self.feed.caught_up(answer)
        return answer

    async def asked(self, request: Request, question: FromVisitor) -> object:
        """The guard's answer to what strangers may ask, at their pace only; None when it is not there."""
        if not self.visitors.may_ask(where(request)):
            return Turned(why=Why.WAIT, seconds=5)
        try:
            return await self.feed.ask(question)
        except StationUnreachable:
            return None

    def refused(self, request: Request) -> Response:
        """The page for whoever comes without a session."""
        return self.html(
            request,
            "signin.html",
            sign_in_page(self.words(request), sign_on=self.site.sign_on is not None),
            403,
        )

    def sent_back(
        self, request: Request, here: Session, back: str, key: str, refusal: str = "", advice: str = ""
    ) -> Response:
        """Back to the page that they came from, which then says what went wrong: ``key``'s words, or both texts."""
        words, (page, _, _) = self.words(request), back.partition("#")
        if key:
            refusal, advice = words.say(f"refusal.{key}"), words.say(f"refusal.{key}-now")
        self.visitors.note(here.key, Note(plain(refusal, SENTENCES), plain(advice, SENTENCES)))
        return RedirectResponse(page, 303)

    def know(self, response: Response, device: str) -> None:
        """Let the browser be known as one that its person uses."""
        self.keep(response, self.device_cookie, device, _YEAR)

    def keep(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Give the browser a cookie that no script reads and no other site sends."""
        response.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite="strict", secure=self.tls, path="/"
        )

    async def _stale(self, request: Request, here: Session, _: Fields) -> Response:
        return self._again(request, here, 403, *_told(self.words(request), "stale"))

    def _again(self, request: Request, here: Session, code: int, refusal: str, advice: str) -> Response:
        return self.html(request, "contain.html", self._asking(request, here, refusal, advice), code)

    def _asking(self, request: Request, here: Session, refusal: str = "", advice: str = "") -> ContainPage:
        return contain_page(
            self.site,
            self.told(audience(here)),
            self.clock.now(),
            self.words(request),
            here.csrf,
            account=here.account,
            audience=audience(here),
            refusal=refusal,
            advice=advice,
        )

    def html(self, request: Request, template: str, page: "DataclassInstance", code: int = 200) -> Response:
        """A page in its frame as the answer; the language that was asked for is kept."""
        here = session(request)
        around = frame(self.site, self.words(request), here, request.url.path)
        if here and (note := self.visitors.noted(here.key)):
            around = replace(around, refusal=note.refusal, advice=note.advice)
        response = HTMLResponse(rendered(template, page, around), code)
        if request.query_params.get("lang"):
            response.set_cookie(_LANGUAGE, around.language, httponly=True, samesite="strict", path="/")
        return response


def rendered(template: str, page: "DataclassInstance", around: Frame) -> str:
    """The page as HTML. The template is given the page and its frame, and nothing else."""
    digest = _digest(page) if isinstance(page, DutyPage) else ""
    return _templates.get_template(template).render(page=page, frame=around, digest=digest)


_templates = Environment(
    loader=PackageLoader("rempart.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _files() -> Mapping[str, bytes]:
    """Our own CSS, script and, where they were put, fonts; read once, so that a path can name nothing else."""
    found: dict[str, bytes] = {}
    for folder, prefix in (("static", ""), ("static/fonts", "fonts/")):
        place = resources.files("rempart.console").joinpath(folder)
        if place.is_dir():
            found |= {f"{prefix}{file.name}": file.read_bytes() for file in place.iterdir() if file.is_file()}
    return found


STATIC = _files()


def _digest(page: DutyPage) -> str:
    """Changes when something other than the clock and the age of the proof has changed."""
    lasting = {each.name: getattr(page, each.name) for each in fields(page)} | {
        "clock": "",
        "proof": page.proof.mood,
    }
    text = repr(
        {name: asdict(value) if hasattr(value, "__slots__") else value for name, value in lasting.items()}
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _told(spoken: Words, key: str) -> tuple[str, str]:
    return spoken.say(f"refusal.{key}"), spoken.say(f"refusal.{key}-now")
