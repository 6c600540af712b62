"""The list of the papers, and each that the console makes: to be printed from the browser, without script."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.console.audience import audience
from rempart.console.papers import PAPERS, Kind, Make, kinds, may_have, paper_page, papers_page
from rempart.console.web import session

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The addresses of the papers."""
    desk = _Papers(console)
    return [
        Route(PAPERS, desk.all),
        *(
            Route(f"{PAPERS}/{kind.id}", partial(desk.one, kind, kind.make))
            for kind in kinds(console.site)
            if kind.make
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Papers:
    console: "Console"

    async def all(self, request: Request) -> Response:
        """Which papers there are, and when each is needed."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        page = papers_page(self.console.site, self.console.words(request), here)
        return self.console.html(request, "papers.html", page)

    async def one(self, kind: Kind, make: Make, request: Request) -> Response:
        """One paper, for whoever may have it."""
        here, console = session(request), self.console
        if here is None or not may_have(kind, here):
            return console.refused(request)
        said = console.words(request)
        made = make(console.site, console.told(audience(here)), console.clock.now(), said.language)
        return console.html(request, "paper.html", paper_page(console.site, made, said))
