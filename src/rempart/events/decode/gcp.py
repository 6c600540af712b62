"""Reads Google Cloud's audit logs, and those of Google Workspace that are kept with them or come from its API."""

from typing import Any

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

AUDIT = LogSource(product="gcp", service="gcp.audit")
_WORKSPACE = {"admin.googleapis.com": "admin", "login.googleapis.com": "login"}
_SERVICES = {
    name: LogSource(product="gcp", service=f"google_workspace.{name}") for name in _WORKSPACE.values()
}
_NAMES = documents.spelling("protoPayload", "logName", "insertId", "receiveTimestamp")
_MARKS = frozenset({"methodName", "serviceName", "authorizationInfo"})
_OTHER = LogSource(product="gcp", service="google_workspace")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one entry. Raises `rempart.errors.DecodeError` when it is no audit entry of Google's.

    Rules write names in three ways, and each is there: as Google does (``protoPayload.methodName``), under ``data.``
    (Pub/Sub), and Elastic's ``gcp.audit.method_name``. Workspace's have ``eventService`` and ``eventName``, and their
    parameters by name (``setting_name``, ``new_value``).
    """
    said = documents.read(line, source, record)
    if isinstance(inner := said.get("data"), dict) and "protoPayload" in inner:
        said = inner
    said = documents.respelt(said, _NAMES)
    if _is_reported(said):
        return _reported(said, source, record)
    payload = said.get("protoPayload")
    if not isinstance(payload, dict) or not _MARKS & payload.keys():
        raise lines.refused("this is no audit entry of Google Cloud", source, record)
    fields = _audit(said, payload)
    workspace = _WORKSPACE.get(documents.word(payload, "serviceName"))
    logsource = _SERVICES[workspace] if workspace else AUDIT
    when = said.get("timestamp") or said.get("receiveTimestamp")
    return Event(logsource, fields, source, record, documents.moment(when))


def _is_reported(said: documents.Fields) -> bool:
    identity = said.get("id")
    if not isinstance(identity, dict) or not documents.word(identity, "applicationName"):
        return False
    return isinstance(said.get("events"), list) or bool(documents.word(said, "name"))


def _audit(said: documents.Fields, payload: documents.Fields) -> documents.Fields:
    fields = documents.flat(said)
    for name, inner in (("logName", "logName"), ("resource.type", "resource.type")):
        if name in fields:
            fields.setdefault(f"protoPayload.{inner}", fields[name])
    fields |= {f"data.{name}": value for name, value in fields.items() if name.startswith("protoPayload")}
    service, method = documents.word(payload, "serviceName"), documents.word(payload, "methodName")
    also = {"gcp.audit.method_name": method, "gcp.audit.service_name": service, "eventService": service}
    fields |= {name: word for name, word in also.items() if word}
    if service:
        fields["protoPayload.Servicename"] = service
    metadata = payload.get("metadata")
    events = metadata.get("event") if isinstance(metadata, dict) else None
    return fields | _happened(fields, events if isinstance(events, list) else [events])


def _reported(said: documents.Fields, source: str, record: int) -> Event:
    """An activity as the Reports API gives it."""
    identity = said.get("id")
    about = identity if isinstance(identity, dict) else {}
    application = documents.word(about, "applicationName")
    fields = documents.flat(said) | {"eventService": f"{application}.googleapis.com"}
    events = said.get("events")
    fields |= _happened(fields, events if isinstance(events, list) else [said])
    if "eventName" in fields:
        fields["protoPayload.serviceName"] = fields["protoPayload.Servicename"] = fields["eventService"]
        fields["protoPayload.metadata.event.eventName"] = fields["eventName"]
    return Event(
        _SERVICES.get(application, _OTHER), fields, source, record, documents.moment(about.get("time"))
    )


def _happened(fields: documents.Fields, events: list[Any]) -> documents.Fields:
    """Name and parameters of what happened, in either of the two spellings."""
    new: documents.Fields = {}
    happened = [each for each in events if isinstance(each, dict)]
    names = [
        name
        for each in happened
        if (name := documents.word(each, "eventName") or documents.word(each, "name"))
    ]
    if names:
        new["eventName"] = names[0] if len(names) == 1 else names
    for each in happened:
        parameters = each.get("parameters") or each.get("parameter")
        if isinstance(parameters, dict):
            new |= {
                name.lower(): value
                for name, value in documents.flat(parameters).items()
                if name not in fields
            }
        for value in ("value", "intValue", "boolValue"):
            given = documents.pairs(fields, parameters, "name", value)
            new |= {name.lower(): word for name, word in given if name.lower() not in new}
    return new
