"""The notice board for a session: the ward screen, live, and what hangs in the house, as the staff page shows it.

Strangers are served by `rempart.console.staff`, which is another process at another address.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.console.audience import Audience, audience, tasked
from rempart.console.board import BoardPage, attack_poster, board_page, numbers_poster
from rempart.console.duty import ATTACK, NUMBERS
from rempart.console.web import session
from rempart.console.words import Words

if TYPE_CHECKING:
    from rempart.console.app import Console


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

    async def ward(self, request: Request) -> Response:
        """The screen on a ward, live. A session is needed, because it is held open."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        spoken = self.console.words(request)
        shown = self.console.live.shown(spoken, audience(here), tasked(here)).digest
        return self.console.html(request, "ward.html", self._page(spoken, shown))

    async def staff(self, request: Request) -> Response:
        """Whom to call, what works, what to use instead."""
        if session(request) is None:
            return self.console.refused(request)
        return self.console.html(request, "staff.html", self._page(self.console.words(request)))

    async def numbers(self, request: Request) -> Response:
        """What to use instead, on paper."""
        if session(request) is None:
            return self.console.refused(request)
        poster = numbers_poster(self.console.site, self.console.clock.now(), self.console.words(request))
        return self.console.html(request, "numbers.html", poster)

    async def attack(self, request: Request) -> Response:
        """What to do in a cyber-attack, on paper."""
        if session(request) is None:
            return self.console.refused(request)
        return self.console.html(
            request, "attack.html", attack_poster(self.console.site, self.console.words(request))
        )

    def _page(self, spoken: Words, shown: str = "") -> BoardPage:
        return board_page(
            self.console.site,
            self.console.told(Audience.ONLOOKER),
            self.console.feed.seen,
            self.console.clock.now(),
            spoken,
            shown,
        )
