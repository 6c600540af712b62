"""Reads OpenCanary: whoever touches a decoy has no business there."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="opencanary", category="application")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of OpenCanary's."""
    said = documents.read(line, source, record)
    if "logtype" not in said or "node_id" not in said:
        raise lines.refused("this is no record of OpenCanary", source, record)
    fields = documents.flat(said)
    for name, other in (("src_ip", "src_host"), ("dst_ip", "dst_host")):
        if fields.get(other):
            fields.setdefault(name, fields[other])
    return Event(LOGSOURCE, fields, source, record, documents.moment(said.get("utc_time")))
