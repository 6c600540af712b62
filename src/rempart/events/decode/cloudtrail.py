"""Reads AWS CloudTrail: what was asked of Amazon's services, by whom, from where.

Two of SigmaHQ's rules ask for what CloudTrail does not write by that name: ``status`` and ``src_ip``.
"""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="aws", service="cloudtrail")
_NAMES = documents.spelling(
    "additionalEventData",
    "apiVersion",
    "awsRegion",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestParameters",
    "responseElements",
    "sourceIPAddress",
    "userAgent",
    "userIdentity",
)
_MARKS = frozenset({"awsRegion", "eventVersion", "recipientAccountId", "userIdentity"})


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of CloudTrail's."""
    said = documents.respelt(documents.read(line, source, record), _NAMES)
    service = documents.word(said, "eventSource")
    if not documents.word(said, "eventName") or not (
        "amazonaws" in service or (service and _MARKS & said.keys())
    ):
        raise lines.refused("this is no record of AWS CloudTrail", source, record)
    fields = documents.flat(said)
    failed = "errorCode" in fields or "errorMessage" in fields
    fields.setdefault("status", "failure" if failed else "success")
    if "sourceIPAddress" in fields:
        fields.setdefault("src_ip", fields["sourceIPAddress"])
    return Event(LOGSOURCE, fields, source, record, documents.moment(said.get("eventTime")))
