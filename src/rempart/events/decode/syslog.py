"""Reads any syslog line: time, machine, program and message, in the words of Sigma's linux services."""

from rempart.events import line as lines
from rempart.events import linux, syslog_header
from rempart.events.event import Event


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it has no syslog head."""
    head = syslog_header.parse(lines.text(line, source, record))
    if head is None:
        raise lines.refused("this line has no syslog head", source, record)
    saying = linux.said(head.program, head.message, host=head.host, pid=head.pid)
    time = head.time if saying.time is None else saying.time
    return Event(saying.logsource, saying.fields, source, record, time)
