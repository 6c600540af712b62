"""Reads the log of Linux's audit daemon (``/var/log/audit/audit.log``), raw or enriched."""

from rempart.events import audit
from rempart.events import line as lines
from rempart.events.event import Event


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is no audit record.

    Records of one number may be given together, the system call first, newlines between: `rempart.events.audit.join`.
    """
    found = audit.parse(lines.text(line, source, record))
    if found is None:
        raise lines.refused("this is no record of auditd", source, record)
    return Event(found.logsource, found.fields, source, record, found.time)
