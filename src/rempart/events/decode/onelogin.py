"""Reads OneLogin's events."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="onelogin", service="onelogin.events")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of OneLogin's."""
    said = documents.read(line, source, record)
    if "event_type_id" not in said:
        raise lines.refused("this is no record of OneLogin", source, record)
    when = said.get("created_at") or said.get("event_timestamp")
    return Event(LOGSOURCE, documents.flat(said), source, record, documents.moment(when))
