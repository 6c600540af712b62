"""Reads Microsoft 365's unified audit log: mail, files, sign-ins and alerts, from its API or from Log Analytics."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

AUDIT = LogSource(product="m365", service="audit")
EXCHANGE = LogSource(product="m365", service="exchange")
ALERTS = LogSource(product="m365", service="threat_management")
_FEDERATION = "add-federateddomain"
_MARKS = frozenset({"RecordType", "OrganizationId", "UserKey", "CreationTime"})


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of that log's.

    What stands in ``ExtendedProperties`` and ``Parameters`` as name and value is a field as well. For rules about
    alerts and Exchange there are ``eventSource``, ``eventName`` and ``status``.
    """
    said = documents.read(line, source, record)
    operation = documents.word(said, "Operation")
    workload = documents.word(said, "Workload") or documents.word(said, "OfficeWorkload")
    if not operation or len(_MARKS & said.keys()) < (1 if workload else 3):
        raise lines.refused("this is no record of Microsoft 365's audit log", source, record)
    fields = documents.flat(said)
    for name in ("ExtendedProperties", "OperationProperties", "Parameters"):
        fields |= documents.pairs(fields, said.get(name), "Name", "Value")
    alert = workload == "SecurityComplianceCenter"
    named = documents.word(said, "Name") if alert else ""
    fields |= {"eventName": named or operation}
    if workload:
        fields |= {"Workload": workload, "eventSource": workload}
    fields["status"] = "failure" if "fail" in documents.word(said, "ResultStatus").lower() else "success"
    logsource = EXCHANGE if operation.lower() == _FEDERATION else ALERTS if alert else AUDIT
    time = documents.moment(said.get("CreationTime") or said.get("TimeGenerated"))
    return Event(logsource, fields, source, record, time)
