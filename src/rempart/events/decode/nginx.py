r"""Reads nginx access lines in the format that Rempart asks of the servers inside.

    log_format rempart '$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent '
                       '"$http_referer" "$http_user_agent" "$host"';

nginx writes quotes, backslashes and unprintable bytes of a value as ``\xNN``, so the first quote ends the user's name.
The common "combined" format (no host, ``$time_local``) is read too.
"""

import re
from datetime import datetime

from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, from_datetime, parse_rfc3339

LOGSOURCE = LogSource(product="nginx", category="webserver")

_LINE = re.compile(
    r'(?P<client>\S+) - (?P<user>[^"]*) \[(?P<time>[^\]"]{1,40})\] "(?P<request>[^"]*)" '
    r"(?P<status>\d{3}) (?P<size>\d{1,18})"
    r'(?: "(?P<referer>[^"]*)" "(?P<agent>[^"]*)")?(?: "(?P<host>[^"]*)")?'
)
_REQUEST = re.compile(r"(?P<method>[A-Z]{1,20}) (?P<uri>.*?)(?: HTTP/\d(?:\.\d)?)?", re.DOTALL)
_ESCAPED = re.compile(rb"\\x([0-9A-Fa-f]{2})")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one access line. Raises `DecodeError` when it is no such line."""
    found = _LINE.fullmatch(lines.text(line, source, record))
    if found is None:
        raise lines.refused(
            "this is no nginx access line in the format 'rempart' or 'combined'", source, record
        )
    asked = _REQUEST.fullmatch(_unescaped(found["request"]))
    fields = web.request(
        client=found["client"],
        method=asked["method"] if asked else "",
        uri=asked["uri"] if asked else _unescaped(found["request"]),
        status=int(found["status"]),
        size=int(found["size"]),
        host=_unescaped(found["host"]),
        user=_unescaped(found["user"]),
        user_agent=_unescaped(found["agent"]),
        referer=_unescaped(found["referer"]),
    )
    return Event(LOGSOURCE, fields, source, record, _time(found["time"], source, record))


def _unescaped(value: str | None) -> str:
    """What the client really sent; bytes that are not UTF-8 stay written as ``\\xNN``."""
    raw = (value or "").encode()
    return _ESCAPED.sub(lambda m: bytes.fromhex(m[1].decode()), raw).decode("utf-8", "backslashreplace")


def _time(text: str, source: str, record: int) -> Instant:
    try:
        if text[4:5] == "-":
            return parse_rfc3339(text)
        return from_datetime(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z"))
    except (ValueError, OverflowError) as error:
        raise lines.refused("the time of the request cannot be read", source, record) from error
