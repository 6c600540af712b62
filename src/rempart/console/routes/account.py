"""One's own account: another password, one more passkey, one passkey less."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.accounts.conversation import (
    PasskeyAnswer,
    PasskeyKept,
    PasskeyLinkOpened,
    PasskeyMade,
    PasswordChange,
    PasswordKept,
    People,
    PeopleAsked,
    Registration,
    Turned,
    Why,
)
from rempart.console.access import Session
from rempart.console.account import account_page, passkey_page
from rempart.console.routes.people import asked
from rempart.console.web import ANSWER_MOST, Fields, Orders, form, from_here, one, session, signed_in, where
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.errors import StationUnreachable

if TYPE_CHECKING:
    from rempart.console.app import Console

_PAGE = "/account"


def routes(console: "Console") -> list[Route]:
    """The addresses of one's own account, and of the link with which a device makes a passkey for it."""
    desk = _Own(console)
    return [
        Route(_PAGE, desk.page),
        Orders(_PAGE, form, desk.change, who=signed_in, refused=console.refused, stale=desk.stale),
        Orders(
            f"{_PAGE}/password", form, desk.password, who=signed_in, refused=console.refused, stale=desk.stale
        ),
        Route("/passkey", desk.link),
        Route("/passkey", desk.make, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Own:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """What this visitor signs in with."""
        here = session(request)
        return await self._shown(request, here) if here else self.console.refused(request)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self.console.sent_back(request, here, _PAGE, "stale")

    async def change(self, request: Request, here: Session, fields: Fields) -> Response:
        """An order about one's own passkeys, which a passkey confirms."""
        try:
            order = _order(here.account, fields)
        except (msgspec.ValidationError, KeyError):
            return self.console.sent_back(request, here, _PAGE, "unreadable")
        return await asked(self.console, request, here, order, _PAGE)

    async def password(self, request: Request, here: Session, fields: Fields) -> Response:
        """Another password. Works without script."""
        change = PasswordChange(
            session=here.secret,
            password=one(fields, "password"),
            code=one(fields, "code"),
            fresh=one(fields, "fresh"),
            device=request.cookies.get(self.console.device_cookie, "")[:128],
            where=where(request),
        )
        answer = await self.console.asked(request, change)
        if not isinstance(answer, PasswordKept):
            turned = answer if isinstance(answer, Turned) else Turned(why=Why.BUSY, seconds=5)
            return await self._shown(request, here, turned)
        response = await self._shown(request, here, changed=True)
        self.console.know(response, answer.device)
        return response

    async def link(self, request: Request) -> Response:
        """The button of whoever holds a link for one more passkey."""
        return await self._offer(request, request.query_params.get("secret", "")[:128])

    async def make(self, request: Request) -> Response:
        """The passkey that this device made."""
        fields = await form(request, ANSWER_MOST)
        if not from_here(request):
            return Response(status_code=403)
        link = one(fields, "link", 128)
        answer = PasskeyAnswer(handle=one(fields, "handle", 128), response=one(fields, "passkey", 16_384))
        made = PasskeyMade(link=link, answer=answer, label=one(fields, "label", 60), where=where(request))
        kept = await self.console.asked(request, made)
        if isinstance(kept, PasskeyKept):
            page = passkey_page(self.console.words(request), "", None, done=True)
            return self.console.html(request, "passkey.html", page)
        return await self._offer(request, link, kept if isinstance(kept, Turned) else Turned(why=Why.BUSY))

    async def _offer(self, request: Request, link: str, turned: Turned | None = None) -> Response:
        answer = await self.console.asked(request, PasskeyLinkOpened(link=link))
        good = answer if isinstance(answer, Registration) else None
        if good is None and turned is None:
            turned = answer if isinstance(answer, Turned) else Turned(why=Why.BUSY)
        page = passkey_page(self.console.words(request), link, good, turned)
        return self.console.html(request, "passkey.html", page, 403 if turned else 200)

    async def _shown(
        self, request: Request, here: Session, turned: Turned | None = None, *, changed: bool = False
    ) -> Response:
        try:
            people = await self.console.feed.ask(PeopleAsked(session=here.secret))
        except StationUnreachable:
            people = None
        found = people.people if isinstance(people, People) else []
        own = next((each for each in found if each.id == here.account), None)
        if own is None:  # whoever came with the link, or opened the envelope, has no account
            return self.console.refused(request)
        words, now = self.console.words(request), self.console.clock.now()
        page = account_page(own, words, now, here.csrf, turned=turned, changed=changed)
        return self.console.html(request, "account.html", page, 403 if turned else 200)


_DO: dict[str, type[AnyOrder]] = {"add": orders.AddPasskey, "remove": orders.RemovePasskey}


def _order(by: str, fields: Fields) -> AnyOrder:
    """The order that a form asks for. Raises `msgspec.ValidationError` or KeyError when it is none."""
    kind = _DO[one(fields, "do")]
    named = {"passkey": one(fields, "passkey")} if kind is orders.RemovePasskey else {}
    order: AnyOrder = msgspec.convert({**named, "by": by, "type": kind.__name__}, kind)
    return order
