"""Findings in bunches, and "this is normal here": tried, then confirmed with a passkey; listed, and ended early."""

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.console.access import Session
from rempart.console.exceptions import exceptions_page
from rempart.console.findings import Draft, Wanted, bunch_page, findings_page, place_of, trait_of
from rempart.console.frame import LOOKERS
from rempart.console.routes.people import asked
from rempart.console.web import Fields, Orders, form, one, session
from rempart.detection.finding import Kind, Level
from rempart.detection.inquiry import (
    BunchAsked,
    Bunches,
    BunchesAsked,
    BunchTold,
    ExceptionsAsked,
    ExceptionsTold,
    FromInquirer,
    Place,
    Preview,
    PreviewAsked,
)
from rempart.engine import orders
from rempart.errors import StationUnreachable
from rempart.messages import OrderDone, Ordered

if TYPE_CHECKING:
    from rempart.console.app import Console

EXCEPTIONS = "/exceptions"

_Answer = TypeVar("_Answer")
_Question = TypeVar("_Question", BunchesAsked, BunchAsked, PreviewAsked)


def routes(console: "Console") -> list[Route]:
    """The addresses of findings and exceptions."""
    desk = _Findings(console)
    bunch = "/findings/{day}/{bunch}"
    return [
        Route("/findings", desk.page),
        Route(bunch, desk.bunch),
        Orders(bunch, form, desk.draft, who=looker, refused=console.refused, stale=desk.stale_draft),
        Route(EXCEPTIONS, desk.exceptions),
        Orders(EXCEPTIONS, form, desk.end, who=looker, refused=console.refused, stale=desk.stale_end),
    ]


def looker(request: Request) -> Session | None:
    """The session of somebody who may look at the technician's pages."""
    here = session(request)
    return here if here and here.visitor and LOOKERS & set(here.visitor.roles) else None


