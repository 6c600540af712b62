"""What every handler needs of a request: its form, whether it comes from our own page, and from where."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rempart.console.access import Session, same

FORM_MOST = 8192
"""Bytes in the longest form."""

ANSWER_MOST = 24_576
"""Bytes in the longest form that carries a passkey's answer."""


Fields = dict[str, list[str]]
"""The fields of a form."""


async def form(request: Request, most: int = FORM_MOST, *, most_fields: int = 24) -> Fields:
    """The fields of a posted form; an oversized or foreign one is empty, and then lacks its token."""
    try:
        return parse_qs(
            (await body(request, most)).decode(), max_num_fields=most_fields, keep_blank_values=True
        )
    except ValueError:
        return {}


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with one file (RFC 7578). ``name`` is the last part of what the browser called it: hostile text."""

    fields: dict[str, str]
    name: str = ""
    content: bytes = b""


async def upload(request: Request, most: int) -> Upload:
    """A posted form with a file; one that is too long or cannot be read has no field, and then lacks its token."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None:
        return Upload({})
    fields: dict[str, str] = {}
    name, content = "", b""
    delimiter = b"\r\n--" + boundary[1].encode()
    for part in (b"\r\n" + await body(request, most)).split(delimiter)[1:-1][:_MOST_PARTS]:
        head, _, value = part[2:].partition(b"\r\n\r\n")
        field = _FIELD.search(head)
        file = _FILE.search(head)
        if field and file:
            name, content = re.split(r"[/\\]", file[1].decode(errors="replace"))[-1], value
        elif field:
            fields[field[1].decode(errors="replace")] = value.decode(errors="replace")
    return Upload(fields, name, content)


_BOUNDARY = re.compile(r'^multipart/form-data;.*boundary="?([A-Za-z0-9\'()+_,./:=?-]{1,70})"?')
_HEAD = re.IGNORECASE | re.MULTILINE
_FIELD = re.compile(rb'^content-disposition: *form-data;.*?[; ]name="([^"\r\n]{0,60})"', _HEAD)
_FILE = re.compile(rb'^content-disposition: *form-data;.*?[; ]filename="([^"\r\n]{0,400})"', _HEAD)
_MOST_PARTS = 8


async def sent(request: Request, most: int = ANSWER_MOST) -> Any:
    """The JSON of a request; None when it is none."""
    try:
        return json.loads(await body(request, most))
    except (ValueError, RecursionError):
        return None


async def body(request: Request, most: int) -> bytes:
    """The whole body, empty when it is longer than ``most`` bytes."""
    whole = b""
    async for part in request.stream():
        whole += part
        if len(whole) > most:
            return b""
    return whole


def one(fields: Fields, name: str, longest: int = 256) -> str:
    """The first value of a field, cut to ``longest`` characters."""
    return next(iter(fields.get(name, ())), "")[:longest]


_Sent = TypeVar("_Sent", Fields, Upload)


class Orders(Route):
    """An address that takes orders. Every form of a session comes in through here, so that none goes unchecked.

    ``take`` is given only what came from one of our own pages, with the token of the session it came with. ``who`` says
    whose session may send it; nobody's is answered by ``refused``. ``stale`` answers a form without its token, which is
    most often one that stood open since before the console was started.
    """

    def __init__(
        self,
        path: str,
        read: Callable[[Request], Awaitable[_Sent]],
        take: Callable[[Request, Session, _Sent], Awaitable[Response]],
        *,
        who: Callable[[Request], Session | None],
        refused: Callable[[Request], Response],
        stale: Callable[[Request, Session, _Sent], Awaitable[Response]],
    ) -> None:
        async def checked(request: Request) -> Response:
            here, sent = who(request), await read(request)
            if here is None:
                return refused(request)
            if not from_here(request) or not same(_token(sent), here.csrf):
                return await stale(request, here, sent)
            return await self.take(request, here, sent)

        self.take: Callable[[Request, Session, Any], Awaitable[Response]] = take
        super().__init__(path, checked, methods=["POST"])


def _token(sent: Fields | Upload) -> str:
    return sent.fields.get("csrf", "") if isinstance(sent, Upload) else one(sent, "csrf")


def from_here(request: Request) -> bool:
    """A browser says where a form comes from; another origin's is refused even with the right token."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers['host']}"


def where(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else ""


def session(request: Request) -> Session | None:
    """The session that the request came with, as found before any handler runs."""
    found: Session | None = request.state.session
    return found


def signed_in(request: Request) -> Session | None:
    """The session of somebody with an account; None for whoever came with the link."""
    here = session(request)
    return here if here and here.visitor else None
