"""Incidents: looking, and writing down what people know. The guard checks who may; files are only handed back."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.accounts.person import INFORMED
from rempart.adapters.paper import pdf
from rempart.console.access import Session
from rempart.console.audience import Audience, audience
from rempart.console.incident import INCIDENT_PAPERS, INCIDENTS, incident_page, incidents_page
from rempart.console.naming import Names
from rempart.console.papers import about_incident
from rempart.console.routes.people import asked
from rempart.console.web import Fields, Orders, Upload, form, one, session, signed_in, upload
from rempart.console.when import typed
from rempart.duties.catalogue import QuestionId
from rempart.duties.document import Account
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.errors import StationUnreachable
from rempart.incidents.casefile import MOST_FILE_BYTES, MOST_SEEN
from rempart.messages import (
    AccountAsked,
    AccountTold,
    FileAsked,
    FileTold,
    IncidentAsked,
    IncidentFile,
    OrderDone,
    Ordered,
    OrderRejected,
)
from rempart.site.language import Language

if TYPE_CHECKING:
    from rempart.console.app import Console

_FIELDS = MOST_SEEN + 24
_FORM_MOST = 32_768
_UPLOAD_MOST = MOST_FILE_BYTES + 8192
ACCOUNT_PATIENCE = 120.0
"""Seconds for the guard to read and verify its whole journal."""

_HASH = re.compile(r"[0-9a-f]{64}")


def routes(console: "Console") -> list[Route]:
    """The addresses of incidents."""
    desk = _Incidents(console)
    read, read_file = partial(form, most=_FORM_MOST, most_fields=_FIELDS), partial(upload, most=_UPLOAD_MOST)
    one_of_them, files = f"{INCIDENTS}/{{incident}}", f"{INCIDENTS}/{{incident}}/files"
    return [
        Route(INCIDENTS, desk.list),
        Route(one_of_them, desk.page),
        Orders(one_of_them, read, desk.write, who=signed_in, refused=console.refused, stale=desk.stale),
        Orders(files, read_file, desk.attach, who=signed_in, refused=console.refused, stale=desk.stale),
        Route(f"{files}/{{sha256}}", desk.file),
        *(Route(f"{one_of_them}/papers/{kind}", partial(desk.paper, kind)) for kind in INCIDENT_PAPERS),
    ]


@dataclass(frozen=True, slots=True)
class _Incidents:
    console: "Console"

    async def list(self, request: Request) -> Response:
        """All incidents, the gravest first."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        words = self.console.words(request)
        told = self.console.told(audience(here))
        names = Names(self.console.site, words, addresses=audience(here) is Audience.INFORMED)
        return self.console.html(request, "incidents.html", incidents_page(told, names, words))

    async def page(self, request: Request) -> Response:
        """One incident."""
        here = session(request)
        if here is None:
            return self.console.refused(request)
        return await self._shown(request, here)

    async def stale(self, request: Request, here: Session, _: Fields | Upload) -> Response:
        """A form without its token."""
        return await self._shown(request, here, *self._words(request, "stale"))

    async def write(self, request: Request, here: Session, fields: Fields) -> Response:
        """An order about it, from one of the page's forms."""
        try:
            order = _order(here.account, request.path_params["incident"][:120], fields)
        except (ValueError, KeyError):  # msgspec's own is a ValueError
            return await self._shown(request, here, *self._words(request, "unreadable"))
        if isinstance(order, orders.EraseFile):  # it cannot be undone: a passkey says so
            return await asked(self.console, request, here, order, f"{INCIDENTS}/{order.incident}")
        return await self._give(request, here, order)

    async def attach(self, request: Request, here: Session, sent: Upload) -> Response:
        """Keep a file with it."""
        try:
            order = attaching(here.account, request.path_params["incident"], sent)
        except ValueError:
            return await self._shown(request, here, *self._words(request, "no-file"))
        return await self._give(request, here, order, sent.content)

    async def file(self, request: Request) -> Response:
        """A file, to be saved: no browser opens it in our name."""
        here = session(request)
        if here is None or here.visitor is None or not INFORMED & set(here.visitor.roles):
            return self.console.refused(request)
        sha256 = request.path_params["sha256"]
        if not _HASH.fullmatch(sha256):
            return Response(status_code=404)
        asked = FileAsked(incident=request.path_params["incident"][:120], sha256=sha256, session=here.secret)
        answer = await self._ask(asked)
        return handed(answer) if isinstance(answer, FileTold) else Response(status_code=404)

    async def paper(self, kind: str, request: Request) -> Response:
        """One of its papers as PDF, to be saved and printed."""
        here = session(request)
        if here is None or here.visitor is None or not INFORMED & set(here.visitor.roles):
            return self.console.refused(request)
        asked = AccountAsked(incident=request.path_params["incident"][:120], session=here.secret)
        answer = await self._ask(asked, ACCOUNT_PATIENCE)
        match answer:
            case AccountTold(account=told):
                return await printed(kind, told, self.console.words(request).language)
            case OrderRejected():
                return await self._shown(request, here, *self.console.refusal(request, answer))
            case _:
                return await self._shown(request, here, *self._words(request, "unreachable"))

    # -- what they share -----------------------------------------------------------------------------------------

    async def _give(self, request: Request, here: Session, order: AnyOrder, content: bytes = b"") -> Response:
        answer = await self._ask(Ordered(order=order, session=here.secret, content=content))
        match answer:
            case OrderDone():
                return RedirectResponse(f"{INCIDENTS}/{request.path_params['incident']}", 303)
            case OrderRejected():
                return await self._shown(request, here, *self.console.refusal(request, answer))
            case _:
                return await self._shown(request, here, *self._words(request, "unreachable"))

    async def _shown(self, request: Request, here: Session, refusal: str = "", advice: str = "") -> Response:
        name = request.path_params["incident"][:120]
        answer = await self._ask(IncidentAsked(incident=name, session=here.secret))
        if not isinstance(answer, IncidentFile):
            return RedirectResponse(INCIDENTS, 303)
        if answer.incident.id != name and request.method == "GET":
            return RedirectResponse(f"{INCIDENTS}/{answer.incident.id}", 303)
        page = incident_page(
            answer,
            self.console.told(audience(here)),
            self.console.site,
            self.console.words(request),
            here.csrf,
            checking=audience(here) is Audience.INFORMED,
            refusal=refusal,
            advice=advice,
        )
        return self.console.html(request, "incident.html", page, 409 if refusal else 200)

    async def _ask(
        self, question: IncidentAsked | FileAsked | AccountAsked | Ordered, patience: float = 0
    ) -> object:
        try:
            return await self.console.feed.ask(question, patience)
        except StationUnreachable:
            return None

    def _words(self, request: Request, key: str) -> tuple[str, str]:
        words = self.console.words(request)
        return words.say(f"refusal.{key}"), words.say(f"refusal.{key}-now")


