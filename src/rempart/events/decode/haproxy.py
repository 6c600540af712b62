"""Reads haproxy's access lines: one JSON object a line, in the form that Rempart's own proxy configuration asks for."""

from typing import Any

import orjson

from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant

LOGSOURCE = LogSource(product="haproxy", category="webserver")
_BESIDE = ("opening", "backend", "refusal", "termination")
_LAST_MILLISECOND = 253_402_300_799_999  # the end of the year 9999


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one access line. Raises `DecodeError` when it is no such line.

    A line that the proxy cut off in the middle (a very long request) is read as far as it goes, so that length is no
    way to hide. Numbers that are absent are 0. Beyond the webserver fields there are ``opening``, ``backend``,
    ``refusal`` (the class of attack for which the filter refused), ``termination``, ``cs-bytes``, ``s-ip`` and
    ``s-port``.
    """
    said = _object(lines.text(line, source, record))
    if said is None or "src" not in said or "status" not in said:
        raise lines.refused("this is no access line of Rempart's haproxy", source, record)
    query = _word(said, "query")
    fields = web.request(
        client=_word(said, "src"),
        method=_word(said, "method"),
        uri=_word(said, "path") + (f"?{query}" if query else ""),
        status=_number(said, "status"),
        size=_number(said, "bytes_out"),
        host=_word(said, "host"),
        user_agent=_word(said, "user_agent"),
        referer=_word(said, "referer"),
    )
    fields |= {
        "cs-bytes": _number(said, "bytes_in"),
        "s-ip": _word(said, "dst"),
        "s-port": _number(said, "dport"),
    }
    fields |= {name: word for name in _BESIDE if (word := _word(said, name))}
    return Event(LOGSOURCE, fields, source, record, _time(said, source, record))


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object, mended by dropping its last, unfinished member when the line was cut off."""
    start = text.find("{")  # syslog may have put a head before it
    whole = text[start:] if start >= 0 else ""
    for candidate in (whole, whole.rpartition(',"')[0] + "}"):
        try:
            said = orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
        return said if isinstance(said, dict) else None
    return None


def _word(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) and value != "-" else ""


def _number(said: dict[str, Any], name: str) -> int:
    value = said.get(name)
    return value if type(value) is int else 0


def _time(said: dict[str, Any], source: str, record: int) -> Instant | None:
    milliseconds = said.get("time")
    if milliseconds is None:
        return None
    if type(milliseconds) is not int or not 0 <= milliseconds <= _LAST_MILLISECOND:
        raise lines.refused("the time is no number of milliseconds since 1970", source, record)
    return Instant(milliseconds * 1000)
