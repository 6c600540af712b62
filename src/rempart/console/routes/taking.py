"""Taking an alert from the duty page. Works without script; whoever came by the link says their name first."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.console.access import Session
from rempart.console.taking import MOST, TAKE, take_page
from rempart.console.web import Fields, Orders, form, one, session
from rempart.engine.orders import Acknowledge
from rempart.errors import StationUnreachable
from rempart.messages import OrderDone, Ordered, OrderRejected

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The address at which an alert is taken."""
    desk = _Taking(console)
    return [Orders(TAKE, form, desk.take, who=session, refused=console.refused, stale=desk.stale)]


@dataclass(frozen=True, slots=True)
class _Taking:
    console: "Console"

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self._shown(request, here, 403, *self._words(request, "stale", "not-taken-now"))

    async def take(self, request: Request, here: Session, given: Fields) -> Response:
        """Take the alerts that the page showed: each is an order of its own."""
        codes = tuple(each[:120] for each in given.get("code", ())[:MOST])
        by = here.account or one(given, "by", 120).strip()
        if not by:
            return self._shown(request, here, 200, codes=codes)
        try:
            answers = [await self._acknowledge(code, by, here) for code in codes]
        except StationUnreachable:
            return self._shown(request, here, 503, *self._words(request, "not-taken", "not-taken-now"))
        done = [answer for answer in answers if isinstance(answer, OrderDone)]
        if done:
            await self.console.feed.caught_up(done[-1])
            return RedirectResponse("/", 303)
        refused = next((answer for answer in answers if isinstance(answer, OrderRejected)), None)
        told = (
            self.console.refusal(request, refused)
            if refused
            else self._words(request, "stale", "not-taken-now")
        )
        return self._shown(request, here, 409, *told)

    async def _acknowledge(self, code: str, by: str, here: Session) -> OrderDone | OrderRejected:
        return await self.console.feed.order(
            Ordered(order=Acknowledge(by=by, code=code), session=here.secret)
        )

    def _shown(
        self,
        request: Request,
        here: Session,
        code: int,
        refusal: str = "",
        advice: str = "",
        *,
        codes: tuple[str, ...] = (),
    ) -> Response:
        page = take_page(codes, self.console.words(request), here.csrf, refusal=refusal, advice=advice)
        return self.console.html(request, "take.html", page, code)

    def _words(self, request: Request, what: str, now: str) -> tuple[str, str]:
        words = self.console.words(request)
        return words.say(f"refusal.{what}"), words.say(f"refusal.{now}")
