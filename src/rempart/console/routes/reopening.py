"""Reopening in a browser: what loosens or proves waits for a passkey, closing and ticking go through at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.accounts.person import STAFF
from rempart.console.access import Session
from rempart.console.audience import audience
from rempart.console.duty import REOPENING
from rempart.console.refusal import Refusal, hindrance
from rempart.console.reopening import reopening_page
from rempart.console.routes.people import asked
from rempart.console.web import Fields, Orders, form, one, signed_in
from rempart.console.when import typed
from rempart.engine import orders
from rempart.engine.orders import AnyOrder, GateAnswer
from rempart.errors import StationUnreachable
from rempart.messages import Foreseen, OrderRejected, SimulationAsked
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState

if TYPE_CHECKING:
    from rempart.console.app import Console

_HOUR = 3600

Said = dict[str, object]
"""What an order says, beside who gives it."""

_SIMULATED = frozenset({"simulate", "simulate-end"})
"""Buttons that ask what would happen."""


def routes(console: "Console") -> list[Route]:
    """The address of reopening."""
    desk = _Reopening(console)
    return [
        Route(REOPENING, desk.page),
        Orders(REOPENING, form, desk.act, who=_staff, refused=console.refused, stale=desk.stale),
    ]


@dataclass(frozen=True, slots=True)
class _Reopening:
    console: "Console"

    async def page(self, request: Request) -> Response:
        """The way back, for everybody with an account: names and proofs only for those who may see everything."""
        here = signed_in(request)
        return self._shown(request, here) if here else self.console.refused(request)

    async def stale(self, request: Request, here: Session, _: Fields) -> Response:
        """A form without its token."""
        return self._hindered(request, here, "stale")

    async def act(self, request: Request, here: Session, fields: Fields) -> Response:
        """One order, or its simulation."""
        try:
            order = _order(here.account, fields)
        except (msgspec.ValidationError, ValueError):
            return self._hindered(request, here, "unreadable")
        if one(fields, "do") in _SIMULATED:
            return await self._simulate(request, here, order)
        back = f"{REOPENING}#{_part(order)}"
        if _at_once(order):
            return await self._give(request, here, order, back)
        return await asked(self.console, request, here, order, back)

    async def _simulate(self, request: Request, here: Session, order: AnyOrder) -> Response:
        try:
            answer = await self.console.feed.ask(SimulationAsked(order=order, session=here.secret))
        except StationUnreachable:
            answer = None
        match answer:
            case Foreseen():
                return self._shown(request, here, foreseen=answer)
            case OrderRejected():
                return self._shown(
                    request, here, refusal=Refusal(409, *self.console.refusal(request, answer))
                )
            case _:
                return self._hindered(request, here, "unreachable")

    async def _give(self, request: Request, here: Session, order: AnyOrder, back: str) -> Response:
        done = await self.console.give(request, here, order)
        if isinstance(done, Refusal):
            return self._shown(request, here, refusal=done)
        return RedirectResponse(back, 303)

    def _hindered(self, request: Request, here: Session, key: str) -> Response:
        return self._shown(request, here, refusal=hindrance(key, self.console.words(request)))

    def _shown(
        self,
        request: Request,
        here: Session,
        *,
        foreseen: Foreseen | None = None,
        refusal: Refusal | None = None,
    ) -> Response:
        page = reopening_page(
            self.console.site,
            self.console.told(audience(here)),
            here.visitor,
            self.console.words(request),
            self.console.clock.now(),
            here.csrf,
            foreseen=foreseen,
            refusal=refusal.what if refusal else "",
            advice=refusal.now if refusal else "",
        )
        return self.console.html(request, "reopening.html", page, refusal.code if refusal else 200)


def _staff(request: Request) -> Session | None:
    """The session of somebody to whom this page may offer something; the guard decides about every order by itself."""
    here = signed_in(request)
    return here if here and here.visitor and STAFF & set(here.visitor.roles) else None


def _part(order: AnyOrder) -> str:
    """The part of the page that an order is about."""
    match order:
        case orders.NoteProof():
            return "proofs"
        case orders.Normalise():
            return "end"
        case orders.TickOutside():
            return "outside"
        case _:
            return f"door-{getattr(order, 'opening', '')[:60]}"


def _at_once(order: AnyOrder) -> bool:
    """Whether a session is enough, as the guard sees it (`rempart.engine.rights.needs`)."""
    match order:
        case orders.AnswerGate(answer=answer):
            return not answer.passes
        case orders.SetOpening() | orders.TickOutside():
            return True
        case _:
            return False


def _order(by: str, fields: Fields) -> AnyOrder:
    """The order that a form asks for. Raises ValueError or `msgspec.ValidationError` when it is none."""
    button = one(fields, "do")
    if button not in _FORMS:
        raise ValueError(f"no order {button!r}")
    kind, said = _FORMS[button]
    order: AnyOrder = msgspec.convert({"by": by, **said(fields), "type": kind.__name__}, kind)
    return order


def _about_the_site(fields: Fields) -> Said:
    return {"reason": one(fields, "reason", 400).strip()}


def _about_a_door(fields: Fields) -> Said:
    return {**_about_the_site(fields), "opening": one(fields, "opening", 120)}


def _closed(fields: Fields) -> Said:
    return {**_about_a_door(fields), "state": OpeningState.CLOSED.value}


def _trial(fields: Fields) -> Said:
    return {
        **_about_a_door(fields),
        "state": one(fields, "state"),
        "seconds": int(one(fields, "hours", 4)) * _HOUR,
        "override": bool(one(fields, "override")),
    }


def _gate(fields: Fields) -> Said:
    said = {name: one(fields, name, 400).strip() for name in ("gate", "answer", "proof")}
    return {**_about_a_door(fields), **said}


def _approval(fields: Fields) -> Said:
    proof = one(fields, "proof", 400).strip()
    said = {"gate": Gate.APPROVAL.value, "answer": GateAnswer.YES.value, "proof": proof}
    return {**_about_a_door(fields), **said}


def _stage(fields: Fields) -> Said:
    return {**_about_a_door(fields), "stage": int(one(fields, "stage", 2))}


def _partner(fields: Fields) -> Said:
    condition = one(fields, "condition", 400).strip()
    return {**_about_a_door(fields), "condition": condition, "met": bool(one(fields, "met"))}


def _proof(fields: Fields) -> Said:
    return {
        "proves": one(fields, "proves"),
        "subject": one(fields, "subject", 120).strip(),
        "on": typed(one(fields, "on")),
        "proof": one(fields, "proof", 400).strip(),
    }


def _visit(fields: Fields) -> Said:
    return {
        **_about_a_door(fields),
        **{name: one(fields, name, 120).strip() for name in ("visitor", "source", "certificate")},
        "minutes": int(one(fields, "minutes", 3)),
        "hosts": one(fields, "hosts", 400).replace(",", " ").split(),
        "override": bool(one(fields, "override")),
    }


def _outside(fields: Fields) -> Said:
    return {
        "item": one(fields, "item", 120),
        "reply": one(fields, "reply"),
        "action": int(one(fields, "action", 3)),
        "proof": one(fields, "proof", 400).strip(),
    }


_FORMS: Mapping[str, tuple[type[AnyOrder], Callable[[Fields], Said]]] = {
    "trial": (orders.Reopen, _trial),
    "simulate": (orders.Reopen, _trial),
    "gate": (orders.AnswerGate, _gate),
    "approve": (orders.AnswerGate, _approval),
    "confirm": (orders.ConfirmTrial, _about_a_door),
    "confirm-override": (orders.ConfirmOverride, _about_a_door),
    "close": (orders.SetOpening, _closed),
    "stage": (orders.SetStage, _stage),
    "partner": (orders.NotePartner, _partner),
    "proof": (orders.NoteProof, _proof),
    "end": (orders.Normalise, _about_the_site),
    "simulate-end": (orders.Normalise, _about_the_site),
    "visit": (orders.OpenVisit, _visit),
    "outside": (orders.TickOutside, _outside),
}
"""What a form's button is called, the order that it gives, and what it reads for it."""
