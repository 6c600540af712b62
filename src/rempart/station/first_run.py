"""Serves the first-run page while there is no station yet: the installing user's own process, and it ends when done.

The console cannot do this: it holds no privilege, and site.toml and the first account are root's. So whoever installs
starts this with `rempart setup --browser`, opens its one-time link, and it goes away (docs/adr/0023-first-hour.md).
"""

import asyncio
import ipaddress
import os
import socket
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from rempart.adapters import certificate
from rempart.console.access import LASTS, Access, Session
from rempart.console.app import STATIC, Guarded, rendered
from rempart.console.frame import Frame
from rempart.console.setup import note_page, setup_page
from rempart.console.web import Fields, Orders, form, where
from rempart.console.words import Words, chosen, words
from rempart.errors import ExitCode, InputRefused, PrivilegeMissing, RempartError
from rempart.first_hour.answers import DESCRIBING, Step, next_step, reachable, step_after
from rempart.first_hour.form import Fault, Unfit
from rempart.first_hour.surroundings import Interface
from rempart.site.language import Language
from rempart.station.installer import Installer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PORT = 8410
"""Where the page is when nobody says otherwise."""

_COOKIE = "rempart-setup"
_LANGUAGE = "rempart-language"
_FORM_MOST = 64 << 10
_FIELDS_MOST = 600
"""Fields of the longest step: sixty machines, four fields each, or the openings of a hospital group."""
_read = partial(form, most=_FORM_MOST, most_fields=_FIELDS_MOST)
_IDLE = 2 * 3600.0
"""Seconds without a request of whoever installs after which the page ends: a forgotten one is an open door."""


