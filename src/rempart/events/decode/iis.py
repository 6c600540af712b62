"""Reads the logs of Microsoft's web server IIS in the W3C format: who asked it, or Exchange behind it, for what."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events import web
from rempart.events.columns import FIELDS
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="iis", category="webserver")

_HEADS = (FIELDS, b"#Software:", b"#Version:", b"#Date:", b"#Remark:", b"#Start-Date:", b"#End-Date:")
_MOST = 100
"""Columns that are read; IIS has 30, and those that an owner adds."""
_REQUEST = frozenset({"cs-method", "c-ip"})
"""Of the columns one must be there: other programs write this format too."""
_NUMBERS = frozenset({"sc-status", "sc-bytes"})


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one request; None for a line of a header. Raises `rempart.errors.DecodeError` for any other line.

    What the columns are called must be told: the record begins with the line ``#Fields:``, then a newline
    (`rempart.events.columns.joined`). Columns keep their names but for the request, which is in Sigma's words
    (`rempart.events.web.request`). IIS writes a blank as ``+``: in the browser's name it is a blank again.
    """
    header, told, row = lines.text(line, source, record).partition("\n")
    if not line.startswith(_HEADS):
        raise lines.refused("this is no line of a W3C log under its header", source, record)
    if not told:
        return None
    names, values = header.split()[1:], row.split(" ")
    if len(names) != len(values) or len(names) > _MOST or _REQUEST.isdisjoint(names):
        raise lines.refused("this is no request, or has other columns than its header", source, record)
    said = {name: value for name, value in zip(names, values, strict=True) if value not in ("", "-")}
    get = said.get
    query = get("cs-uri-query")
    fields = {name: lines.capped(value) for name, value in said.items() if "(" not in name}
    request = web.request(
        client=get("c-ip", ""),
        method=get("cs-method", ""),
        uri=get("cs-uri-stem", "") + (f"?{query}" if query else ""),
        status=_number(get("sc-status")),
        size=_number(get("sc-bytes")),
        host=get("cs-host", ""),
        user=get("cs-username", ""),
        user_agent=get("cs(User-Agent)", "").replace("+", " "),
        referer=get("cs(Referer)", ""),
    )
    fields |= {name: word for name, word in request.items() if name in said or name not in _NUMBERS}
    when = documents.moment(f"{said['date']}T{said['time']}Z") if {"date", "time"} <= said.keys() else None
    return Event(LOGSOURCE, fields, source, record, when)


def _number(said: str | None) -> int:
    return int(said) if said and len(said) < 19 and said.isascii() and said.isdigit() else 0
