"""Reads the audit log of Kubernetes' API server, by itself or inside Azure's (``kube-audit``)."""

import orjson

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="kubernetes", category="application", service="audit")
_MARKS = frozenset(
    {"auditID", "objectRef", "requestURI", "stage", "stageTimestamp", "requestReceivedTimestamp"}
)
_CONTAINERS = "requestObject.spec.containers.securityContext.capabilities"
_ALSO = {
    "apiGroup": ("objectRef.apiGroup",),
    "hostPath": ("requestObject.spec.volumes.hostPath.path", "requestObject.spec.volumes.hostPath"),
    "capabilities": (f"{_CONTAINERS}.add", _CONTAINERS),
}


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of Kubernetes' audit log."""
    said = _inside(documents.read(line, source, record))
    version = documents.word(said, "apiVersion")
    audit = version.startswith("audit.k8s.io/") or (documents.word(said, "verb") and _MARKS & said.keys())
    if not audit:
        raise lines.refused("this is no record of Kubernetes' audit log", source, record)
    fields = documents.flat(said)
    for name, others in _ALSO.items():
        if value := next((fields[other] for other in others if other in fields), None):
            fields.setdefault(name, value)
    when = said.get("requestReceivedTimestamp") or said.get("stageTimestamp")
    return Event(LOGSOURCE, fields, source, record, documents.moment(when))


def _inside(said: documents.Fields) -> documents.Fields:
    """The audit record in a record of Azure Monitor; any other record as it is."""
    properties = said.get("properties")
    if not str(said.get("category", "")).startswith("kube-audit") or not isinstance(properties, dict):
        return said
    try:
        inner = orjson.loads(documents.word(properties, "log"))
    except orjson.JSONDecodeError:
        return said
    return inner if isinstance(inner, dict) else said
