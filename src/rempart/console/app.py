"""The web application of one station: the duty page, live, and the cut with its confirmation.

It holds no privilege and reads none of the guard's files. What it may send is one order, which tightens; the guard
checks it again.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib import resources
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rempart.console.access import LASTS, Access, Session, same
from rempart.console.contain import ContainPage, contain_page
from rempart.console.duty import DutyPage, duty_page
from rempart.console.entry import EntryPage, entry_page
from rempart.console.feed import Feed
from rempart.console.words import Words, chosen, words
from rempart.errors import StationUnreachable
from rempart.messages import OrderDone, Posture
from rempart.ports import Clock
from rempart.site.site import Site

COOKIE = "rempart-session"
_LANGUAGE = "rempart-language"
_FORM_MOST = 8192
"""Bytes in the longest form."""
_BEAT = 3.0
"""Seconds between two words of a live page when nothing changes."""
_STREAMS = 32
"""Live pages at once."""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",  # not no-referrer: browsers would then hide the origin of our own form
    "x-content-type-options": "nosniff",
}

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "woff2": "font/woff2"}

Page = DutyPage | ContainPage | EntryPage


class Guarded:
    """Answers only to our own names (DNS rebinding: a foreign name that leads to loopback), with strict headers."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 421."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and hosts[0] in self.names:
            await self.app(scope, receive, headed)
        else:
            await Response("This is not the name of this station.\n", 421)(scope, receive, headed)


@dataclass(slots=True)
class Console:
    """One station's pages."""

    site: Site
    feed: Feed
    access: Access
    clock: Clock
    streams: int = 0

    def app(self, names: frozenset[str]) -> Starlette:
        """The application, answering to ``names`` (``127.0.0.1:8440`` …)."""
        application = Starlette(
            routes=[
                Route("/", self.duty),
                Route("/enter", self.enter),
                Route("/events", self.events),
                Route("/contain", self.confirm),
                Route("/contain", self.contain, methods=["POST"]),
                Route("/static/{path:path}", self.static),
            ],
            lifespan=self._living,
        )
        application.add_middleware(Guarded, names=names)
        return application

    @contextlib.asynccontextmanager
    async def _living(self, _: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(self.feed.follow())
        try:
            yield
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    # -- pages ---------------------------------------------------------------------------------------------------

    async def enter(self, request: Request) -> Response:
        """Exchange the one-time link for a session."""
        session = self.access.enter(request.query_params.get("token", ""), self.clock.now())
        if session is None:
            return self._refused(request)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, session.key, max_age=LASTS // 1_000_000, httponly=True, samesite="strict", path="/"
        )
        return response

    async def duty(self, request: Request) -> Response:
        """The duty page."""
        if self._session(request) is None:
            return self._refused(request)
        return self._html(request, "duty.html", self._duty(self._words(request)))

    async def confirm(self, request: Request) -> Response:
        """What the cut will do, and the button."""
        session = self._session(request)
        if session is None:
            return self._refused(request)
        spoken = self._words(request)
        page = contain_page(self.site, self.feed.status, spoken, session.csrf)
        return self._html(request, "contain.html", page)

    async def contain(self, request: Request) -> Response:
        """Order the cut, once confirmed."""
        session = self._session(request)
        if session is None:
            return self._refused(request)
        spoken = self._words(request)
        form = await _form(request)
        if not _from_here(request) or not same(form.get("csrf", ""), session.csrf):
            return self._again(request, session, 403, *_told(spoken, "stale"))
        by = form.get("by", "").strip()[:120] or spoken.say("word.duty-person")
        try:
            answer = await self.feed.contain(by, form.get("reason", "").strip()[:400])
        except StationUnreachable:
            return self._again(request, session, 503, *_told(spoken, "unreachable"))
        if not isinstance(answer, OrderDone):
            return self._again(request, session, 409, answer.what, answer.now)
        await self._until_contained()
        return RedirectResponse("/", 303)

    async def _until_contained(self) -> None:
        """Wait a moment for the status that shows it, so that the next page is the true one."""
        for _ in range(8):
            if self.feed.status and self.feed.status.posture is Posture.CONTAINED:
                return
            await self.feed.changed(0.25)

    # -- live ----------------------------------------------------------------------------------------------------

    async def events(self, request: Request) -> Response:
        """Server-sent events: ``proof`` every few seconds, ``page`` when something to be shown has changed."""
        if self._session(request) is None or self.streams >= _STREAMS:
            return Response(status_code=403 if self._session(request) is None else 503)
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        spoken = self._words(request)
        shown = request.query_params.get("shown", "")
        self.streams += 1
        try:
            while self._session(request) is not None:
                page = self._duty(spoken)
                if (digest := _digest(page)) != shown:
                    shown = digest
                    yield f"event: page\ndata: {digest}\n\n"
                now = {"text": page.proof.text, "mood": page.proof.mood, "clock": page.clock}
                yield f"event: proof\ndata: {json.dumps(now)}\n\n"
                await self.feed.changed(_BEAT)
        finally:
            self.streams -= 1

    # -- what they share -----------------------------------------------------------------------------------------

    async def static(self, request: Request) -> Response:
        """A file of ours; there are no others."""
        name = request.path_params["path"]
        kind = name.rpartition(".")[2]
        if name not in STATIC or kind not in _TYPES:
            return Response(status_code=404)
        return Response(STATIC[name], headers={"content-type": _TYPES[kind]})

    def _session(self, request: Request) -> Session | None:
        return self.access.session(request.cookies.get(COOKIE, ""), self.clock.now())

    def _words(self, request: Request) -> Words:
        asked = request.query_params.get("lang") or request.cookies.get(_LANGUAGE)
        return words(chosen(asked, request.headers.get("accept-language", ""), self.site.languages))

    def _duty(self, spoken: Words) -> DutyPage:
        return duty_page(self.site, self.feed.status, self.feed.seen, self.clock.now(), spoken)

    def _refused(self, request: Request) -> Response:
        return self._html(request, "entry.html", entry_page(self._words(request)), 403)

    def _again(self, request: Request, session: Session, code: int, refusal: str, advice: str) -> Response:
        page = contain_page(
            self.site, self.feed.status, self._words(request), session.csrf, refusal=refusal, advice=advice
        )
        return self._html(request, "contain.html", page, code)

    def _html(self, request: Request, template: str, page: Page, code: int = 200) -> Response:
        response = HTMLResponse(rendered(template, page), code)
        if request.query_params.get("lang"):
            response.set_cookie(_LANGUAGE, page.language, httponly=True, samesite="strict", path="/")
        return response


def rendered(template: str, page: Page) -> str:
    """The page as HTML. The template is given the page and nothing else."""
    digest = _digest(page) if isinstance(page, DutyPage) else ""
    return _templates.get_template(template).render(page=page, digest=digest)


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


async def _form(request: Request) -> dict[str, str]:
    """The fields of a posted form; an oversized or foreign one is empty, and then lacks its token."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _FORM_MOST:
            return {}
    try:
        given = parse_qs(body.decode(), max_num_fields=8, keep_blank_values=True)
    except ValueError:
        return {}
    return {name: values[0] for name, values in given.items()}


def _from_here(request: Request) -> bool:
    """A browser says where a form comes from; another origin's is refused even with the right token."""
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers['host']}"


def _told(spoken: Words, key: str) -> tuple[str, str]:
    return spoken.say(f"refusal.{key}"), spoken.say(f"refusal.{key}-now")
