"""Reads Azure's and Entra ID's logs: activity, sign-ins, audit, risks; from Azure Monitor, Log Analytics or Graph.

Sigma's rules name one thing in several ways: as Azure Monitor writes it (``properties.appId``, ``operationName``), and
as Log Analytics does (``AppId``, ``OperationName``). Each field is therefore there under each of these names.
"""

from typing import Any

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

_ACTIVITY, _SIGN_IN, _AUDIT, _RISK, _ROLES = (
    LogSource(product="azure", service=service)
    for service in ("activitylogs", "signinlogs", "auditlogs", "riskdetection", "pim")
)
_SOURCES = {
    "administrative": _ACTIVITY,
    "alert": _ACTIVITY,
    "autoscale": _ACTIVITY,
    "azureactivity": _ACTIVITY,
    "policy": _ACTIVITY,
    "recommendation": _ACTIVITY,
    "resourcehealth": _ACTIVITY,
    "security": _ACTIVITY,
    "servicehealth": _ACTIVITY,
    "auditlogs": _AUDIT,
    "signinlogs": _SIGN_IN,
    "noninteractiveusersigninlogs": _SIGN_IN,
    "serviceprincipalsigninlogs": _SIGN_IN,
    "managedidentitysigninlogs": _SIGN_IN,
    "adfssigninlogs": _SIGN_IN,
    "aadnoninteractiveusersigninlogs": _SIGN_IN,
    "aadserviceprincipalsigninlogs": _SIGN_IN,
    "aadmanagedidentitysigninlogs": _SIGN_IN,
    "aaduserriskevents": _RISK,
    "userriskevents": _RISK,
    "serviceprincipalriskevents": _RISK,
}
_NAMES = documents.spelling(
    "callerIpAddress",
    "correlationId",
    "durationMs",
    "operationName",
    "operationVersion",
    "resourceId",
    "resultDescription",
    "resultSignature",
    "resultType",
    "tenantId",
)
_DIRECTORY = "/providers/microsoft.aadiam"
_ALSO = {
    "properties.message": ("activityDisplayName", "operationName", "OperationName"),
    "ActivityType": ("activityDisplayName",),
    "activityType": ("activityDisplayName",),
    "Status": ("properties.result", "resultType"),
    "failure_status_reason": ("properties.resultReason", "resultReason"),
    "ClientApp": ("clientAppUsed", "ClientAppUsed"),
    "Username": ("userPrincipalName", "UserPrincipalName"),
    "Resultdescription": ("resultDescription", "ResultDescription"),
    "DeviceDetail.trusttype": ("deviceDetail.trustType", "DeviceDetail.trustType"),
    "ResultType": ("status.errorCode", "Status.errorCode"),
    "resultType": ("status.errorCode", "Status.errorCode"),
    "ResultDescription": ("status.failureReason",),
    "callerIpAddress": ("ipAddress", "IPAddress", "CallerIpAddress"),
}
_TIMES = ("time", "TimeGenerated", "createdDateTime", "activityDateTime", "detectedDateTime")


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is of no Azure log that is known."""
    said = documents.respelt(documents.read(line, source, record), _NAMES)
    logsource = _logsource(said)
    if logsource is None:
        raise lines.refused("this is no record of an Azure log that is known", source, record)
    time = next((when for name in _TIMES if (when := documents.moment(said.get(name))) is not None), None)
    return Event(logsource, _fields(said), source, record, time)


_GRAPH = frozenset({"appDisplayName", "clientAppUsed", "conditionalAccessStatus"})
"""What Microsoft Graph says of a sign-in, which names no log there."""


def _logsource(said: documents.Fields) -> LogSource | None:
    if risk := documents.word(said, "riskEventType"):
        return _ROLES if risk.endswith("AlertIncident") else _RISK
    if (
        "createdDateTime" in said
        and {"userPrincipalName", "servicePrincipalName"} & said.keys()
        and _GRAPH & said.keys()
    ):
        return _SIGN_IN
    if documents.word(said, "activityDisplayName") and {"activityDateTime", "loggedByService"} & said.keys():
        return _AUDIT
    if not any(
        documents.word(said, name) for name in ("operationName", "OperationName", "OperationNameValue")
    ):
        named = said.get("operationName")  # the activity log's own API writes {"value": …}
        if not (isinstance(named, dict) and "value" in named):
            return None
    kinds = [said.get(name) for name in ("Type", "category", "Category", "CategoryValue")]
    kinds = [each.get("value") if isinstance(each, dict) else each for each in kinds]
    found = [_SOURCES[each.lower()] for each in kinds if isinstance(each, str) and each.lower() in _SOURCES]
    if documents.word(said, "resourceId").lower().endswith(_DIRECTORY) and found[:1] in ([], [_ACTIVITY]):
        return _AUDIT  # the directory's own: its acts have categories of their own (UserManagement, Policy …)
    return found[0] if found else None


def _fields(said: documents.Fields) -> documents.Fields:
    fields: dict[str, Any] = documents.flat(said)
    for name, value in list(fields.items()):
        short = name.removeprefix("properties.").removesuffix(".value")
        if name.endswith(".value"):  # the activity log's own API: {"value": …, "localizedValue": …}
            fields[short] = value
        if short == "category" and short != name:  # AuditLogs is the log; what kind of act it was is inside
            fields[short] = fields["Category"] = value
        for other in (short, _capital(short), ".".join(map(_capital, short.split(".")))):
            fields.setdefault(other, value)
    fields |= documents.pairs(fields, _details(said), "key", "value")
    for name, others in _ALSO.items():
        value = next((fields[other] for other in others if other in fields), None)
        if value is not None:
            fields.setdefault(name, value)
    return fields


def _details(said: documents.Fields) -> list[documents.Fields]:
    """``additionalDetails``, each of its keys as a field of its own."""
    inner = said.get("properties")
    listed = (inner if isinstance(inner, dict) else said).get("additionalDetails")
    details = listed if isinstance(listed, list) else []
    return [
        {**each, "key": f"additionalDetails.{each.get('key')}"} for each in details if isinstance(each, dict)
    ]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
