"""Accounts and sessions: looking, changing, and what a passkey must confirm first."""

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.accounts.conversation import PasskeyAnswer, People, PeopleAsked, Question
from rempart.console.access import Session
from rempart.console.confirm import confirm_page, handed_page
from rempart.console.people import people_page
from rempart.console.web import ANSWER_MOST, Fields, Orders, form, one, signed_in
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.errors import StationUnreachable
from rempart.messages import ChallengeAsked, OrderDone, Ordered, OrderRejected

if TYPE_CHECKING:
    from rempart.console.app import Console

_PAGE = "/people"

_OURS = re.compile(r"/([a-z][a-z0-9-]*(/[A-Za-z0-9-]+)?)?(#[A-Za-z0-9-]+)?")
"""Addresses to which a confirmed order may lead back: paths of ours, never another host's (``//host``)."""


def routes(console: "Console") -> list[Route]:
    """The addresses of accounts, and of confirming an order with a passkey."""
    desk = _People(console)
    return [
        Route(_PAGE, desk.page),
        Orders(_PAGE, form, desk.change, who=signed_in, refused=console.refused, stale=desk.stale),
        Orders(
            "/confirm",
            partial(form, most=ANSWER_MOST),
            desk.confirm,
            who=signed_in,
            refused=console.refused,
            stale=desk.stale_answer,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _People:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """Accounts and sessions, as far as this visitor may see them."""
        here = signed_in(request)
        return await self._shown(request, here) if here else self.console.refused(request)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self.console.sent_back(request, here, _PAGE, "stale")

    async def stale_answer(self, request: Request, here: Session, fields: Fields) -> Response:
        """A passkey's answer without its token."""
        return self.console.sent_back(request, here, _back(fields), "stale")

    async def change(self, request: Request, here: Session, fields: Fields) -> Response:
        """An order about accounts: at once when it takes access away from a session, else for the passkey."""
        try:
            order = _order(here.account, fields)
        except (msgspec.ValidationError, KeyError):
            return self.console.sent_back(request, here, _PAGE, "unreadable")
        if isinstance(order, orders.EndSessions):
            return await self._give(request, here, order, None, _PAGE)
        return await asked(self.console, request, here, order, _PAGE)

    async def confirm(self, request: Request, here: Session, fields: Fields) -> Response:
        """An order with its passkey's answer. ``back`` is a page of ours."""
        back = _back(fields)
        try:
            order = msgspec.json.decode(one(fields, "order", 8192), type=AnyOrder)
        except (msgspec.MsgspecError, RecursionError):
            return self.console.sent_back(request, here, back, "unreadable")
        answer = PasskeyAnswer(handle=one(fields, "handle", 128), response=one(fields, "response", 16_384))
        return await self._give(request, here, order, answer, back)

    async def _give(
        self, request: Request, here: Session, order: AnyOrder, answer: PasskeyAnswer | None, back: str
    ) -> Response:
        try:
            done = await self.console.feed.order(Ordered(order=order, session=here.secret, answer=answer))
        except StationUnreachable:
            return self.console.sent_back(request, here, back, "unreachable")
        if not isinstance(done, OrderDone):
            return self.console.sent_back(request, here, back, "", *self.console.refusal(request, done))
        self.console.visitors.forget(here.key)
        await self.console.feed.caught_up(done)
        if not done.handed:
            return RedirectResponse(back, 303)
        words, handed = self.console.words(request), done.handed
        if page := _LINKED.get(type(order)):
            handed = f"{request.url.scheme}://{request.headers['host']}{page}?secret={handed}"
        return self.console.html(request, "handed.html", handed_page(order, handed, words, back))

    async def _shown(self, request: Request, here: Session) -> Response:
        try:
            people = await self.console.feed.ask(PeopleAsked(session=here.secret))
        except StationUnreachable:
            people = None
        if not isinstance(people, People) or here.visitor is None:
            return self.console.refused(request)
        words, now = self.console.words(request), self.console.clock.now()
        return self.console.html(
            request, "people.html", people_page(people, here.visitor, words, now, here.csrf)
        )


def _back(fields: Fields) -> str:
    back = one(fields, "back", 120)
    return back if _OURS.fullmatch(back) else _PAGE


async def asked(console: "Console", request: Request, here: Session, order: AnyOrder, back: str) -> Response:
    """The page on which the passkey confirms an order; afterwards to ``back``, one of our pages.

    Whoever may not give the order goes back at once, and is told who may.
    """
    if here.visitor is None:
        return console.refused(request)
    try:
        answer = await console.feed.ask(ChallengeAsked(order=order, session=here.secret))
    except StationUnreachable:
        answer = None
    match answer:
        case Question():
            page = confirm_page(order, answer, console.words(request), here.csrf, back)
            return console.html(request, "confirm.html", page)
        case OrderRejected():
            return console.sent_back(request, here, back, "", *console.refusal(request, answer))
        case _:
            return console.sent_back(request, here, back, "unreachable")


_LINKED: dict[type[AnyOrder], str] = {
    orders.EnrolPerson: "/link",
    orders.IssueLink: "/link",
    orders.AddPasskey: "/passkey",
}
"""Where the secret is used that an order hands over as a link."""

_DO: dict[str, type[AnyOrder]] = {
    "enrol": orders.EnrolPerson,
    "roles": orders.SetRoles,
    "disable": orders.DisablePerson,
    "enable": orders.EnablePerson,
    "link": orders.IssueLink,
    "sign-out": orders.EndSessions,
    "token": orders.IssueToken,
    "envelope": orders.SealEnvelope,
}


def _order(by: str, fields: dict[str, list[str]]) -> AnyOrder:
    """The order that a form asks for. Raises `msgspec.ValidationError` or KeyError when it is none."""
    kind = _DO[one(fields, "do")]
    given: dict[str, object] = {
        name: values[0].strip() for name, values in fields.items() if name not in ("do", "csrf", "by")
    }
    given |= {name: fields[name] for name in ("roles", "scopes") if name in fields}
    known = {name: value for name, value in given.items() if name in kind.__struct_fields__}
    order: AnyOrder = msgspec.convert({**known, "by": by, "type": kind.__name__}, kind, strict=False)
    return order
