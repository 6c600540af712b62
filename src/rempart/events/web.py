"""A web request in the words of Sigma's ``webserver`` and ``proxy``, as any log tells it."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
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

    ``cs-uri-query`` is path and query as sent: SigmaHQ's rules look for paths in it as often as for queries. Beyond
    Sigma's names there are ``cs-uri`` (the same) and ``cs-uri-plain`` (percent-decoded until it stops changing, so that
    ``%252e%252e`` reads ``..``).
    """
    uri = capped(uri)
    stem = uri.partition("?")[0]
    words = {
        "c-ip": client,
        "cs-method": method,
        "cs-uri": uri,
        "cs-uri-stem": stem,
        "cs-uri-query": uri,
        "cs-uri-plain": plain(uri),
        "cs-host": _PORT.sub("", host.lower()),
        "cs-username": user,
        "cs-user-agent": user_agent,
        "cs-referer": referer,
    }
    fields: dict[str, Any] = {name: capped(word) for name, word in words.items() if word not in ("", "-")}
    return fields | {"sc-status": status, "sc-bytes": size}


def browsed(fields: Mapping[str, Any], host: str) -> dict[str, Any]:
    """The same request in the words of Sigma's ``proxy`` category; ``fields`` are those of `request`.

    ``c-uri`` is there twice, as path and as whole address: rules begin it with either.
    """
    uri, stem = str(fields.get("cs-uri", "")), str(fields.get("cs-uri-stem", ""))
    path = uri if uri.startswith("/") or not uri else "/" + uri.partition("://")[2].partition("/")[2]
    whole = f"http://{host}{uri}" if uri.startswith("/") and host else uri
    name, dot, extension = stem.rpartition("/")[2].rpartition(".")
    words: dict[str, Any] = {
        "c-uri": [path, whole] if path != whole else uri,
        "c-uri-stem": stem,
        "c-uri-query": uri.partition("?")[2],
        "c-uri-extension": extension.lower() if name and dot else "",
        "c-useragent": fields.get("cs-user-agent", ""),
        "cs-referrer": fields.get("cs-referer", ""),
        "r-dns": _PORT.sub("", host.lower()),
    }
    return {name: word for name, word in words.items() if word}


def category(responder: str) -> str:
    """What a request seen on the wire is for Sigma: to an address inside a server's, else a browser's."""
    try:
        return "proxy" if ip_address(responder.partition("%")[0]).is_global else "webserver"
    except ValueError:
        return "proxy"


def plain(uri: str) -> str:
    """The URI percent-decoded until it stops changing, three times at most."""
    for _ in range(_ROUNDS):
        decoded = unquote_plus(uri, errors="backslashreplace")
        if decoded == uri:
            break
        uri = decoded
    return uri
