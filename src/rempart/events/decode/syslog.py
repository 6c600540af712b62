"""Reads any syslog line: time, machine, program and message, in the words of Sigma's linux services."""

from rempart.events import line as lines
from rempart.events import syslog_header
from rempart.events.event import Event, LogSource

_SERVICES = {
    "sshd": "sshd",
    "sshd-session": "sshd",
    "sudo": "sudo",
    "su": "auth",
    "login": "auth",
    "cron": "cron",
    "CRON": "cron",
    "auditd": "auditd",
    "kernel": "syslog",
    "clamd": "clamav",
    "freshclam": "clamav",
    "vsftpd": "vsftpd",
    "named": "named",
}


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `DecodeError` when it has no syslog head."""
    head = syslog_header.parse(lines.text(line, source, record))
    if head is None:
        raise lines.refused("this line has no syslog head", source, record)
    fields = {
        "message": lines.capped(head.message),
        "host": head.host,
        "program": head.program,
        "pid": head.pid or None,
    }
    logsource = LogSource(product="linux", service=_SERVICES.get(head.program, "syslog"))
    return Event(logsource, fields, source, record, head.time)
