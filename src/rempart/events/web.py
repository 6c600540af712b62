"""A web request in the words of Sigma's ``webserver`` category, as any server's or proxy's log tells it."""

import re
from typing import Any
from urllib.parse import unquote_plus

from rempart.events.line import capped

_PORT = re.compile(r":\d{1,5}$")
_ROUNDS = 3
"""How often a URI is percent-decoded at most: attackers encode twice, nobody honest thrice."""


def request(
    *,
    client: str,
    method: str,
    uri: str,
    status: int,
    size: int,
    host: str = "",
    user: str = "",
    user_agent: str = "",
    referer: str = "",
) -> dict[str, Any]:
    """The fields of one request; what the log leaves empty or writes as ``-`` is absent.

    Beyond Sigma's names there are ``cs-uri`` (path and query as sent) and ``cs-uri-plain`` (the same percent-decoded
    until it stops changing, so that ``%252e%252e`` reads ``..``).
    """
    uri = capped(uri)
    stem, _, query = uri.partition("?")
    words = {
        "c-ip": client,
        "cs-method": method,
        "cs-uri": uri,
        "cs-uri-stem": stem,
        "cs-uri-query": query,
        "cs-uri-plain": plain(uri),
        "cs-host": _PORT.sub("", host.lower()),
        "cs-username": user,
        "cs-user-agent": user_agent,
        "cs-referer": referer,
    }
    fields: dict[str, Any] = {name: capped(word) for name, word in words.items() if word not in ("", "-")}
    return fields | {"sc-status": status, "sc-bytes": size}


def plain(uri: str) -> str:
    """The URI percent-decoded until it stops changing, three times at most."""
    for _ in range(_ROUNDS):
        decoded = unquote_plus(uri, errors="backslashreplace")
        if decoded == uri:
            break
        uri = decoded
    return uri
