"""The programming interface: everything the console does, for programs, with a token instead of a cookie.

No cookie is looked at, so that no page of another site can make a browser use it. The guard checks the same as for
people; the console checks one scope itself, that of reading the status, since it holds the status anyway.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.accounts.conversation import (
    NamesAsked,
    NamesTold,
    People,
    PeopleAsked,
    Question,
    SessionOpened,
    SignIn,
    SignOut,
    Turned,
    Visitor,
    Why,
)
from rempart.accounts.credential import Scope
from rempart.accounts.person import INFORMED
from rempart.console.incident import owed_for
from rempart.console.openapi import ROOT, Asked, Credentials, Duties, Given, Problem, description
from rempart.console.routes.incidents import attaching, handed
from rempart.console.web import ANSWER_MOST, Upload, body, where
from rempart.errors import StationUnreachable
from rempart.incidents.casefile import MOST_FILE_BYTES
from rempart.messages import (
    ChallengeAsked,
    FileAsked,
    FileTold,
    Foreseen,
    FromConsole,
    IncidentAsked,
    IncidentFile,
    OrderDone,
    Ordered,
    OrderRejected,
    SimulationAsked,
    Status,
)

if TYPE_CHECKING:
    from rempart.console.app import Console

_Body = TypeVar("_Body", Given, Asked, Credentials)

_DESCRIPTION = msgspec.json.encode(description())


def routes(console: "Console") -> list[Route]:
    """The addresses of the interface."""
    desk = _Api(console)
    return [
        Route(f"{ROOT}/openapi.json", desk.description),
        Route(f"{ROOT}/status", desk.status),
        Route(f"{ROOT}/orders", desk.order, methods=["POST"]),
        Route(f"{ROOT}/questions", desk.question, methods=["POST"]),
        Route(f"{ROOT}/simulations", desk.simulate, methods=["POST"]),
        Route(f"{ROOT}/people", desk.people),
        Route(f"{ROOT}/names/{{incident}}", desk.names),
        Route(f"{ROOT}/incidents/{{incident}}", desk.incident),
        Route(f"{ROOT}/incidents/{{incident}}/duties", desk.duties),
        Route(f"{ROOT}/incidents/{{incident}}/files", desk.attach, methods=["POST"]),
        Route(f"{ROOT}/incidents/{{incident}}/files/{{sha256}}", desk.file),
        Route(f"{ROOT}/session", desk.who),
        Route(f"{ROOT}/session", desk.sign_in, methods=["POST"]),
        Route(f"{ROOT}/session", desk.sign_out, methods=["DELETE"]),
    ]


class _Refused(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, title: str, detail: str = "", *, wait: int = 0, key: str = "") -> None:
        self.code, self.title, self.detail, self.wait, self.key = code, title, detail, wait, key

    def response(self) -> Response:
        headers = {"content-type": "application/problem+json"}
        if self.code == 401:
            headers["www-authenticate"] = 'Bearer realm="rempart"'
        if self.wait:
            headers["retry-after"] = str(self.wait)
        problem = Problem(title=self.title, detail=self.detail, status=self.code, key=self.key)
        return Response(msgspec.json.encode(problem), self.code, headers)


@dataclass(frozen=True, slots=True)
class _Api:
    console: "Console"

    async def description(self, _: Request) -> Response:
        """What can be asked, in OpenAPI."""
        return Response(_DESCRIPTION, media_type="application/json")

    async def status(self, request: Request) -> Response:
        """How things are."""
        try:
            _, visitor = await self._who(request)
            if visitor.scopes is not None and Scope.READ not in visitor.scopes:
                raise _Refused(403, "this token is not for reading")
            status = self.console.feed.status
            if status is None:
                raise _silent()
            return _json(status if INFORMED & set(visitor.roles) else for_everybody(status))
        except _Refused as refused:
            return refused.response()

    async def order(self, request: Request) -> Response:
        """Give an order."""
        try:
            token = _token(request)
            given = await _read(request, Given)
            self._unhurried(request, token)
            sent = Ordered(order=given.order, session=token, answer=given.answer)
            return _json(await self._ask(sent, OrderDone))
        except _Refused as refused:
            return refused.response()

    async def question(self, request: Request) -> Response:
        """The question for a passkey."""
        try:
            token = _token(request)
            asked = await _read(request, Asked)
            self._unhurried(request, token)
            return _json(await self._ask(ChallengeAsked(order=asked.order, session=token), Question))
        except _Refused as refused:
            return refused.response()

    async def simulate(self, request: Request) -> Response:
        """What an order would do."""
        try:
            token = _token(request)
            asked = await _read(request, Asked)
            self._unhurried(request, token)
            return _json(await self._ask(SimulationAsked(order=asked.order, session=token), Foreseen))
        except _Refused as refused:
            return refused.response()

    async def people(self, request: Request) -> Response:
        """Accounts and sessions."""
        try:
            token, _ = await self._who(request)
            return _json(await self._ask(PeopleAsked(session=token), People))
        except _Refused as refused:
            return refused.response()

    async def names(self, request: Request) -> Response:
        """Who stands behind the masks of an incident, while that is unlocked."""
        try:
            token, _ = await self._who(request)
            incident = request.path_params["incident"][:200]
            return _json(await self._ask(NamesAsked(session=token, incident=incident), NamesTold))
        except _Refused as refused:
            return refused.response()

    async def incident(self, request: Request) -> Response:
        """One incident with its case file, as far as whoever asks may see it."""
        try:
            return _json(await self._incident(request))
        except _Refused as refused:
            return refused.response()

    async def duties(self, request: Request) -> Response:
        """Whom the incident may oblige to tell; a clock only where a person has said yes."""
        try:
            told = await self._incident(request)
            if told.answers is None:
                raise _Refused(403, "your roles do not allow this")
            return _json(Duties(duties=list(owed_for(told.incident, told.answers, told.now))))
        except _Refused as refused:
            return refused.response()

    async def attach(self, request: Request) -> Response:
        """Keep the bytes of the body with an incident."""
        try:
            token, visitor = await self._who(request)
            sent = Upload(
                {"reason": request.query_params.get("reason", "")},
                request.query_params.get("name", ""),
                await body(request, MOST_FILE_BYTES),
            )
            try:
                order = attaching(visitor.person, request.path_params["incident"], sent)
            except ValueError as fault:
                raise _Refused(400, "the body is empty or too long", str(fault)[:200]) from fault
            return _json(
                await self._ask(Ordered(order=order, session=token, content=sent.content), OrderDone)
            )
        except _Refused as refused:
            return refused.response()

    async def file(self, request: Request) -> Response:
        """The bytes of an attached file."""
        try:
            token, _ = await self._who(request)
            incident, sha256 = request.path_params["incident"][:120], request.path_params["sha256"]
            if not re.fullmatch(r"[0-9a-f]{64}", sha256):
                raise _Refused(403, "that is no SHA-256")
            told = await self._ask(FileAsked(incident=incident, sha256=sha256, session=token), FileTold)
            assert isinstance(told, FileTold)
            return handed(told)
        except _Refused as refused:
            return refused.response()

    async def _incident(self, request: Request) -> IncidentFile:
        token, visitor = await self._who(request)
        if visitor.scopes is not None and Scope.READ not in visitor.scopes:
            raise _Refused(403, "this token is not for reading")
        asked = IncidentAsked(incident=request.path_params["incident"][:120], session=token)
        told = await self._ask(asked, IncidentFile)
        assert isinstance(told, IncidentFile)
        return told

    async def who(self, request: Request) -> Response:
        """Whose token it is."""
        try:
            _, visitor = await self._who(request)
            return _json(visitor)
        except _Refused as refused:
            return refused.response()

    async def sign_in(self, request: Request) -> Response:
        """Sign in; the answer's secret is the token."""
        try:
            given = await _read(request, Credentials)
            self._unhurried(request)
            asked = SignIn(
                name=given.name[:256],
                password=given.password[:256],
                code=given.code[:256],
                where=where(request),
            )
            return _json(await self._ask(asked, SessionOpened))
        except _Refused as refused:
            return refused.response()

    async def sign_out(self, request: Request) -> Response:
        """End this session."""
        try:
            token, _ = await self._who(request)
            await self._ask(SignOut(session=token), object)
            self.console.visitors.forget(token)
            return Response(status_code=204)
        except _Refused as refused:
            return refused.response()

    # -- what they share -----------------------------------------------------------------------------------------

    def _unhurried(self, request: Request, token: str = "") -> None:
        """Let a stranger ask the guard only as fast as strangers may; a forged token is refused and sealed there."""
        visitors = self.console.visitors
        if not visitors.knows(token) and not visitors.may_ask(where(request)):
            raise _Refused(429, "too many tries", "Wait 5 s.", wait=5)

    async def _who(self, request: Request) -> tuple[str, Visitor]:
        token = _token(request)
        found = await self.console.visitors.session(token, where(request))
        if found is None or found.visitor is None:
            raise _Refused(401, "nobody is signed in with this token")
        return token, found.visitor

    async def _ask(self, question: FromConsole, wanted: type[Any]) -> msgspec.Struct:
        try:
            answer = await self.console.feed.ask(question)
        except StationUnreachable as gone:
            raise _silent() from gone
        match answer:
            case OrderRejected(what=what, now=now, said=said):
                raise _Refused(403, what, now, key=said.key if said else "")
            case Turned(why=Why.WAIT | Why.BUSY, seconds=seconds):
                raise _Refused(429, "too many tries", f"Wait {seconds} s.", wait=max(1, seconds))
            case Turned(why=why):
                raise _Refused(401, f"not let in: {why.value}")
            case msgspec.Struct() as given if isinstance(answer, wanted):
                return given
        raise _silent()


def for_everybody(status: Status) -> Status:
    """The status without what only those who check on things may read: legal clocks and counts of persons."""
    incidents = [msgspec.structs.replace(each, persons_touched=None) for each in status.incidents]
    return msgspec.structs.replace(status, clocks=[], incidents=incidents)


def _token(request: Request) -> str:
    """The token of the request's Authorization header (RFC 6750, 2.1)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= 128 or not token.isascii():
        raise _Refused(401, "a token is needed", "Authorization: Bearer …")
    return token


async def _read(request: Request, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(await body(request, ANSWER_MOST), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise _Refused(400, "the body is not what is described", str(fault)[:200]) from fault


def _silent() -> _Refused:
    return _Refused(503, "the guard does not answer", "Nothing is known to have been done.")


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
