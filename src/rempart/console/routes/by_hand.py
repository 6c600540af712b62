"""Saying what was done by hand, beside the path. Works without script; whoever came by the link says their name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.console.access import Session
from rempart.console.audience import audience
from rempart.console.by_hand import BY_HAND, by_hand_page, deed_and_step
from rempart.console.refusal import Refusal
from rempart.console.web import Fields, Orders, form, one, session
from rempart.console.when import typed
from rempart.engine.orders import TickByHand

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The address of what is done by hand."""
    desk = _ByHand(console)
    return [
        Route(BY_HAND, desk.page),
        Orders(BY_HAND, form, desk.tick, who=session, refused=console.refused, stale=desk.stale),
    ]


@dataclass(frozen=True, slots=True)
class _ByHand:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """The steps, and what was said of them."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        looks = audience(here)
        page = by_hand_page(
            self.console.site,
            self.console.told(looks),
            self.console.clock.now(),
            self.console.words(request),
            here.csrf,
            account=here.account,
            audience=looks,
        )
        return self.console.html(request, "by-hand-page.html", page)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self.console.sent_back(request, here, BY_HAND, "stale")

    async def tick(self, request: Request, here: Session, given: Fields) -> Response:
        """Write down what somebody says was done, or was not."""
        by = here.account or one(given, "by", 120).strip()
        try:
            order = _order(by, given)
        except (msgspec.ValidationError, ValueError):
            return self.console.sent_back(request, here, BY_HAND, "unreadable")
        done = await self.console.give(request, here, order)
        if isinstance(done, Refusal):
            return self.console.sent_back(request, here, BY_HAND, "", done.what, done.now)
        return RedirectResponse(BY_HAND, 303)


def _order(by: str, given: Fields) -> TickByHand:
    """Raises ValueError or `msgspec.ValidationError` when the form says nothing of the sort."""
    action, step = deed_and_step(one(given, "what", 40))
    on = one(given, "on", 40)
    said = {
        "type": TickByHand.__name__,
        "by": by,
        "action": action,
        "step": step,
        "target": one(given, "target", 120).strip(),
        "reply": one(given, "reply", 10),
        "note": one(given, "note", 400).strip(),
        "on": typed(on) if on else None,
    }
    return msgspec.convert(said, TickByHand)
