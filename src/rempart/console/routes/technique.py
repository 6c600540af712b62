"""Logs, rules, health and settings: pages that tell, and one thing to say: that the date is right."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.adapters import certificate, clock
from rempart.console.access import Session
from rempart.console.duty import HEALTH
from rempart.console.health import CLOCK, Vitals, health_page
from rempart.console.routes.findings import looker
from rempart.console.routes.people import asked
from rempart.console.rules import rules_page
from rempart.console.settings import settings_page
from rempart.console.sheet import SheetPage
from rempart.console.sources import sources_page
from rempart.console.web import Fields, Orders, form, one
from rempart.detection.inquiry import RulesAsked, RulesTold, SourcesAsked, SourcesTold
from rempart.engine import orders
from rempart.errors import StationUnreachable

if TYPE_CHECKING:
    from rempart.console.app import Console


def routes(console: "Console") -> list[Route]:
    """The addresses of these pages."""
    desk = _Technique(console)
    return [
        Route("/sources", desk.sources),
        Route("/rules", desk.rules),
        Route(HEALTH, desk.health),
        Orders(CLOCK, form, desk.confirm_clock, who=looker, refused=console.refused, stale=desk.stale),
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
        here = looker(request)
        if here is None or here.visitor is None:
            return self.console.refused(request)
        vitals = await vitals_of(self.console)
        words, now = self.console.words(request), self.console.clock.now()
        return self._shown(request, health_page(self.console.site, vitals, words, now, here.visitor.roles))

    async def confirm_clock(self, request: Request, here: Session, fields: Fields) -> Response:
        """Say that the date is right though the clock leapt."""
        order = orders.ConfirmClock(by=here.account, reason=one(fields, "reason", 400).strip())
        return await asked(self.console, request, here, order, HEALTH)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self.console.sent_back(request, here, HEALTH, "stale")

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
