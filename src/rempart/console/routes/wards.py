"""What the wards say, and the rehearsal: words are taken from a session, beginning a cut waits for a passkey."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.care.rehearsal import Question
from rempart.care.reply import Reply
from rempart.console.access import Session
from rempart.console.audience import audience
from rempart.console.refusal import Refusal, hindrance
from rempart.console.routes.people import asked
from rempart.console.wards import WARDS, wards_page
from rempart.console.web import Fields, Orders, form, one, signed_in
from rempart.engine import orders
from rempart.engine.orders import AnyOrder

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The address of the wards."""
    desk = _Wards(console)
    return [
        Route(WARDS, desk.page),
        Orders(WARDS, form, desk.say, who=signed_in, refused=console.refused, stale=desk.stale),
    ]


@dataclass(frozen=True, slots=True)
class _Wards:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """How the wards are."""
        here = signed_in(request)
        return self._shown(request, here) if here else self.console.refused(request)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self._hindered(request, here, "stale")

    async def say(self, request: Request, here: Session, fields: Fields) -> Response:
        """Take what a ward says, begin a rehearsal, or end it."""
        try:
            given = list(_orders(here.account, fields))
        except (msgspec.ValidationError, ValueError):
            return self._hindered(request, here, "unreadable")
        if len(given) == 1 and isinstance(given[0], orders.Rehearse):
            return await asked(self.console, request, here, given[0], WARDS)
        for order in given:
            done = await self.console.give(request, here, order)
            if isinstance(done, Refusal):
                return self._shown(request, here, done)
        return RedirectResponse(WARDS, 303)

    def _hindered(self, request: Request, here: Session, key: str) -> Response:
        return self._shown(request, here, hindrance(key, self.console.words(request)))

    def _shown(self, request: Request, here: Session, refusal: Refusal | None = None) -> Response:
        assert here.visitor
        page = wards_page(
            self.console.site,
            self.console.told(audience(here)),
            here.visitor,
            self.console.words(request),
            self.console.clock.now(),
            here.csrf,
            refusal=refusal.what if refusal else "",
            advice=refusal.now if refusal else "",
        )
        return self.console.html(request, "wards.html", page, refusal.code if refusal else 200)


def _orders(by: str, fields: dict[str, list[str]]) -> Iterator[AnyOrder]:
    """What a form asks for. Raises `msgspec.ValidationError` or ValueError when it is nothing that can be ordered."""
    ward, note = one(fields, "ward", 120), one(fields, "note", 400).strip()
    match one(fields, "do"):
        case "attest":
            said = {"type": "AttestCare", "by": by, "ward": ward, "reply": one(fields, "reply"), "note": note}
            yield msgspec.convert(said, orders.AttestCare)
        case "tick":
            answers = {each: one(fields, each.value) for each in Question}
            told = {each: Reply(reply) for each, reply in answers.items() if reply}
            if not told:
                raise ValueError("no question is answered")
            for question, reply in told.items():
                yield orders.TickWard(by=by, ward=ward, question=question, reply=reply, note=note)
        case "rehearse":
            said = {"type": "Rehearse", "by": by, "reason": note, "seconds": one(fields, "seconds")}
            yield msgspec.convert(said, orders.Rehearse, strict=False)
        case "end":
            yield orders.EndRehearsal(by=by)
        case other:
            raise ValueError(f"no such thing to do: {other[:40]!r}")
