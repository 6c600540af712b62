"""The head of a syslog line: when, which machine, which program; then what it said (RFC 5424, RFC 3164)."""

import re
from dataclasses import dataclass

from rempart.instants import Instant, parse_rfc3339

_PRIORITY = re.compile(r"<(\d{1,3})>")
_RFC5424 = re.compile(
    r"1 (?P<time>\S{1,40}) (?P<host>\S{1,255}) (?P<program>\S{1,48}) (?P<pid>\S{1,128}) \S{1,32} "
    r"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: (?P<message>.*))?",
    re.DOTALL,
)
_FILE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d) "
    r"(?P<host>[\w.:-]{1,255}) (?P<program>[^\s:\[]{1,64})(?:\[(?P<pid>\d{1,10})\])?: ?(?P<message>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SyslogHeader:
    """Who said it, and ``message``: the rest of the line. ``time`` is None where the line names no year or zone."""

    time: Instant | None
    host: str
    program: str
    pid: str
    message: str


def parse(text: str) -> SyslogHeader | None:
    """The head of a line, in any of the forms that Debian's rsyslog and journald write; None when it has none."""
    text = _PRIORITY.sub("", text, count=1) if text.startswith("<") else text
    found = _RFC5424.fullmatch(text) or _FILE.fullmatch(text)
    if found is None:
        return None
    pid = found["pid"] or ""
    return SyslogHeader(
        time=_instant(found["time"]),
        host=found["host"],
        program=_program(found["program"]),
        pid="" if pid == "-" else pid,
        message=(found["message"] or "").removeprefix("\ufeff"),
    )


def _program(tag: str) -> str:
    """The program's own name: without its folder, and without PAM's module behind it (``su(pam_unix)``)."""
    name = tag.rpartition("/")[2]
    return name[: name.find("(", 1)] if name.endswith(")") and "(" in name[1:] else name


def _instant(text: str) -> Instant | None:
    """RFC 3164 times name no year and no zone, so they name no instant."""
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None
