"""Logs, rules, health and settings: pages that tell and change nothing."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.adapters import certificate, clock
from rempart.console.health import Vitals, health_page
from rempart.console.routes.findings import looker
from rempart.console.rules import rules_page
from rempart.console.settings import settings_page
from rempart.console.sheet import SheetPage
from rempart.console.sources import sources_page
from rempart.detection.inquiry import RulesAsked, RulesTold, SourcesAsked, SourcesTold
from rempart.errors import StationUnreachable

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The addresses of these pages."""
    desk = _Technique(console)
    return [
        Route("/sources", desk.sources),
        Route("/rules", desk.rules),
        Route("/health", desk.health),
        Route("/settings", desk.settings),
    ]


@dataclass(frozen=True, slots=True)
class _Technique:
    console: "Console"

    async def sources(self, request: Request) -> Response:
        """What comes from each log."""
        if looker(request) is None:
            return self.console.refused(request)
        now = self.console.clock.now()
        return self._shown(request, sources_page(await _logs(self.console), self.console.words(request), now))

    async def rules(self, request: Request) -> Response:
        """Which rules are in force."""
        if looker(request) is None:
            return self.console.refused(request)
        now = self.console.clock.now()
        return self._shown(request, rules_page(await _rules(self.console), self.console.words(request), now))

    async def health(self, request: Request) -> Response:
        """Whether the station is well."""
        if looker(request) is None:
            return self.console.refused(request)
        vitals = await vitals_of(self.console)
        words, now = self.console.words(request), self.console.clock.now()
        return self._shown(request, health_page(self.console.site, vitals, words, now))

    async def settings(self, request: Request) -> Response:
        """What the station was told about the site."""
        if looker(request) is None:
            return self.console.refused(request)
        return self._shown(request, settings_page(self.console.site, self.console.words(request)))

    def _shown(self, request: Request, page: SheetPage) -> Response:
        return self.console.html(request, "sheet.html", page)


async def vitals_of(console: "Console") -> Vitals:
    """What is known of the station's parts just now."""
    sources, rules = await asyncio.gather(_logs(console), _rules(console))
    pem = console.certificate
    return Vitals(
        status=console.feed.status,
        seen=console.feed.seen,
        sources=sources,
        rules=rules,
        clock=clock.kept_right(),
        certificate=certificate.good_until(pem) if pem else None,
    )


async def _logs(console: "Console") -> SourcesTold | None:
    try:
        return await console.inquirer.ask(SourcesAsked(), SourcesTold)
    except StationUnreachable:
        return None


async def _rules(console: "Console") -> RulesTold | None:
    try:
        return await console.inquirer.ask(RulesAsked(), RulesTold)
    except StationUnreachable:
        return None
