"""Looking behind masks: asking and agreeing wait for a passkey, reading is sealed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.accounts.conversation import NamesAsked, NamesTold
from rempart.console.access import Session
from rempart.console.audience import audience
from rempart.console.masks import masks_page
from rempart.console.routes.people import asked
from rempart.console.web import Fields, Orders, form, one, signed_in
from rempart.engine import orders
from rempart.errors import StationUnreachable
from rempart.messages import OrderRejected

if TYPE_CHECKING:
    from rempart.console.app import Console

PAGE = "/masks"


def routes(console: "Console") -> list[Route]:
    """The addresses of masks."""
    desk = _Masks(console)
    return [
        Route(PAGE, desk.page),
        Orders(PAGE, form, desk.act, who=signed_in, refused=console.refused, stale=desk.stale),
    ]


@dataclass(frozen=True, slots=True)
class _Masks:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """Incidents with masked accounts."""
        here = signed_in(request)
        return self._shown(request, here) if here else self.console.refused(request)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        words = self.console.words(request)
        stale = OrderRejected(what=words.say("refusal.stale"), now=words.say("refusal.stale-now"))
        return self._shown(request, here, refused=stale)

    async def act(self, request: Request, here: Session, fields: Fields) -> Response:
        """Ask, agree or read."""
        by, incident, reason = here.account, one(fields, "incident", 120), one(fields, "reason", 400)
        match one(fields, "do"):
            case "ask":
                order = orders.AskUnmasking(by=by, incident=incident, reason=reason)
                return await asked(self.console, request, here, order, PAGE)
            case "agree":
                agreed = orders.AgreeUnmasking(by=by, incident=incident)
                return await asked(self.console, request, here, agreed, PAGE)
            case _:
                return await self._read(request, here, incident)

    async def _read(self, request: Request, here: Session, incident: str) -> Response:
        words = self.console.words(request)
        try:
            answer = await self.console.feed.ask(NamesAsked(session=here.secret, incident=incident))
        except StationUnreachable:
            answer = None
        match answer:
            case NamesTold():
                return self._shown(request, here, told=answer)
            case OrderRejected():
                return self._shown(request, here, refused=answer)
            case _:
                silent = words.say("refusal.unreachable"), words.say("refusal.unreachable-now")
                return self._shown(request, here, refused=OrderRejected(what=silent[0], now=silent[1]))

    def _shown(
        self,
        request: Request,
        here: Session,
        *,
        told: NamesTold | None = None,
        refused: OrderRejected | None = None,
    ) -> Response:
        assert here.visitor
        refusal, advice = self.console.refusal(request, refused) if refused else ("", "")
        page = masks_page(
            self.console.site,
            self.console.told(audience(here)),
            here.visitor,
            self.console.words(request),
            self.console.clock.now(),
            here.csrf,
            told=told,
            refusal=refusal,
            advice=advice,
        )
        return self.console.html(request, "masks.html", page, 409 if refused else 200)
