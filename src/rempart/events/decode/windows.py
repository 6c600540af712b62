"""Windows events: EVTX records as JSON, and flat JSON as log shippers write it, become events.

Sigma's Windows rules name the event data as Windows does, on one level. How a record is flattened decides which rules
match, so it is fixed here: System first, then EventData, then UserData; event data wins over a System field of the same
name; attributes are dropped; ``Provider_Name`` is the provider's name. Every value of an EVTX record becomes text; an
absent value and JSON null are absent, an empty text stays; a list is joined by one blank. Flat JSON is left as it is,
with ``Provider_Name`` taken from ``SourceName`` where it is missing. A field name with blanks also exists without them
("Threat Name", ThreatName), for Defender's rules. What Security's audit tells of processes (4688) and the registry
(4657) is there in Sysmon's words too, and what Defender found in those of Sigma's category ``antivirus``.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from rempart.errors import DecodeError
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, from_datetime

LOGSOURCE = LogSource(product="windows")


def decode(line: bytes | str, source: str, record: int) -> Event:
    """One JSON object as an event: nested as in EVTX, as Winlogbeat writes it, or flat.

    Raises `DecodeError` when the line is no JSON object, or none about a Windows event.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error}", where=f"{source}:{record}") from error
    if not isinstance(document, dict):
        raise DecodeError("a JSON value, but not an object", where=f"{source}:{record}")
    if "EventID" in document or "Channel" in document:
        fields = _flat(document)
        raw: bytes | None = line if isinstance(line, bytes) else line.encode()
    else:
        try:
            fields, raw = _nested(document), _unchanged(line)
        except (LookupError, RecursionError) as error:
            raise DecodeError(
                "not a Windows event: no EventID or Channel", where=f"{source}:{record}"
            ) from error
    also = _ALSO.get(str(fields.get("EventID")))
    if also is None or str(fields.get("Channel")).lower() != also.channel:
        return Event(LOGSOURCE, fields, source, record, _time(fields), raw)
    return Event(also.logsource, fields | also.words(fields), source, record, _time(fields))


def _unchanged(line: bytes | str) -> bytes | None:
    """The line, where no list in it was joined to one text (see `Event.raw`)."""
    raw = line if isinstance(line, bytes) else line.encode("utf-8", "replace")
    return None if b"[" in raw else raw


def _nested(document: dict[str, Any]) -> dict[str, Any]:
    if isinstance(event := document.get("Event"), dict) and "System" in event:
        return flatten(event)
    if isinstance(event := document.get("winlog"), dict):
        system = {name: event[key] for key, name in _WINLOGBEAT.items() if key in event}
        data = {"System": system, "EventData": event.get("event_data"), "UserData": event.get("user_data")}
        return {**flatten(data), "@timestamp": document.get("@timestamp")}
    raise LookupError


_WINLOGBEAT = {
    "channel": "Channel",
    "computer_name": "Computer",
    "event_id": "EventID",
    "provider_name": "Provider_Name",
}


