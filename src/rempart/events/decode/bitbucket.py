"""Reads Bitbucket's audit log."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="bitbucket", service="audit")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of Bitbucket's audit log."""
    said = documents.read(line, source, record)
    kind = said.get("auditType")
    if not isinstance(kind, dict) or not documents.word(kind, "action"):
        raise lines.refused("this is no record of Bitbucket's audit log", source, record)
    when = said.get("timestamp")
    if isinstance(when, dict):
        when = when.get("epochSecond")
    return Event(LOGSOURCE, documents.flat(said), source, record, documents.moment(when))