async def printed(kind: str, told: Account, language: Language) -> Response:
    """A paper of an incident as PDF. Setting it in type takes a moment, on a thread beside the pages."""
    made = await asyncio.to_thread(pdf, about_incident(kind, told, language))
    name = f"{kind}-{told.incident.id}.{language.value}.pdf"
    return Response(
        made,
        media_type="application/pdf",
        headers={"content-disposition": f'attachment; filename="{_safe(name)}"'},
    )


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-80:].lstrip(".") or "file"


def handed(file: FileTold) -> Response:
    """The file as something to save, whatever it is."""
    safe = _safe(file.name)
    return Response(
        file.content,
        headers={
            "content-type": "application/octet-stream",
            "content-disposition": f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(file.name, safe='')}",
            "x-content-type-options": "nosniff",
        },
    )


def attaching(by: str, incident: str, sent: Upload) -> orders.AttachFile:
    """The order that attaches a file. Raises `ValueError` when there is none."""
    said = {
        "by": by,
        "incident": incident[:120],
        "reason": sent.fields.get("reason", "")[:400],
        "name": sent.name[-120:] or "file",
        "size": len(sent.content),
        "sha256": hashlib.sha256(sent.content).hexdigest(),
    }
    return msgspec.convert(said, orders.AttachFile)


def _order(by: str, incident: str, fields: dict[str, list[str]]) -> AnyOrder:
    """The order of a form. Raises `ValueError` or `KeyError`."""
    do = one(fields, "do")
    said: dict[str, Any] = {"by": by, "incident": incident, "reason": one(fields, "reason", 400).strip()}
    match do:
        case "qualify":
            said |= {name: one(fields, name) for name in ("author", "intent", "ransom", "outcome")}
        case "assign":
            said |= {"person": one(fields, "person", 40)}
        case "comment":
            said |= {"text": one(fields, "text", 1000).strip()}
        case "erase":
            said |= {"sha256": one(fields, "sha256", 64)}
        case "merge":
            said = {
                "by": by,
                "into": incident,
                "merged": one(fields, "merged", 120),
                "reason": said["reason"],
            }
        case "split":
            said |= {"findings": [each[:120] for each in fields.get("finding", [])]}
        case "answer":
            said |= _answer(fields)
        case "sent":
            said |= {
                "duty": one(fields, "duty"),
                "on": typed(one(fields, "on")),
                "proof": one(fields, "proof", 400),
            }
    order: AnyOrder = msgspec.convert(said, _DO[do])
    return order


_DO: dict[str, Any] = {
    "qualify": orders.QualifyIncident,
    "assign": orders.AssignIncident,
    "comment": orders.CommentIncident,
    "erase": orders.EraseFile,
    "merge": orders.MergeIncidents,
    "split": orders.SplitIncident,
    "answer": orders.AnswerQuestion,
    "sent": orders.NoteSending,
}


def _answer(fields: dict[str, list[str]]) -> dict[str, Any]:
    question = QuestionId(one(fields, "question"))
    since = one(fields, "since")
    told: dict[str, Any] = {"question": question.value, "since": typed(since) if since else None}
    return told | (
        {"number": int(one(fields, "number", 16))} if question.number else {"reply": one(fields, "reply")}
    )