def flatten(event: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the ``Event`` element of an EVTX record."""
    fields = dict(_system(event.get("System")))
    for part in ("EventData", "UserData"):
        for name, value in _data(event.get(part)):
            fields[name] = value
            if " " in name:
                fields.setdefault(name.replace(" ", ""), value)
    return fields


def _system(system: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(system, dict):
        return
    for name, value in system.items():
        match name, value:
            case "Provider", {"#attributes": {"Name": provider}}:
                yield "Provider_Name", provider
            case "TimeCreated", {"#attributes": {"SystemTime": moment}}:
                yield "SystemTime", moment
            case _, {"#text": text}:
                yield name, _scalar(text)
            case _, None | {"#attributes": _}:
                pass
            case _:
                yield name, _scalar(value)


def _data(data: Any) -> Iterator[tuple[str, Any]]:
    """The fields of EventData or UserData. UserData holds one element more, named by the provider."""
    if not isinstance(data, dict):
        return
    for name, value in data.items():
        if name == "#attributes" or name.endswith("_attributes"):
            continue
        match value:
            case None:
                pass
            case {"#text": text}:
                yield name, _scalar(text)
            case {"#attributes": _, **rest} if not rest:
                pass
            case dict():
                yield from _data(value)
            case _:
                yield name, _scalar(value)


def _scalar(value: Any) -> Any:
    """A value as text; a list joined by one blank."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(str(_scalar(each)) for each in value if each is not None)
    if isinstance(value, dict):
        if "#text" in value:
            return _scalar(value["#text"])
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of flat JSON: the object itself, changed only where it must be, since millions of them pass."""
    if "Provider_Name" not in document and "SourceName" in document:
        document["Provider_Name"] = document["SourceName"]
    if " " in "".join(document):
        for name in [name for name in document if " " in name]:
            document.setdefault(name.replace(" ", ""), document[name])
    return document


# -- other words --------------------------------------------------------------------------------------------------


def _process(fields: dict[str, Any]) -> dict[str, Any]:
    """Security 4688 in the words of Sysmon's event 1. Its ProcessId is that of the process that started the new one."""
    words = {
        "Image": fields.get("NewProcessName"),
        "ParentImage": fields.get("ParentProcessName"),
        "User": _account(fields, "Target") or _account(fields, "Subject"),
        "LogonId": fields.get("SubjectLogonId"),
        "ParentProcessId": fields.get("ProcessId"),
        "IntegrityLevel": _INTEGRITY.get(str(fields.get("MandatoryLabel"))),
    }
    return {name: word for name, word in words.items() if word is not None and name not in fields}


def _registry(fields: dict[str, Any]) -> dict[str, Any]:
    """Security 4657 in the words of Sysmon's events 12 and 13."""
    key, name = str(fields.get("ObjectName", "")), str(fields.get("ObjectValueName", ""))
    words = {
        "TargetObject": _hive(key) + (f"\\{name}" if name else ""),
        "Details": _details(str(fields.get("NewValueType")), str(fields.get("NewValue", ""))),
        "Image": fields.get("ProcessName"),
        "User": _account(fields, "Subject"),
    }
    new = {name: word for name, word in words.items() if word is not None and name not in fields}
    return new | {"EventType": "DeleteValue" if fields.get("OperationType") == "%%1906" else "SetValue"}


def _virus(fields: dict[str, Any]) -> dict[str, Any]:
    """What Defender found, in the words of the category ``antivirus``; ``Path`` lists ``file:_C:\\a; webfile:_…``."""
    named = (part.strip().partition(":_") for part in str(fields.get("Path", ""))[:_PATHS].split(";"))
    paths = [path or whole for whole, _, path in named if path or whole]
    words = {"Signature": fields.get("ThreatName", fields.get("Threat Name")), "Filename": paths or None}
    return {name: word for name, word in words.items() if word is not None and name not in fields}


_PATHS = 8_192
"""Characters looked at of all paths that Defender names."""


@dataclass(frozen=True, slots=True)
class _Also:
    """What an event of this channel says in other words too."""

    channel: str
    words: Callable[[dict[str, Any]], dict[str, Any]]
    logsource: LogSource = LOGSOURCE


_DEFENDER = _Also("microsoft-windows-windows defender/operational", _virus, LogSource("windows", "antivirus"))
_ALSO: Mapping[str, _Also] = {
    "4688": _Also("security", _process),
    "4657": _Also("security", _registry),
    **dict.fromkeys(("1006", "1007", "1008", "1015", "1116", "1117", "1118", "1119"), _DEFENDER),
}
_INTEGRITY = {
    "S-1-16-0": "Untrusted",
    "S-1-16-4096": "Low",
    "S-1-16-8192": "Medium",
    "S-1-16-12288": "High",
    "S-1-16-16384": "System",
}
_SET = re.compile(r"(?i)^(HKLM\\SYSTEM)\\ControlSet\d{3}(?=\\|$)")


def _account(fields: dict[str, Any], whose: str) -> str | None:
    domain, name = fields.get(f"{whose}DomainName"), fields.get(f"{whose}UserName")
    return f"{domain}\\{name}" if isinstance(name, str) and name not in ("", "-") else None


def _hive(key: str) -> str:
    """``\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001`` as Sysmon writes it: ``HKLM\\SYSTEM\\CurrentControlSet``."""
    for long, short in (("\\REGISTRY\\MACHINE", "HKLM"), ("\\REGISTRY\\USER", "HKU")):
        if key[: len(long)].upper() == long:
            return _SET.sub(r"\1\\CurrentControlSet", short + key[len(long) :])
    return key


def _details(kind: str, value: str) -> str:
    """A value as Sysmon writes it: numbers in hexadecimal, of binary data only that it is."""
    try:
        if kind == "%%1876":
            return f"DWORD (0x{int(value[:20], 0):08x})"
        if kind == "%%1883":
            high, low = divmod(int(value[:20], 0), 1 << 32)
            return f"QWORD (0x{high:08x}-0x{low:08x})"
    except ValueError:
        return value
    return "Binary Data" if kind == "%%1875" else value


# -- time ---------------------------------------------------------------------------------------------------------


def _time(fields: dict[str, Any]) -> Instant | None:
    get = fields.get
    written = (
        get("SystemTime") or get("TimeCreated") or get("@timestamp") or get("UtcTime") or get("EventTime")
    )
    if not isinstance(written, str):
        return None
    try:
        return _instant(written)
    except ValueError:
        return None


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")


def _instant(text: str) -> Instant:
    """An instant from ISO text; without a zone it is UTC, as Sysmon's UtcTime says."""
    moment = datetime.fromisoformat(text.removesuffix("Z"))
    if moment.tzinfo is not None:
        return from_datetime(moment)
    since = moment - _EPOCH
    return Instant((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
