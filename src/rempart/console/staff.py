"""The staff page's own application: what anybody in the house may read, and nothing of the console.

It has no session, no form, no cookie and no way to the guard. Each page is made once a second at most for each
language: strangers who ask without end cost little.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rempart.console.app import STATIC, Guarded, rendered
from rempart.console.board import attack_poster, board_page, numbers_poster
from rempart.console.duty import ATTACK, NUMBERS
from rempart.console.frame import frame
from rempart.console.words import Words, chosen, words
from rempart.instants import Duration, Instant, after, seconds
from rempart.messages import Status
from rempart.ports import Clock
from rempart.site.site import Language, Site

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_KEPT: Duration = seconds(1)
_FONT = "fonts/atkinson-hyperlegible-next.woff2"

Look = Callable[[Instant], tuple[Status | None, Instant | None]]
"""How the site stands, as far as anybody may know it, or None; and when the guard last said so."""


@dataclass(frozen=True, slots=True)
class Staff:
    """The pages of one house."""

    site: Site
    clock: Clock
    look: Look
    _made: dict[tuple[str, Language], tuple[Instant, str]] = field(default_factory=dict)

    def app(self, names: frozenset[str]) -> Starlette:
        """The application, answering to ``names`` (``10.0.1.1:8421``)."""
        application = Starlette(
            routes=[
                Route("/", self.page),
                Route(NUMBERS, self.numbers),
                Route(ATTACK, self.attack),
                Route("/static/board.css", self.style),
                Route(f"/static/{_FONT}", self.font),
            ]
        )
        application.add_middleware(Guarded, names=names, tls=False)
        return application

    async def page(self, request: Request) -> Response:
        """Whom to call, what works, what to use instead."""
        now = self.clock.now()
        return self._kept(
            request, "staff.html", now, lambda spoken: board_page(self.site, *self.look(now), now, spoken)
        )

    async def numbers(self, request: Request) -> Response:
        """What to use instead, on paper."""
        now = self.clock.now()
        return self._kept(request, "numbers.html", now, lambda spoken: numbers_poster(self.site, now, spoken))

    async def attack(self, request: Request) -> Response:
        """What to do in a cyber-attack, on paper."""
        return self._kept(
            request, "attack.html", self.clock.now(), lambda spoken: attack_poster(self.site, spoken)
        )

    async def style(self, _: Request) -> Response:
        """How the pages look."""
        return Response(STATIC["board.css"], headers={"content-type": "text/css; charset=utf-8"})

    async def font(self, _: Request) -> Response:
        """Their typeface, where it was put."""
        if _FONT not in STATIC:
            return Response(status_code=404)
        return Response(STATIC[_FONT], headers={"content-type": "font/woff2"})

    def _kept(
        self, request: Request, template: str, now: Instant, make: "Callable[[Words], DataclassInstance]"
    ) -> Response:
        spoken = words(
            chosen(
                request.query_params.get("lang"),
                request.headers.get("accept-language", ""),
                self.site.languages,
            )
        )
        made, text = self._made.get((template, spoken.language), (Instant(0), ""))
        if not text or not made <= now < after(made, _KEPT):
            text = rendered(template, make(spoken), frame(self.site, spoken))
            self._made[template, spoken.language] = (now, text)
        return HTMLResponse(text)
