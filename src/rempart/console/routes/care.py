"""Saying that care is blocked by the cut. Works without script; what cannot be written down still says what to use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.console.access import Session
from rempart.console.audience import audience
from rempart.console.care import OTHER, care_page
from rempart.console.duty import CARE
from rempart.console.web import Fields, Orders, form, one, session
from rempart.engine import orders
from rempart.errors import StationUnreachable
from rempart.messages import OrderDone, Ordered

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The address of blocked care."""
    desk = _Care(console)
    return [
        Route(CARE, desk.page),
        Orders(CARE, form, desk.report, who=session, refused=console.refused, stale=desk.stale),
    ]


@dataclass(frozen=True, slots=True)
class _Care:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """What is blocked? Or, with ``trouble``: what to use instead of it, and whom to call."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        return self._shown(request, here, 200, trouble=request.query_params.get("trouble", ""))

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self._refused(request, here, 403, "stale")

    async def report(self, request: Request, here: Session, given: Fields) -> Response:
        """Write it down."""
        spoken = self.console.words(request)
        chosen = one(given, "service", 120)
        service = one(given, "what", 120).strip() if chosen in ("", OTHER) else chosen
        if not service:
            return self._refused(request, here, 400, "nothing-blocked")
        said = {
            "type": orders.ReportTrouble.__name__,
            "by": here.account or one(given, "by", 120).strip() or spoken.say("word.duty-person"),
            "service": service,
            "ail": one(given, "ail"),
            "ward": one(given, "ward", 120),
            "note": one(given, "note", 400).strip(),
        }
        try:
            order = msgspec.convert(said, orders.ReportTrouble)
        except msgspec.ValidationError:
            return self._refused(request, here, 400, "unreadable", service)
        try:
            answer = await self.console.feed.order(Ordered(order=order, session=here.secret))
        except StationUnreachable:
            return self._refused(request, here, 503, "unwritten", service)
        if not isinstance(answer, OrderDone):
            refusal, advice = self.console.refusal(request, answer)
            return self._shown(request, here, 409, service=service, refusal=refusal, advice=advice)
        return RedirectResponse(f"{CARE}?trouble={await self._written(service)}", 303)

    async def _written(self, service: str) -> str:
        """The id of the report, once the status shows it; else nothing, and the next page lists it."""
        for _ in range(8):
            told = self.console.feed.status.care.troubles if self.console.feed.status else []
            found = [each.id for each in told if each.service == service and each.settled is None]
            if found:
                return found[-1]
            await self.console.feed.changed(0.25)
        return ""

    def _refused(self, request: Request, here: Session, code: int, why: str, service: str = "") -> Response:
        spoken = self.console.words(request)
        refusal, advice = spoken.say(f"refusal.{why}"), spoken.say(f"refusal.{why}-now")
        return self._shown(request, here, code, service=service, refusal=refusal, advice=advice)

    def _shown(
        self,
        request: Request,
        here: Session,
        code: int,
        *,
        trouble: str = "",
        service: str = "",
        refusal: str = "",
        advice: str = "",
    ) -> Response:
        page = care_page(
            self.console.site,
            self.console.told(audience(here)),
            self.console.clock.now(),
            self.console.words(request),
            here.csrf,
            account=here.account,
            audience=audience(here),
            trouble=trouble,
            service=service,
            refusal=refusal,
            advice=advice,
        )
        return self.console.html(request, "care.html", page, code)
