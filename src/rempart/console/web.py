"""What every handler needs of a request: its form, whether it comes from our own page, and from where."""

import json
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from rempart.console.access import Session

FORM_MOST = 8192
"""Bytes in the longest form."""

ANSWER_MOST = 24_576
"""Bytes in the longest form that carries a passkey's answer."""


async def form(request: Request, most: int = FORM_MOST) -> dict[str, list[str]]:
    """The fields of a posted form; an oversized or foreign one is empty, and then lacks its token."""
    try:
        return parse_qs((await body(request, most)).decode(), max_num_fields=24, keep_blank_values=True)
    except ValueError:
        return {}


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


def one(fields: dict[str, list[str]], name: str, longest: int = 256) -> str:
    """The first value of a field, cut to ``longest`` characters."""
    return next(iter(fields.get(name, ())), "")[:longest]


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