@dataclass(slots=True)
class FirstRun:
    """The pages of one installation. ``tls``: whether they are reached over TLS."""

    installer: Installer
    access: Access
    tls: bool
    end: Callable[[], None] = lambda: None
    told: dict[Step, tuple[str, ...]] = field(default_factory=dict)
    """What the deeds said, in the language in which they were asked for."""
    asked: float = 0.0
    """When whoever installs last asked for something, on the event loop's clock."""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def app(self, names: frozenset[str]) -> Starlette:
        """The application, answering to ``names`` (``127.0.0.1:8410`` …)."""
        application = Starlette(
            routes=[
                Route("/enter", self.enter),
                Route("/", self.begin),
                Route("/setup", self.begin),
                self._orders("/setup/finish", self.finish),
                Route("/setup/paper/{name}", self.paper),
                Route("/setup/{step}", self.show),
                self._orders("/setup/{step}", self.take),
                Route("/static/{path:path}", self.static),
            ]
        )
        application.add_middleware(Guarded, names=names, tls=self.tls)
        return application

    def _orders(self, path: str, take: Callable[[Request, Session, Fields], Awaitable[Response]]) -> Route:
        return Orders(path, _read, take, who=self._session, refused=self._stranger, stale=self._stale)

    # -- coming in -----------------------------------------------------------------------------------------------

    async def enter(self, request: Request) -> Response:
        """Exchange the one-time link for a session."""
        entered = self.access.enter(request.query_params.get("token", ""), self.installer.clock.now())
        if entered is None:
            return self._stranger(request)
        self._lively()
        # Whoever installs from a browser inside comes from the address that must never be cut off.
        if self.tls:
            self.installer.operator = where(request)
            await asyncio.to_thread(self.installer.look)
        response = RedirectResponse("/setup", 303)
        response.set_cookie(
            self._cookie,
            entered.key,
            max_age=LASTS // 1_000_000,
            httponly=True,
            samesite="strict",
            secure=self.tls,
            path="/",
        )
        return response

    @property
    def _cookie(self) -> str:
        return f"__Host-{_COOKIE}" if self.tls else _COOKIE

    def _session(self, request: Request) -> Session | None:
        here = self.access.session(request.cookies.get(self._cookie, ""), self.installer.clock.now())
        if here:
            self._lively()
        return here

    def _lively(self) -> None:
        """Somebody is at work. What strangers ask keeps no page open."""
        self.asked = asyncio.get_running_loop().time()

    # -- pages ---------------------------------------------------------------------------------------------------

    async def begin(self, request: Request) -> Response:
        """To the step that comes next, or to the last one."""
        if self._session(request) is None:
            return self._stranger(request)
        return RedirectResponse(f"/setup/{next_step(self.installer.answers) or Step.PAPERS}", 303)

    async def show(self, request: Request) -> Response:
        """One step."""
        here = self._session(request)
        if here is None:
            return self._stranger(request)
        step = _step(request)
        if step is None or not reachable(self.installer.answers, step):
            return RedirectResponse("/setup", 303)
        await asyncio.to_thread(self.installer.look)
        return self._page(request, here, step)

    async def take(self, request: Request, here: Session, fields: Fields) -> Response:
        """Take the answers of a step, or do it."""
        given = {name: values[0][:400] for name, values in fields.items()}
        step = _step(request)
        if step is None or not reachable(self.installer.answers, step):
            return RedirectResponse("/setup", 303)
        async with self._one_at_a_time:
            return await (self._answered if step in DESCRIBING else self._done)(request, here, step, given)

    async def _answered(
        self, request: Request, here: Session, step: Step, given: Mapping[str, str]
    ) -> Response:
        typed = {each.id: given.get(each.id, "") for each in self.installer.fields(step)}
        try:
            await asyncio.to_thread(self.installer.answer, step, typed)
        except Unfit as unfit:
            return self._page(request, here, step, code=422, typed=typed, faults=unfit.faults)
        except RempartError as error:
            return self._page(request, here, step, code=500, typed=typed, failed=error)
        following = step_after(self.installer.answers, step) or Step.START
        return RedirectResponse(f"/setup/{following}", 303)

    async def _done(self, request: Request, here: Session, step: Step, _: Mapping[str, str]) -> Response:
        spoken = self._words(request)
        said: list[str] = []

        def do() -> None:
            # One by one: what was done before a fault is shown with it.
            said.extend(
                spoken.say(f"setup.{told.word}", value=told.value)
                for told in self.installer.do(step)
                if told.word
            )

        try:
            await asyncio.to_thread(do)
        except RempartError as error:
            self.told[step] = tuple(said)
            return self._page(request, here, step, code=409, failed=error)
        self.told[step] = tuple(said)
        return RedirectResponse(f"/setup/{step}", 303)

    async def finish(self, request: Request, _: Session, __: Fields) -> Response:
        """Close the page for good."""
        self.end()
        return self._note(request, "closed")

    async def paper(self, request: Request) -> Response:
        """One of the papers that were made."""
        if self._session(request) is None:
            return self._stranger(request)
        name = request.path_params["name"]
        if name not in self._papers():
            return Response(status_code=404)
        content = await asyncio.to_thread((self.installer.printed / name).read_bytes)
        return Response(
            content,
            media_type="application/pdf",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    def _papers(self) -> tuple[str, ...]:
        return tuple(sorted(file.name for file in self.installer.printed.glob("*.pdf")))

    async def static(self, request: Request) -> Response:
        """A style sheet or a font of the console's; there are no others."""
        name = request.path_params["path"]
        kinds = {"css": "text/css; charset=utf-8", "woff2": "font/woff2"}
        kind = kinds.get(name.rpartition(".")[2])
        if name not in STATIC or kind is None:
            return Response(status_code=404)
        return Response(STATIC[name], headers={"content-type": kind})

    # -- what they share -----------------------------------------------------------------------------------------

    def _page(
        self,
        request: Request,
        here: Session,
        step: Step,
        *,
        code: int = 200,
        typed: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
        failed: RempartError | None = None,
    ) -> Response:
        asked = self.installer.fields(step)
        if typed is not None:
            asked = tuple(replace(each, value=typed[each.id]) for each in asked)
        page = setup_page(
            step,
            self.installer.answers,
            asked,
            self._words(request),
            here.csrf,
            faults=faults,
            told=self.told.get(step, ()),
            link=self.installer.link if step is Step.START else "",
            papers=self._papers() if step is Step.PAPERS else (),
            blanks=self.installer.blanks() if step is Step.START else (),
            failed=failed,
        )
        return self._html(request, "setup.html", page, code)

    def _stranger(self, request: Request) -> Response:
        return self._note(request, "stranger", 403)

    async def _stale(self, request: Request, _: Session, __: Fields) -> Response:
        return self._stranger(request)

    def _note(self, request: Request, word: str, code: int = 200) -> Response:
        return self._html(request, "note.html", note_page(self._words(request), word), code)

    def _html(self, request: Request, template: str, page: "DataclassInstance", code: int) -> Response:
        spoken = self._words(request)
        around = Frame(
            language=spoken.language,
            site_name="",
            account="",
            csrf="",
            ways=(),
            labels=spoken.under("label"),
        )
        response = HTMLResponse(rendered(template, page, around), code)
        if request.query_params.get("lang"):
            response.set_cookie(_LANGUAGE, spoken.language, httponly=True, samesite="strict", path="/")
        return response

    def _words(self, request: Request) -> Words:
        asked = request.query_params.get("lang") or request.cookies.get(_LANGUAGE)
        known = self.installer.answers.language
        accepted = "" if known else request.headers.get("accept-language", "")
        return words(chosen(asked, accepted, (known or Language.ENGLISH,)))


def _step(request: Request) -> Step | None:
    try:
        return Step(request.path_params["step"])
    except ValueError:
        return None


# -- serving -----------------------------------------------------------------------------------------------------


def run(installer: Installer, address: str, port: int, show: Callable[[str, str], None]) -> int:
    """Serve the page until it is finished, left alone or interrupted.

    ``show(word, value)`` tells whoever installs the link and the fingerprint; ``word`` is a key under ``setup``.

    Raises InputRefused for an address that leads outside, PrivilegeMissing when the port cannot be had.
    """
    inside = _inside(address, installer.around.interfaces)
    bound = _bound(address, port)
    port = bound.getsockname()[1]
    base = f"{'https' if inside else 'http'}://{address}:{port}"
    access = Access(publish=lambda token: show("open-once", f"{base}/enter?token={token}"))
    pages = FirstRun(installer, access, tls=inside)
    names = frozenset({f"{address}:{port}", *(() if inside else (f"localhost:{port}",))})
    config = uvicorn.Config(
        pages.app(names),
        access_log=False,  # a request line holds the link's token
        log_config=None,
        server_header=False,
        proxy_headers=False,  # where whoever installs comes from is never cut off: nobody may say another address
        ws="none",
        timeout_graceful_shutdown=2,
        ssl_context_factory=(lambda *_: _tls(address, installer, show)) if inside else None,
    )
    server = uvicorn.Server(config)
    pages.end = lambda: setattr(server, "should_exit", True)
    asyncio.run(_serve(server, pages, bound))
    done = all(map(installer.answers.done, Step))
    return ExitCode.OK if done else ExitCode.PARTIAL


async def _serve(server: uvicorn.Server, pages: FirstRun, bound: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    pages.asked = loop.time()

    def forgotten() -> None:
        left = pages.asked + _IDLE - loop.time()
        if left > 0:
            loop.call_later(left, forgotten)
        else:
            server.should_exit = True

    forgotten()
    await server.serve(sockets=[bound])


def _inside(address: str, interfaces: Sequence[Interface]) -> bool:
    """Whether the address is one of the box's own inside; False for loopback. Raises InputRefused for any other."""
    try:
        asked = ipaddress.ip_address(address)
    except ValueError:
        asked = ipaddress.ip_address("0.0.0.0")  # noqa: S104  refused below, nothing is bound to it
    if asked.version == 4 and asked.is_loopback:
        return False
    own = {
        str(ipaddress.ip_interface(each).ip): interface.outward
        for interface in interfaces
        for each in interface.addresses
    }
    if asked.version == 4 and asked.is_private and own.get(str(asked)) is False:
        return True
    raise InputRefused(
        f"{address} is neither loopback nor an address of this box inside",
        where="--browser",
        now=f"Use 127.0.0.1, or one of: {', '.join(name for name, out in own.items() if not out) or 'none found'}.",
    )


def _bound(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port))
    except OSError as fault:
        raise PrivilegeMissing(
            f"the port cannot be had: {fault.strerror}",
            where=f"{address}:{port}",
            now="Choose another with --browser-port.",
        ) from fault


def _tls(address: str, installer: Installer, show: Callable[[str, str], None]) -> ssl.SSLContext:
    """A certificate for this process only, and its key; nobody can know it beforehand: its fingerprint is shown.

    OpenSSL reads both from files. These are gone before anything is served: a signal that ends the process then,
    which is how most of these pages end, leaves no key behind.
    """
    chain, key, fingerprint = certificate.passing(address, installer.clock.now())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="rempart-setup-") as folder:
        files = (Path(folder, "page.pem"), Path(folder, "page.key"))
        for file, content in zip(files, (chain, key), strict=True):
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(content)
        context.load_cert_chain(*files)
    show("fingerprint", fingerprint)
    return context
