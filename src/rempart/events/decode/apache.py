r"""Reads Apache's access lines (common, combined, with or without the virtual host before them) and its error lines.

Apache writes quotes of a value as ``\"``, unprintable bytes as ``\xNN``, and a body of no bytes as ``-``.
"""

import re
from datetime import datetime

from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, from_datetime

ACCESS = LogSource(product="apache", category="webserver")
ERRORS = LogSource(product="apache", service="apache")

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_ACCESS = re.compile(
    r"(?:(?P<host>[\w.-]{1,255}):\d{1,5} )?(?P<client>[\w.:%-]{1,255}) \S{1,255} "
    r"(?P<user>(?:[^\[]|\[(?!\d\d/)){1,1024}?) "
    rf"\[(?P<time>[^\]]{{1,40}})\] (?P<request>{_QUOTED}) (?P<status>\d{{3}}) (?P<size>\d{{1,18}}|-)"
    rf"(?: (?P<referer>{_QUOTED}) (?P<agent>{_QUOTED}))?(?: .*)?",
    re.DOTALL,
)
_ERROR = re.compile(
    r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]{8,15} \d{4})\] \[(?:\w{0,32}:)?(?P<level>\w{1,16})\]"
    r"(?: \[pid (?P<pid>\d{1,10})[^\]]{0,64}\])?(?: \[client (?P<client>[^\]]{1,64}?)(?::\d{1,5})?\])? (?P<message>.*)",
    re.DOTALL,
)
_REQUEST = re.compile(r"(?P<method>[A-Z]{1,20}) (?P<uri>.*?)(?: HTTP/\d(?:\.\d)?)?", re.DOTALL)
_ESCAPED = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is no access line and no error line."""
    text = lines.text(line, source, record)
    if error := _ERROR.fullmatch(text):
        return _failed(error, source, record)
    found = _ACCESS.fullmatch(text)
    time = _time(found["time"]) if found else None
    if found is None or time is None:
        raise lines.refused("this is no line of Apache's access or error log", source, record)
    asked = _REQUEST.fullmatch(_plain(found["request"]))
    fields = web.request(
        client=found["client"],
        method=asked["method"] if asked else "",
        uri=asked["uri"] if asked else _plain(found["request"]),
        status=int(found["status"]),
        size=0 if found["size"] == "-" else int(found["size"]),
        host=found["host"] or "",
        user=_plain(found["user"]),
        user_agent=_plain(found["agent"]),
        referer=_plain(found["referer"]),
    )
    return Event(ACCESS, fields, source, record, time)


def _failed(error: re.Match[str], source: str, record: int) -> Event:
    names = ("level", "pid", "message")
    fields = {name: lines.capped(error[name]) for name in names if error[name]}
    if error["client"]:
        fields["c-ip"] = error["client"]
    return Event(ERRORS, fields, source, record, None)  # its time names no zone


def _plain(quoted: str | None) -> str:
    """What the client really sent, without the quotes around it."""
    said = (quoted or "").removeprefix('"').removesuffix('"').encode()
    unescaped = _ESCAPED.sub(lambda m: bytes.fromhex(m[1].decode()) if m[1] else m[2], said)
    return unescaped.decode("utf-8", "backslashreplace")


def _time(text: str) -> Instant | None:
    try:
        return from_datetime(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z"))
    except (ValueError, OverflowError):
        return None
