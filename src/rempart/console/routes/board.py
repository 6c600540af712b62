"""The notice board: the ward screen for a session, the staff page and the posters for anybody in the house.

What needs no account is made once a second at most for each language: strangers who ask without end cost little.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rempart.console.audience import Audience, audience
from rempart.console.board import attack_poster, board_page, numbers_poster
from rempart.console.duty import ATTACK, NUMBERS
from rempart.console.web import session
from rempart.console.words import Words
from rempart.instants import Duration, Instant, after, seconds
from rempart.site.site import Language

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from rempart.console.app import Console

_KEPT: Duration = seconds(1)


def routes(console: "Console") -> list[Route]:
    """The addresses of the board."""
    desk = _Board(console)
    return [
        Route("/ward", desk.ward),
        Route("/staff", desk.staff),
        Route(NUMBERS, desk.numbers),
        Route(ATTACK, desk.attack),
    ]


@dataclass(frozen=True, slots=True)
class _Board:
    console: "Console"
    _made: dict[tuple[str, Language], tuple[Instant, str]] = field(default_factory=dict)

    async def ward(self, request: Request) -> Response:
        """The screen on a ward, live. A session is needed, because it is held open."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        spoken = self.console.words(request)
        shown = self.console.live.shown(spoken, audience(here)).digest
        return self.console.html(request, "ward.html", self._page(spoken, shown))

    async def staff(self, request: Request) -> Response:
        """Whom to call, what works, what to use instead: for anybody in the house."""
        return self._kept(request, "staff.html", self._page)

    async def numbers(self, request: Request) -> Response:
        """What to use instead, on paper."""
        console = self.console
        return self._kept(
            request, "numbers.html", lambda spoken: numbers_poster(console.site, console.clock.now(), spoken)
        )

    async def attack(self, request: Request) -> Response:
        """What to do in a cyber-attack, on paper."""
        return self._kept(request, "attack.html", lambda spoken: attack_poster(self.console.site, spoken))

    def _page(self, spoken: Words, shown: str = "") -> "DataclassInstance":
        feed = self.console.feed
        return board_page(
            self.console.site,
            self.console.told(Audience.ONLOOKER),
            feed.seen,
            self.console.clock.now(),
            spoken,
            shown,
        )

    def _kept(
        self, request: Request, template: str, make: "Callable[[Words], DataclassInstance]"
    ) -> Response:
        spoken, now = self.console.words(request), self.console.clock.now()
        made, text = self._made.get((template, spoken.language), (Instant(0), ""))
        if not text or not made <= now < after(made, _KEPT):
            text = self.console.plainly(template, make(spoken), spoken)
            self._made[template, spoken.language] = (now, text)
        return HTMLResponse(text)