@dataclass(frozen=True, slots=True)
class _Findings:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """The bunches of a day."""
        if looker(request) is None:
            return self.console.refused(request)
        wanted = _wanted(request)
        question = valid(
            BunchesAsked(day=wanted.day, level=wanted.level, kind=wanted.kind, after=_place(request))
        )
        told = await self._told(question or BunchesAsked(), Bunches)
        page = findings_page(told, wanted, self.console.words(request), self.console.clock.now())
        return self.console.html(request, "findings.html", page)

    async def bunch(self, request: Request) -> Response:
        """One bunch."""
        here = looker(request)
        if here is None:
            return self.console.refused(request)
        return await self._shown(request, here, Draft())

    async def stale_draft(self, request: Request, here: Session, _: Fields) -> Response:
        """A draft without its token."""
        return await self._again(request, here, Draft(), "refusal.stale")

    async def draft(self, request: Request, here: Session, fields: Fields) -> Response:
        """Try an exception, or make it."""
        chosen = []
        for sent in fields.get("trait", ()):
            with contextlib.suppress(msgspec.MsgspecError):
                chosen.append(trait_of(sent))
        draft = Draft(tuple(chosen), one(fields, "reason", 400).strip(), one(fields, "until", 10))
        rule = one(fields, "rule", 120)
        question = valid(PreviewAsked(rule=rule, traits=list(draft.traits)))
        if question is None:
            return await self._again(request, here, draft, "findings.choose")
        if not draft.reason:
            return await self._again(request, here, draft, "findings.say-why")
        if (preview := await self._told(question, Preview)) is None:
            return await self._again(request, here, draft, "findings.silent")
        draft = replace(draft, tried=preview)
        if one(fields, "do") != "make":
            return await self._shown(request, here, draft)
        even_grave = one(fields, "even_grave") == "yes"
        if preview.grave and not even_grave:
            return await self._again(request, here, draft, "findings.tick-grave")
        order = valid(
            orders.MakeException(
                by=here.account,
                reason=draft.reason,
                rule=rule,
                traits=list(draft.traits),
                until=draft.until,
                even_grave=bool(preview.grave),
            )
        )
        if order is None:
            return await self._again(request, here, draft, "findings.wrong-day")
        return await asked(self.console, request, here, order, EXCEPTIONS)

    async def exceptions(self, request: Request) -> Response:
        """All exceptions."""
        here = looker(request)
        if here is None:
            return self.console.refused(request)
        return await self._listed(request, here)

    async def stale_end(self, request: Request, here: Session, _: Fields) -> Response:
        """An end without its token."""
        words = self.console.words(request)
        return await self._listed(request, here, words.say("refusal.stale"), words.say("refusal.stale-now"))

    async def end(self, request: Request, here: Session, fields: Fields) -> Response:
        """End one before its day."""
        words = self.console.words(request)
        order = orders.EndException(by=here.account, exception=one(fields, "exception", 64))
        try:
            done = await self.console.feed.order(Ordered(order=order, session=here.secret))
        except StationUnreachable:
            return await self._listed(request, here, words.say("findings.guard-silent"))
        if not isinstance(done, OrderDone):
            return await self._listed(request, here, *self.console.refusal(request, done))
        return RedirectResponse(EXCEPTIONS, 303)

    # -- what they share -----------------------------------------------------------------------------------------

    async def _told(self, question: FromInquirer, wanted: type[_Answer]) -> _Answer | None:
        """The answer; None when watch gives none."""
        try:
            return await self.console.inquirer.ask(question, wanted)
        except StationUnreachable:
            return None

    async def _again(self, request: Request, here: Session, draft: Draft, key: str) -> Response:
        words = self.console.words(request)
        advice = f"{key}-now"
        refused = replace(
            draft, refusal=words.say(key), advice=words.say(advice) if words.has(advice) else ""
        )
        return await self._shown(request, here, refused)

    async def _shown(self, request: Request, here: Session, draft: Draft) -> Response:
        day, name = _whole(request.path_params["day"]) or 0, request.path_params["bunch"]
        question = valid(BunchAsked(day=day, bunch=name, before=_number(request, "before") or 0))
        told = (
            await self._told(question, BunchTold)
            if question
            else BunchTold(bunch=None, findings=[], before=None)
        )
        words, now = self.console.words(request), self.console.clock.now()
        page = bunch_page(told, day, name if question else "", words, now, here, draft)
        code = 409 if draft.refusal else 200 if page.rule or told is None else 404
        return self.console.html(request, "bunch.html", page, code)

    async def _listed(self, request: Request, here: Session, refusal: str = "", advice: str = "") -> Response:
        told = await self._told(ExceptionsAsked(skip=_number(request, "skip") or 0), ExceptionsTold)
        words, now = self.console.words(request), self.console.clock.now()
        page = exceptions_page(told, words, now, here, refusal=refusal, advice=advice)
        return self.console.html(request, "exceptions.html", page, 409 if refusal else 200)


_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def valid(asked_for: _Struct) -> _Struct | None:
    """The question or order if the other side would take it; None when a value of it is out of bounds."""
    try:
        return msgspec.json.decode(msgspec.json.encode(asked_for), type=type(asked_for))
    except msgspec.MsgspecError:
        return None


def _wanted(request: Request) -> Wanted:
    level, kind = _number(request, "level"), request.query_params.get("kind", "")
    return Wanted(
        day=_number(request, "day"),
        level=Level(level) if level is not None and level in set(Level) else Level.INFORMATIONAL,
        kind=Kind(kind) if kind in set(Kind) else None,
    )


def _place(request: Request) -> Place | None:
    with contextlib.suppress(ValueError):
        return place_of(request.query_params.get("after", ""))
    return None


def _number(request: Request, name: str) -> int | None:
    return _whole(request.query_params.get(name, ""))


def _whole(text: str) -> int | None:
    """The number that an address holds; thousands of digits are none, and Python refuses to read them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
