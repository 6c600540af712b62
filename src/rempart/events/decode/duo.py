"""Reads Duo's authentication log: second factors that were asked for, given, refused or reported."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="cisco", service="duo")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of Duo's."""
    said = documents.read(line, source, record)
    if not documents.word(said, "event_type") or not {"factor", "result"} <= said.keys():
        raise lines.refused("this is no record of Duo's authentication log", source, record)
    when = said.get("isotimestamp") or said.get("timestamp")
    return Event(LOGSOURCE, documents.flat(said), source, record, documents.moment(when))
