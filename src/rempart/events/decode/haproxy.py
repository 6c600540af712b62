"""Reads haproxy's access lines: Rempart's own form, one JSON object a line, and haproxy's ``option httplog``."""

import re
from typing import Any

import orjson

from rempart.events import line as lines
from rempart.events import syslog_header, web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant

LOGSOURCE = LogSource(product="haproxy", category="webserver")
_BESIDE = ("opening", "backend", "refusal", "termination")
# client:port [time] frontend backend/server timers status bytes cookies termination connections queues headers request
_HTTP = re.compile(
    r"(?P<client>[0-9A-Fa-f.:]{2,45}):\d{1,5} \[[^\]]{1,40}\] (?P<frontend>\S{1,255}) (?P<backend>[^\s/]{1,255})/"
    r"(?P<server>\S{1,255}) [-+/\d]{5,80} (?P<status>-1|\d{3}) \+?(?P<size>\d{1,18}) \S{1,255} \S{1,255} "
    r"(?P<termination>[\w-]{4}) [\d/+]{5,60} [\d/]{3,20} (?:\{[^}]*\} ?){0,2}\"(?P<request>[^\"]*)(?:\"|$)"
    # What `option httpslog` adds: error, handshake, name asked for, version and cipher.
    r"(?: [-\d]{1,20}/[-0-9A-Fa-f]{1,32}/[-\d]{1,20}/[-\w]{1,20}/[-\d]{1,20} (?P<sni>[^\s/]{1,255})/\S{1,64})?",
    re.DOTALL,
)
_BROKEN = re.compile(
    r"[0-9A-Fa-f.:]{2,45}:\d{1,5} \[[^\]]{1,40}\] [^\s/]{1,255}/[^\s:]{1,255}: [A-Z][^\"]{1,500}"
)
_REQUEST = re.compile(r"(?P<method>[A-Z]{1,20}) (?P<uri>.*?)(?: HTTP/\d(?:\.\d)?)?", re.DOTALL)
_ESCAPED = re.compile(rb"#([0-9A-F]{2})")
_LAST_MILLISECOND = 253_402_300_799_999  # the end of the year 9999


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one access line; None for a connection that broke before anything was asked.

    Raises `DecodeError` when it is no such line.

    A line that the proxy cut off in the middle (a very long request) is read as far as it goes, so that length is no
    way to hide. Numbers that are absent are 0. Beyond the webserver fields there are ``opening``, ``backend``,
    ``refusal`` (the class of attack for which the filter refused), ``termination``, ``cs-bytes``, ``s-ip`` and
    ``s-port``.
    """
    text = lines.text(line, source, record)
    said = _object(text)
    if said is None or "src" not in said or "status" not in said:
        return _http(text, source, record)
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


def _http(text: str, source: str, record: int) -> Event | None:
    """The event of a line as ``option httplog`` or ``httpslog`` writes it, after the head that syslog put before it
    or without. Its own time names no zone, so the head's counts; headers that it captured have no names there, so
    they are left out.
    """
    head = syslog_header.parse(text)
    message = head.message if head else text
    found = _HTTP.fullmatch(message)
    if found is None and _BROKEN.fullmatch(message):
        return None
    if found is None:
        raise lines.refused("this is no access line of haproxy's", source, record)
    request = _unescaped(found["request"])
    asked = _REQUEST.fullmatch(request)
    fields = web.request(
        client=found["client"],
        method=asked["method"] if asked else "",
        uri=asked["uri"] if asked else request,
        status=max(0, int(found["status"])),
        size=int(found["size"]),
        host=found["sni"] or "",
    )
    fields |= {"backend": found["backend"], "termination": found["termination"]}
    return Event(LOGSOURCE, fields, source, record, head.time if head else None)


def _unescaped(value: str) -> str:
    """What the client really sent: haproxy writes quotes and what cannot be printed as ``#22``."""
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), value.encode("utf-8", "replace"))
    return raw.decode("utf-8", "backslashreplace")


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
