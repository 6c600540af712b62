"""Signing in and out, and the one-time link with which people choose what they sign in with."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from rempart.accounts.conversation import (
    CredentialsKept,
    EnvelopeSignIn,
    LinkGood,
    LinkOpened,
    LinkUsed,
    PasskeyAnswer,
    PasskeyAsked,
    PasskeySignIn,
    Question,
    SessionOpened,
    SignIn,
    SignOut,
    Turned,
    Why,
)
from rempart.accounts.session import LONGEST
from rempart.console.access import Session
from rempart.console.signin import kept_page, link_page, sign_in_page
from rempart.console.web import ANSWER_MOST, Fields, Orders, form, from_here, one, sent, session, where
from rempart.errors import StationUnreachable

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The addresses of signing in and out."""
    desk = _Desk(console)
    return [
        Route("/sign-in", desk.page),
        Route("/sign-in", desk.with_password, methods=["POST"]),
        Route("/sign-in/envelope", desk.with_envelope, methods=["POST"]),
        Route("/sign-in/question", desk.question, methods=["POST"]),
        Route("/sign-in/passkey", desk.with_passkey, methods=["POST"]),
        Orders("/sign-out", form, desk.sign_out, who=session, refused=desk.forget, stale=desk.stale),
        Route("/link", desk.link),
        Route("/link", desk.use_link, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Desk:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """The form; whoever is signed in already goes to the duty page."""
        if session(request):
            return RedirectResponse("/", 303)
        return self._form(request)

    async def with_password(self, request: Request) -> Response:
        """A password, and a code of the generator or a recovery code. Works without script."""
        fields = await form(request)
        if not from_here(request):
            return self._form(request, Turned(why=Why.WRONG), code=403)
        asked = SignIn(
            name=one(fields, "name"),
            password=one(fields, "password"),
            code=one(fields, "code"),
            device=request.cookies.get(self.console.device_cookie, "")[:128],
            where=where(request),
        )
        return self._let_in(request, await self.console.asked(request, asked), asked.name)

    async def with_envelope(self, request: Request) -> Response:
        """The code of the sealed envelope."""
        fields = await form(request)
        if not from_here(request):
            return self._form(request, Turned(why=Why.WRONG), code=403)
        asked = EnvelopeSignIn(code=one(fields, "code"), where=where(request))
        return self._let_in(request, await self.console.asked(request, asked))

    async def question(self, request: Request) -> Response:
        """A question for a passkey, for our script."""
        answer = await self.console.asked(request, PasskeyAsked()) if from_here(request) else None
        if not isinstance(answer, Question):
            return Response(status_code=503)
        return JSONResponse({"handle": answer.handle, "options": answer.options})

    async def with_passkey(self, request: Request) -> Response:
        """A passkey's answer, from our script, which reads where to go."""
        said = await sent(request)
        answer = passkey_answer(said)
        if answer is None or not from_here(request):
            return Response(status_code=403)
        opened = await self.console.asked(request, PasskeySignIn(answer=answer, where=where(request)))
        if not isinstance(opened, SessionOpened):
            turned = opened if isinstance(opened, Turned) else Turned(why=Why.BUSY)
            words = self.console.words(request)
            return JSONResponse({"refusal": sign_in_page(words, turned).refusal}, 403)
        return self._with_cookies(JSONResponse({"to": "/"}), opened)

    async def sign_out(self, request: Request, here: Session, _: Fields) -> Response:
        """End this session. However many strangers ask at this moment: it is no stranger who leaves."""
        with contextlib.suppress(StationUnreachable):
            await self.console.feed.ask(SignOut(session=here.secret))
        self.console.visitors.forget(here.key)
        return self.forget(request)

    async def stale(self, request: Request, _: Session, __: Fields) -> Response:
        """A form without its token: this browser forgets, the session goes on until it ends by itself."""
        return self.forget(request)

    def forget(self, _: Request) -> Response:
        """Let this browser forget who it was."""
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(self.console.cookie, path="/", secure=self.console.tls, samesite="strict")
        return response

    async def link(self, request: Request) -> Response:
        """What the person of a one-time link may choose."""
        secret = request.query_params.get("secret", "")[:128]
        return await self._offer(request, secret)

    async def use_link(self, request: Request) -> Response:
        """What they chose."""
        fields = await form(request, ANSWER_MOST)
        link = one(fields, "link", 128)
        if not from_here(request):
            return Response(status_code=403)
        used = LinkUsed(
            link=link,
            handle=one(fields, "handle", 128),
            password=one(fields, "password"),
            code=one(fields, "code"),
            passkey=one(fields, "passkey", 16_384),
            label=one(fields, "label", 60),
            where=where(request),
        )
        answer = await self.console.asked(request, used)
        if isinstance(answer, CredentialsKept):
            return self.console.html(request, "kept.html", kept_page(self.console.words(request), answer))
        turned = answer if isinstance(answer, Turned) else Turned(why=Why.BUSY)
        return await self._offer(request, link, turned)

    async def _offer(self, request: Request, link: str, turned: Turned | None = None) -> Response:
        answer = await self.console.asked(request, LinkOpened(link=link, where=where(request)))
        good = answer if isinstance(answer, LinkGood) else None
        if good is None and turned is None:
            turned = answer if isinstance(answer, Turned) else Turned(why=Why.BUSY)
        page = link_page(self.console.words(request), link, good, turned)
        return self.console.html(request, "link.html", page, 403 if turned else 200)

    # -- what they share -----------------------------------------------------------------------------------------

    def _let_in(self, request: Request, answer: object, name: str = "") -> Response:
        if isinstance(answer, SessionOpened):
            return self._with_cookies(RedirectResponse("/", 303), answer)
        turned = answer if isinstance(answer, Turned) else Turned(why=Why.BUSY, seconds=5)
        waits = {Why.WAIT: 429, Why.BUSY: 503}
        return self._form(request, turned, name, waits.get(turned.why, 403))

    def _form(
        self, request: Request, turned: Turned | None = None, name: str = "", code: int = 200
    ) -> Response:
        sign_on = self.console.site.sign_on is not None
        page = sign_in_page(self.console.words(request), turned, name, sign_on=sign_on)
        return self.console.html(request, "signin.html", page, code)

    def _with_cookies(self, response: Response, opened: SessionOpened) -> Response:
        self.console.visitors.welcome(opened.secret, opened.visitor)
        self.console.keep(response, self.console.cookie, opened.secret, LONGEST // 1_000_000)
        if opened.device:
            self.console.know(response, opened.device)
        return response


def passkey_answer(said: Any) -> PasskeyAnswer | None:
    """The passkey's answer in what our script sent, within bounds."""
    if not isinstance(said, dict):
        return None
    handle, response = said.get("handle"), said.get("response")
    if not isinstance(handle, str) or not isinstance(response, str):
        return None
    return PasskeyAnswer(handle=handle[:128], response=response[:16_384])
