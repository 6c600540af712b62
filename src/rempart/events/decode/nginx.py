r"""Reads nginx access lines in the format that Rempart asks of the servers inside, and error lines.

    log_format rempart '$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent '
                       '"$http_referer" "$http_user_agent" "$host"';

nginx writes quotes, backslashes and unprintable bytes of a value as ``\xNN``, so the first quote ends the user's name.
The common "combined" format (no host, ``$time_local``) is read too, and so are the lines of the error log.
"""

import re
from datetime import datetime

from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, from_datetime, parse_rfc3339

LOGSOURCE = LogSource(product="nginx", category="webserver")
ERRORS = LogSource(product="nginx", service="nginx")

_LINE = re.compile(
    r'(?P<client>\S+) - (?P<user>[^"]*) \[(?P<time>[^\]"]{1,40})\] "(?P<request>[^"]*)" '
    r"(?P<status>\d{3}) (?P<size>\d{1,18})"
    r'(?: "(?P<referer>[^"]*)" "(?P<agent>[^"]*)")?(?: "(?P<host>[^"]*)")?'
)
_ERROR = re.compile(
    r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?P<level>\w{1,16})\] (?P<pid>\d{1,10})#\d{1,10}: (?P<message>.*)",
    re.DOTALL,
)
_CLIENT = re.compile(r", client: ([0-9A-Fa-f.:]{2,45})(?:,|$)")
_REQUEST = re.compile(r"(?P<method>[A-Z]{1,20}) (?P<uri>.*?)(?: HTTP/\d(?:\.\d)?)?", re.DOTALL)
_ESCAPED = re.compile(rb"\\x([0-9A-Fa-f]{2})")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one access or error line. Raises `DecodeError` when it is no such line."""
    text = lines.text(line, source, record)
    if error := _ERROR.fullmatch(text):
        return _failed(error, source, record)
    found = _LINE.fullmatch(text)
    if found is None:
        raise lines.refused(
            "this is no nginx access line in the format 'rempart' or 'combined', and no error line",
            source,
            record,
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


def _failed(error: re.Match[str], source: str, record: int) -> Event:
    """Its time names no zone, so it names no instant. What was asked for stands in the message unescaped, so the client
    is only named where no second one is.
    """
    fields = {name: lines.capped(error[name]) for name in ("level", "pid", "message")}
    clients = set(_CLIENT.findall(error["message"]))
    if len(clients) == 1:
        fields["c-ip"] = clients.pop()
    return Event(ERRORS, fields, source, record)


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
