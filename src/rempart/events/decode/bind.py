"""Reads the files that the name servers BIND and unbound write themselves: names asked for, and what else they say."""

import re

from rempart.events import line as lines
from rempart.events import linux
from rempart.events.event import Event
from rempart.instants import Instant

_NAMED = re.compile(
    r"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3} (?:[a-z-]{1,32}: )?(?:(?:debug \d{1,2}|[a-z]{4,8}): )?"
    r"(?P<message>.+)",
    re.DOTALL,
)
_UNBOUND = re.compile(r"\[(?P<time>\d{9,10})\] unbound(?P<message>\[\d{1,10}:[0-9a-f]{1,8}\] .+)", re.DOTALL)


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is of neither.

    The same fields as by syslog: ``query``, ``record_type``, ``src_ip`` for a question, else ``message``. BIND's time
    names no zone, so the event has none.
    """
    text = lines.text(line, source, record)
    program, found = "named", _NAMED.fullmatch(text)
    if found is None:
        program, found = "unbound", _UNBOUND.fullmatch(text)
    if found is None:
        raise lines.refused("this is no line of BIND's or unbound's own files", source, record)
    saying = linux.said(program, found["message"])
    time = Instant(int(found["time"]) * 1_000_000) if program == "unbound" else None
    fields = {
        name: word for name, word in saying.fields.items() if word
    }  # no machine and no process is named
    return Event(saying.logsource, fields, source, record, time)
