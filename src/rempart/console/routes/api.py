"""The programming interface: everything the console does, for programs, with a token instead of a cookie.

No cookie is looked at, so that no page of another site can make a browser use it. The guard checks the same as for
people. The console itself checks who may read what it holds or asks watch for: the scope of reading, and the same roles
as for the page about it.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
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
from rempart.accounts.person import Role
from rempart.console.audience import audience_of
from rempart.console.findings import place_of, place_text
from rempart.console.frame import LOOKERS
from rempart.console.incident import INCIDENT_PAPERS, owed_for
from rempart.console.openapi import (
    ROOT,
    Asked,
    Credentials,
    Duties,
    Findings,
    Given,
    Health,
    Incidents,
    Problem,
    description,
)
from rempart.console.routes.incidents import ACCOUNT_PATIENCE, attaching, handed, printed
from rempart.console.routes.technique import vitals_of
from rempart.console.settings import settings_of
from rempart.console.web import ANSWER_MOST, Upload, body, where
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
    RulesAsked,
    RulesTold,
    SourcesAsked,
    SourcesTold,
)
from rempart.errors import StationUnreachable
from rempart.incidents.casefile import MOST_FILE_BYTES
from rempart.messages import (
    AccountAsked,
    AccountTold,
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
from rempart.phrase import advice, phrase
from rempart.site.language import Language

if TYPE_CHECKING:
    from rempart.console.app import Console

_Body = TypeVar("_Body", Given, Asked, Credentials, PreviewAsked)
_Question = TypeVar("_Question", BunchesAsked, BunchAsked, ExceptionsAsked)
_Told = TypeVar("_Told", Bunches, BunchTold, ExceptionsTold, Preview, SourcesTold, RulesTold)

_FILTERS = ("day", "level", "kind")
"""What may narrow the findings that are asked for."""

_BEAT = 3.0
"""Seconds after which a stream says that it lives when nothing changes."""

_DESCRIPTION = msgspec.json.encode(description())


def routes(console: "Console") -> list[Route]:
    """The addresses of the interface."""
    desk = _Api(console)
    one_incident = "/incidents/{incident}"
    return [
        _route("/openapi.json", desk.description),
        _route("/status", desk.status),
        _route("/health", desk.health),
        _route("/settings", desk.settings),
        _route("/events", desk.events),
        _route("/orders", desk.order, "POST"),
        _route("/questions", desk.question, "POST"),
        _route("/simulations", desk.simulate, "POST"),
        _route("/people", desk.people),
        _route("/names/{incident}", desk.names),
        _route("/incidents", desk.incidents),
        _route(one_incident, desk.incident),
        _route(f"{one_incident}/duties", desk.duties),
        *(_route(f"{one_incident}/papers/{kind}", partial(desk.paper, kind)) for kind in INCIDENT_PAPERS),
        _route(f"{one_incident}/files", desk.attach, "POST"),
        _route(f"{one_incident}/files/{{sha256}}", desk.file),
        _route("/findings", desk.findings),
        _route("/findings/{day}/{bunch}", desk.bunch),
        _route("/exceptions", desk.exceptions),
        _route("/previews", desk.preview, "POST"),
        _route("/sources", desk.sources),
        _route("/rules", desk.rules),
        _route("/session", desk.who),
        _route("/session", desk.sign_in, "POST"),
        _route("/session", desk.sign_out, "DELETE"),
    ]


def _route(path: str, answer: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
    """The address of an answer; a refusal that is raised on the way is answered as what is wrong."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except _Refused as refused:
            return refused.response()

    return Route(f"{ROOT}{path}", answered, methods=[method])


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
        _, visitor = await self._reader(request)
        return _json(self._status(visitor))

    async def health(self, request: Request) -> Response:
        """Whether the station itself is well."""
        await self._reader(request, LOOKERS)
        known = await vitals_of(self.console)
        sources = known.sources.sources if known.sources else []
        return _json(
            Health(
                guard=known.status is not None,
                heard=known.seen,
                watch=known.rules is not None,
                silent=[each.source for each in sources if each.silent],
                clock=known.clock,
                certificate=known.certificate,
                free=known.rules.free if known.rules else None,
                disk=known.rules.disk if known.rules else None,
            )
        )

    async def settings(self, request: Request) -> Response:
        """What the station was told about the site."""
        await self._reader(request, LOOKERS)
        return _json(settings_of(self.console.site))

    async def events(self, request: Request) -> Response:
        """How things are, again and again."""
        token, _ = await self._reader(request)
        if not self.console.live.room(token):
            raise _Refused(503, "too many look on already", "End one of the streams, or wait.")
        return StreamingResponse(self._changes(request, token), media_type="text/event-stream")

    async def _changes(self, request: Request, token: str) -> AsyncIterator[bytes]:
        """Each status as the person's roles of that moment may see it. Looking on is no use of a session."""
        console, told = self.console, object()
        console.live.come(token)
        try:
            while here := await console.visitors.session(token, where(request), looking=True):
                assert here.visitor
                if told is console.feed.status:
                    yield b":\n\n"
                elif seen := console.told(audience_of(here.visitor.roles)):
                    yield b"event: status\ndata: " + msgspec.json.encode(seen) + b"\n\n"
                else:
                    yield b"event: silent\ndata:\n\n"
                told = console.feed.status
                await console.feed.changed(_BEAT)
        finally:
            console.live.gone(token)

    async def order(self, request: Request) -> Response:
        """Give an order."""
        token = _token(request)
        given = await _read(request, Given)
        self._unhurried(request, token)
        sent = Ordered(order=given.order, session=token, answer=given.answer)
        return _json(await self._ask(sent, OrderDone))

    async def question(self, request: Request) -> Response:
        """The question for a passkey."""
        token = _token(request)
        asked = await _read(request, Asked)
        self._unhurried(request, token)
        return _json(await self._ask(ChallengeAsked(order=asked.order, session=token), Question))

    async def simulate(self, request: Request) -> Response:
        """What an order would do."""
        token = _token(request)
        asked = await _read(request, Asked)
        self._unhurried(request, token)
        return _json(await self._ask(SimulationAsked(order=asked.order, session=token), Foreseen))

    async def people(self, request: Request) -> Response:
        """Accounts and sessions."""
        token, _ = await self._who(request)
        return _json(await self._ask(PeopleAsked(session=token), People))

    async def names(self, request: Request) -> Response:
        """Who stands behind the masks of an incident, while that is unlocked."""
        token, _ = await self._who(request)
        incident = request.path_params["incident"][:200]
        return _json(await self._ask(NamesAsked(session=token, incident=incident), NamesTold))

    async def incidents(self, request: Request) -> Response:
        """The incidents that the station shows."""
        _, visitor = await self._reader(request)
        return _json(Incidents(incidents=self._status(visitor).incidents))

    async def incident(self, request: Request) -> Response:
        """One incident with its case file, as far as whoever asks may see it."""
        return _json(await self._incident(request))

    async def duties(self, request: Request) -> Response:
        """Whom the incident may oblige to tell; a clock only where a person has said yes."""
        told = await self._incident(request)
        if told.answers is None:
            raise _Refused(403, "your roles do not allow this")
        return _json(Duties(duties=list(owed_for(told.incident, told.answers, told.now))))

    async def paper(self, kind: str, request: Request) -> Response:
        """One of its papers as PDF."""
        token, _ = await self._reader(request)
        language = request.query_params.get("lang", self.console.site.languages[0])
        if language not in set(Language):
            raise _Refused(400, "the address is not what is described", "lang is fr, nl, de or en")
        asked = AccountAsked(incident=request.path_params["incident"][:120], session=token)
        told = await self._ask(asked, AccountTold, ACCOUNT_PATIENCE)
        assert isinstance(told, AccountTold)
        return await printed(kind, told.account, Language(language))

    async def attach(self, request: Request) -> Response:
        """Keep the bytes of the body with an incident."""
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
        return _json(await self._ask(Ordered(order=order, session=token, content=sent.content), OrderDone))

    async def file(self, request: Request) -> Response:
        """The bytes of an attached file."""
        token, _ = await self._who(request)
        incident, sha256 = request.path_params["incident"][:120], request.path_params["sha256"]
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise _Refused(403, "that is no SHA-256")
        told = await self._ask(FileAsked(incident=incident, sha256=sha256, session=token), FileTold)
        assert isinstance(told, FileTold)
        return handed(told)

    async def findings(self, request: Request) -> Response:
        """One page of the bunches of a day."""
        await self._reader(request, LOOKERS)
        asked: dict[str, object] = {
            name: request.query_params[name] for name in _FILTERS if name in request.query_params
        }
        if place := request.query_params.get("after"):
            asked["after"] = _place(place)
        wanted = _asked(asked, BunchesAsked)
        told = await self._inquire(wanted, Bunches)
        after = place_text(told.next) if told.next else ""
        return _json(Findings(day=told.day, days=told.days, bunches=told.bunches, next=after))

    async def bunch(self, request: Request) -> Response:
        """One bunch with a page of its findings."""
        await self._reader(request, LOOKERS)
        before = request.query_params.get("before", "0")
        told = await self._inquire(_asked({**request.path_params, "before": before}, BunchAsked), BunchTold)
        if told.bunch is None:
            raise _Refused(404, "this bunch is not, or no longer, kept")
        return _json(told)

    async def exceptions(self, request: Request) -> Response:
        """One page of exceptions."""
        await self._reader(request, LOOKERS)
        wanted = _asked({"skip": request.query_params.get("skip", "0")}, ExceptionsAsked)
        return _json(await self._inquire(wanted, ExceptionsTold))

    async def preview(self, request: Request) -> Response:
        """What an exception would have hidden."""
        await self._reader(request, LOOKERS)
        return _json(await self._inquire(await _read(request, PreviewAsked), Preview))

    async def sources(self, request: Request) -> Response:
        """What comes from each log."""
        await self._reader(request, LOOKERS)
        return _json(await self._inquire(SourcesAsked(), SourcesTold))

    async def rules(self, request: Request) -> Response:
        """Which rules are in force."""
        await self._reader(request, LOOKERS)
        return _json(await self._inquire(RulesAsked(), RulesTold))

    async def _incident(self, request: Request) -> IncidentFile:
        token, _ = await self._reader(request)
        asked = IncidentAsked(incident=request.path_params["incident"][:120], session=token)
        told = await self._ask(asked, IncidentFile)
        assert isinstance(told, IncidentFile)
        return told

    async def who(self, request: Request) -> Response:
        """Whose token it is."""
        _, visitor = await self._who(request)
        return _json(visitor)

    async def sign_in(self, request: Request) -> Response:
        """Sign in; the answer's secret is the token."""
        given = await _read(request, Credentials)
        self._unhurried(request)
        asked = SignIn(
            name=given.name[:256],
            password=given.password[:256],
            code=given.code[:256],
            where=where(request),
        )
        return _json(await self._ask(asked, SessionOpened))

    async def sign_out(self, request: Request) -> Response:
        """End this session."""
        token, _ = await self._who(request)
        await self._ask(SignOut(session=token), object)
        self.console.visitors.forget(token)
        return Response(status_code=204)

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

    async def _reader(
        self, request: Request, roles: frozenset[Role] = frozenset(Role)
    ) -> tuple[str, Visitor]:
        """Whoever may read what is for these roles; the same roles see the page about it."""
        token, visitor = await self._who(request)
        if visitor.scopes is not None and Scope.READ not in visitor.scopes:
            raise _Refused(403, "this token is not for reading")
        if not roles & set(visitor.roles):
            refused = phrase("roles", roles=sorted(roles))
            raise _Refused(403, refused.text, advice(refused), key=refused.key)
        return token, visitor

    def _status(self, visitor: Visitor) -> Status:
        status = self.console.told(audience_of(visitor.roles))
        if status is None:
            raise _silent()
        return status

    async def _inquire(self, question: FromInquirer, wanted: type[_Told]) -> _Told:
        """Watch's answer."""
        try:
            return await self.console.inquirer.ask(question, wanted)
        except StationUnreachable as gone:
            raise _Refused(503, "watch does not answer", "What it would tell is not known now.") from gone

    async def _ask(self, question: FromConsole, wanted: type[Any], patience: float = 0) -> msgspec.Struct:
        try:
            answer = await self.console.feed.ask(question, patience)
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


def _asked(given: Mapping[str, object], kind: type[_Question]) -> _Question:
    """The question that an address asks; its values are text."""
    try:
        return msgspec.convert(given, kind, strict=False)
    except ValueError as fault:  # msgspec's own among them
        raise _unlike(fault) from fault


def _place(after: str) -> Place:
    try:
        return place_of(after)
    except ValueError as fault:
        raise _unlike(fault) from fault


def _unlike(fault: ValueError) -> _Refused:
    return _Refused(400, "the address is not what is described", str(fault)[:200])


def _silent() -> _Refused:
    return _Refused(503, "the guard does not answer", "Nothing is known to have been done.")


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
