"""Reads Okta's system log: sign-ins, factors, policies and who changed them.

Sigma's older rules write its names in small letters (``eventtype``), so each is there in both spellings.
"""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="okta", service="okta")
_NAMES = documents.spelling(
    "authenticationContext",
    "debugContext",
    "displayMessage",
    "eventType",
    "legacyEventType",
    "securityContext",
)


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of Okta's."""
    said = documents.respelt(documents.read(line, source, record), _NAMES)
    if not documents.word(said, "eventType") or not {"actor", "outcome"} <= said.keys():
        raise lines.refused("this is no record of Okta's system log", source, record)
    fields = documents.flat(said)
    fields |= {name.lower(): value for name, value in fields.items() if name.lower() not in fields}
    return Event(LOGSOURCE, fields, source, record, documents.moment(said.get("published")))
