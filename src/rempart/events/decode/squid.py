"""Reads the access log of the proxy Squid: who went where on the web; in its native format and in ``combined``."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, from_datetime

LOGSOURCE = LogSource(product="squid", category="proxy")

_LINE = re.compile(
    r"(?P<time>\d{9,10}\.\d{3}) +(?P<took>-?\d{1,12}) (?P<client>[\w.:%-]{1,255}) "
    r"(?P<result>[A-Z_]{3,64})/(?P<status>\d{3}) "
    r"(?P<size>\d{1,18}) (?P<method>[A-Z_]{1,32}) (?P<url>\S{1,65536}) (?P<user>\S{1,1024}) "
    r"(?P<way>[A-Z_]{3,64})/(?P<peer>\S{1,255}) (?P<type>\S{1,255})(?: .*)?",
    re.DOTALL,
)


_COMBINED = re.compile(
    r"(?P<client>[\w.:%-]{1,255}) \S{1,255} (?P<user>\S{1,1024}) "
    r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<method>[A-Z_]{1,32}) (?P<url>[^\s"]{1,65536})(?: [A-Z]{1,8}/[\d.]{1,5})?" '
    r"(?P<status>\d{3}) (?P<size>\d{1,18}) "
    r'(?:"(?P<referer>[^"]{0,8192})" "(?P<agent>[^"]{0,8192})" )?(?P<result>[A-Z_]{3,64}):(?P<way>[A-Z_]{3,64})\s*'
)


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of Squid's.

    Beyond the names of Sigma's ``proxy`` there are ``result`` (``TCP_DENIED`` …), ``action`` and ``blocked``. The
    browser is in the formats ``combined`` only.
    """
    text = lines.text(line, source, record)
    found = _LINE.fullmatch(text) or _COMBINED.fullmatch(text)
    if found is None:
        raise lines.refused("this is no access line of Squid", source, record)
    also = found.groupdict()
    host, path = _parts(found["url"])
    fields = web.request(
        client=found["client"],
        method=found["method"],
        uri=path or found["url"],
        status=int(found["status"]),
        size=int(found["size"]),
        host=host,
        user=found["user"],
        user_agent=also.get("agent") or "",
        referer=also.get("referer") or "",
    )
    denied = "DENIED" in found["result"]
    fields |= web.browsed(fields, host) | {"cs-uri": lines.capped(found["url"]), "result": found["result"]}
    fields |= {"action": "deny" if denied else "allow", "blocked": "true" if denied else "false"}
    words = {"dst_ip": also.get("peer", "-"), "cs-content-type": also.get("type", "-")}
    fields |= {name: word for name, word in words.items() if word != "-"}
    return Event(LOGSOURCE, fields, source, record, _time(found["time"]))


def _time(written: str) -> Instant | None:
    try:
        return from_datetime(datetime.strptime(written, "%d/%b/%Y:%H:%M:%S %z"))
    except ValueError:
        pass
    try:
        return documents.moment(float(written))
    except ValueError:  # a day that is none
        return None


def _parts(url: str) -> tuple[str, str]:
    """Host, and path with query; a tunnel (``CONNECT example.org:443``) has no path."""
    if "://" not in url:
        return url, ""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", url.partition("://")[2].partition("/")[1] + url.partition("://")[
            2
        ].partition("/")[2]
    except ValueError:  # a bracket that is no IPv6 address
        return "", ""
