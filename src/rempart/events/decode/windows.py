"""Windows events: EVTX records as JSON or XML, and flat JSON as log shippers write it, become events.

Sigma's Windows rules name the event data as Windows does, on one level. How a record is flattened decides which rules
match, so it is fixed here: System first, then EventData, then UserData; event data wins over a System field of the same
name; of attributes those are kept that rules ask for, by both names (``Provider_Name``, ``Execution_ProcessID``). Every
value of an EVTX record becomes text; an absent value and JSON null are absent, an empty text stays; a list is joined by
one blank. The same record is read however it was written: attributes apart or marked with ``@``, data as a list of
named elements, in Winlogbeat's words of any version, dotted or not, in Wazuh's, in those of Log Analytics' table
``Event`` and of PowerShell's ``Get-WinEvent``, behind a syslog head too. Flat JSON is left as it is, with
``Provider_Name`` taken from ``SourceName`` where it is missing. The machine has both its names, ``Computer`` and
``ComputerName``. A field name with blanks between its words also exists without them ("Threat Name", ThreatName), for
Defender's rules. What Security's audit tells of processes (4688) and the registry (4657) is there in Sysmon's words
too, what Defender found in those of Sigma's category ``antivirus``, and what RPC Firewall saw in those of its rules.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from rempart.errors import DecodeError
from rempart.events import syslog_header
from rempart.events.document import moment
from rempart.events.element import read as read_element
from rempart.events.event import Event, LogSource
from rempart.events.line import MAX_LINE
from rempart.instants import Instant

LOGSOURCE = LogSource(product="windows")


def decode(line: bytes | str, source: str, record: int) -> Event:
    """One JSON object as an event: nested as in EVTX, as a shipper writes it, or flat; or the same in XML.

    Raises `DecodeError` when the line is neither, or none about a Windows event.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        document = _carried(line)
        if document is None:
            raise DecodeError(f"not JSON: {error}", where=f"{source}:{record}") from error
    if document.__class__ is not dict:
        raise DecodeError("a JSON value, but not an object", where=f"{source}:{record}")
    flat, also, named = _SHAPES[tuple(document)]
    if flat:
        fields = document
        bare = line if isinstance(line, bytes) else line.encode()
        raw: bytes | None = bare if bare[:1] == b"{" else _json(fields)
        for name, other in also:
            fields[name] = fields[other]
        when = fields.get(named)
        if when.__class__ is not str or not when:
            when = _when(fields)
    else:
        try:
            fields = _nested(document)
        except (LookupError, RecursionError) as error:
            raise DecodeError(
                "not a Windows event: no EventID or Channel", where=f"{source}:{record}"
            ) from error
        raw, when = _json(fields), _when(fields)
    identifier = fields.get("EventID")
    if identifier.__class__ in _PLAIN and identifier in _ALSO:
        return _told_otherwise(Event(LOGSOURCE, fields, source, record, when, raw), _ALSO[identifier])
    return Event(LOGSOURCE, fields, source, record, when, raw)


def _carried(line: bytes | str) -> Any:
    """The event that is no JSON: XML, as ``wevtutil`` and event forwarding write it, or either behind a syslog head.

    None when it is neither. Sysmon for Linux writes such XML too; it is another product's.
    """
    text = line.encode("utf-8", "replace") if isinstance(line, str) else line
    text = text.strip().removeprefix(b"\xef\xbb\xbf")
    if not text.startswith(b"<Event"):
        if len(text) > MAX_LINE or not (b"{" in text or b"<Event" in text):
            return None
        head = syslog_header.parse(text.decode("utf-8", "backslashreplace"))
        text = head.message.encode() if head else b""
    with suppress(ValueError):  # what is no JSON and no XML is said so
        if text.startswith(b"{"):
            return orjson.loads(text)
        if text.startswith(b"<Event") and b"Linux-Sysmon" not in text[:_PROVIDER]:
            return {"Event": read_element(text, "Event")}
    return None


_PROVIDER = 512
"""Bytes in which an element names its provider."""


def _json(fields: dict[str, Any]) -> bytes | None:
    """The fields as they were made, for `Event.raw`; None where they are too deep to be written."""
    try:
        return orjson.dumps(fields)
    except orjson.JSONEncodeError:
        return None


def _nested(document: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kept := document.get("_source"), dict):  # as Elasticsearch and OpenSearch give it out
        document = kept
    for event in (document.get("Event"), document):
        if isinstance(event, dict) and isinstance(event.get("System"), dict):
            return flatten(event)
    for read in (_winlogbeat, _wazuh, _log_analytics, _powershell, _evtxecmd):
        if (fields := read(document)) is not None:
            return fields
    raise LookupError


def _winlogbeat(document: dict[str, Any]) -> dict[str, Any] | None:
    event = document.get("winlog", document)
    if not isinstance(event, dict) or not {"event_id", "winlog.event_id"} & event.keys():
        return None
    before = "winlog." if "winlog.event_id" in event else ""
    system = {name: event[before + key] for key, name in _WINLOGBEAT.items() if before + key in event}
    data: dict[str, Any] = {"System": system}
    for part, key in (("EventData", "event_data"), ("UserData", "user_data")):
        under = f"{before}{key}."
        dotted = {name.removeprefix(under): value for name, value in event.items() if name.startswith(under)}
        data[part] = dotted or event.get(before + key)
    fields = {**flatten(data), "@timestamp": document.get("@timestamp")}
    return _from_ecs(document, fields) if fields.get("Channel") == _SYSMON else fields


def _from_ecs(document: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Sysmon's event as Elastic's module rewrites it: what it moved to Elastic's own names, under Sysmon's again."""
    names = _ECS | _ECS_OF_EVENT.get(str(fields.get("EventID")), {})
    found = {name: said for name, path in names.items() if (said := _scalar(_at(document, path))) is not None}
    user = [said for part in ("domain", "name") if isinstance(said := _at(document, f"user.{part}"), str)]
    found |= {"User": "\\".join(user)} if user else {}
    hashes = [(kind, _at(document, f"process.hash.{kind}")) for kind in ("md5", "sha1", "sha256")]
    hashes += [("imphash", _at(document, "process.pe.imphash"))]
    said = [f"{kind.upper()}={value}" for kind, value in hashes if isinstance(value, str)]
    found |= {"Hashes": ",".join(said)} if said else {}
    return found | fields


def _at(document: Any, path: str) -> Any:
    if path in document:
        return document[path]
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


_SYSMON = "Microsoft-Windows-Sysmon/Operational"
_ECS = {
    "Image": "process.executable",
    "CommandLine": "process.command_line",
    "CurrentDirectory": "process.working_directory",
    "ProcessId": "process.pid",
    "ProcessGuid": "process.entity_id",
    "ParentImage": "process.parent.executable",
    "ParentCommandLine": "process.parent.command_line",
    "ParentProcessId": "process.parent.pid",
    "OriginalFileName": "process.pe.original_file_name",
    "Company": "process.pe.company",
    "Description": "process.pe.description",
    "FileVersion": "process.pe.file_version",
    "Product": "process.pe.product",
    "SourceIp": "source.ip",
    "SourcePort": "source.port",
    "SourceHostname": "source.domain",
    "DestinationIp": "destination.ip",
    "DestinationPort": "destination.port",
    "DestinationHostname": "destination.domain",
    "Protocol": "network.transport",
    "QueryName": "dns.question.name",
    "TargetObject": "registry.path",
    "Details": "registry.data.strings",
}
_FILE = {"TargetFilename": "file.path"}
_LOADED = {"ImageLoaded": "file.path"}
_PIPE = {"PipeName": "file.name"}
_ACCESSING = {"SourceImage": "process.executable", "SourceProcessId": "process.pid"}
_ECS_OF_EVENT = {
    **dict.fromkeys(("2", "11", "15", "23", "26", "27", "28", "29"), _FILE),
    "6": _LOADED,
    "7": _LOADED,
    **dict.fromkeys(("17", "18"), _PIPE),
    **dict.fromkeys(("8", "10"), _ACCESSING),
}


def _wazuh(document: dict[str, Any]) -> dict[str, Any] | None:
    """Names begin with a small letter, and every backslash of the data is written twice."""
    data = document.get("data", document)
    said = data.get("win") if isinstance(data, dict) else None
    if not isinstance(said, dict) or not isinstance(system := said.get("system"), dict):
        return None
    parts = {part: said.get(part.lower()) for part in ("EventData", "UserData")}
    event = {part: _capital(data) for part, data in parts.items() if isinstance(data, dict)}
    known = {_WAZUH[name]: value for name, value in system.items() if name in _WAZUH}
    return flatten({"System": known, **event})


def _capital(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name[:1].upper() + name[1:]: value.replace("\\\\", "\\") if isinstance(value, str) else value
        for name, value in data.items()
    }


def _log_analytics(document: dict[str, Any]) -> dict[str, Any] | None:
    """The table ``Event`` of Azure's Log Analytics: the data stand in it as XML."""
    if not isinstance(document.get("EventLog"), str) or "EventID" not in document:
        return None
    system = {name: document.get(key) for key, name in _TABLE.items()}
    data: Any = None
    with suppress(ValueError):
        data = read_element(f"<Event>{document.get('EventData') or ''}</Event>".encode(), "Event")
    data = data if isinstance(data, dict) else {}
    return flatten({"System": system, **data.get("DataItem", data)})


def _powershell(document: dict[str, Any]) -> dict[str, Any] | None:
    """``Get-WinEvent | ConvertTo-Json``: the data have no names there; Sysmon's stand in its message."""
    if "Id" not in document or not isinstance(document.get("LogName"), str):
        return None
    fields = flatten({"System": {name: document.get(key) for key, name in _GET_WINEVENT.items()}})
    message = str(document.get("Message") or "")
    if fields.get("Provider_Name") == "Microsoft-Windows-Sysmon":
        fields |= dict(_SAID.findall(message))
    when = document.get("TimeCreated")
    written = when.get("value") if isinstance(when, dict) else when
    if isinstance(written, str) and (since := _DATE.fullmatch(written)):
        fields["TimeCreated"] = int(since[1]) / 1000
    elif isinstance(written, str):
        fields["TimeCreated"] = written
    return {**fields, "Message": message}


def _evtxecmd(document: dict[str, Any]) -> dict[str, Any] | None:
    """EvtxECmd's rows and lines: the data are JSON within."""
    if not document.keys() >= _OF_EVTXECMD:
        return None
    payload = document.get("Payload")
    with suppress(orjson.JSONDecodeError):
        payload = orjson.loads(payload) if isinstance(payload, str) else payload
    system = {name: document[key] for key, name in _EVTXECMD.items() if key in document}
    return flatten({"System": system, **(payload if isinstance(payload, dict) else {})})


_OF_EVTXECMD = frozenset({"Channel", "EventId", "EventRecordId"})
_EVTXECMD = {
    "Channel": "Channel",
    "EventId": "EventID",
    "Provider": "Provider_Name",
    "Computer": "Computer",
    "TimeCreated": "TimeCreated",
}
_SAID = re.compile(r"(?m)^(\w{1,40}): (.*?)\r?$")
_DATE = re.compile(r"/Date\((\d{1,14})\)/")
_GET_WINEVENT = {
    "LogName": "Channel",
    "Id": "EventID",
    "ProviderName": "Provider_Name",
    "MachineName": "Computer",
}
_TABLE = {
    "EventLog": "Channel",
    "EventID": "EventID",
    "Source": "Provider_Name",
    "Computer": "Computer",
    "TimeGenerated": "TimeCreated",
}
_WAZUH = {
    "channel": "Channel",
    "eventID": "EventID",
    "providerName": "Provider_Name",
    "computer": "Computer",
    "systemTime": "SystemTime",
    "eventRecordID": "EventRecordID",
    "message": "Message",
}
_WINLOGBEAT = {
    "channel": "Channel",
    "log_name": "Channel",  # before 7
    "computer_name": "Computer",
    "event_id": "EventID",
    "provider_name": "Provider_Name",
    "source_name": "Provider_Name",  # before 7
}


def flatten(event: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the ``Event`` element of an EVTX record."""
    fields = _system(event.get("System"))
    for part in ("EventData", "UserData"):
        if isinstance(data := event.get(part), dict):
            _add_data(data, fields)
    return fields


def _system(system: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in system.items() if isinstance(system, dict) else ():
        if value is None:
            continue
        if not isinstance(value, dict):
            fields[name] = _scalar(value)
            continue
        for text in ("#text", "Value"):  # Velociraptor says Value
            if text in value:
                fields[name] = _scalar(value[text])
        element = name.removesuffix("_attributes")
        attributes = value if element != name else _attributes(value) or value
        if element in _TELLING:
            for attribute, field in _TELLING[element]:
                if (said := attributes.get(attribute)) is not None:
                    fields[field] = (
                        said if isinstance(said, float) else _scalar(said)
                    )  # a time, to Velociraptor
        elif element == name and name not in fields and not _attributes(value) and "#attributes" not in value:
            fields[name] = _scalar(value)
    if "Computer" in fields:
        fields["ComputerName"] = fields["Computer"]
    return fields


_TELLING: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Provider": (("Name", "Provider_Name"),),
    "TimeCreated": (("SystemTime", "SystemTime"),),
    "Execution": (("ProcessID", "Execution_ProcessID"), ("ThreadID", "Execution_ThreadID")),
    "Security": (("UserID", "Security_UserID"),),
}
"""Element -> its attributes that rules may ask for, and their names; an underscore joins the two in Sigma."""


def _attributes(element: dict[str, Any]) -> dict[str, Any]:
    """The attributes of an XML element, as the EVTX parser writes them or as xmltodict does (``@Name``)."""
    own = element.get("#attributes")
    if isinstance(own, dict):
        return own
    return {name[1:]: value for name, value in element.items() if name[:1] == "@"}


def _add_data(data: dict[str, Any], fields: dict[str, Any]) -> None:
    """Add the fields of EventData or UserData. UserData holds one element more, named by the provider."""
    for name, value in data.items():
        if value is None or name == "#attributes" or name[:1] == "@" or name.endswith("_attributes"):
            continue
        if name == "Data" and not isinstance(value, str):
            elements = value if isinstance(value, list) else [value]
            if any(isinstance(each, dict) and _attributes(each) for each in elements):
                _add_named(elements, fields)
                continue
        if isinstance(value, dict) and "#text" not in value:
            _add_data(value, fields)
            continue
        text = value if isinstance(value, str) else _scalar(value)
        fields[name] = text
        if " " in name and (bare := _bare(name)):
            fields.setdefault(bare, text)


def _add_named(elements: list[Any], fields: dict[str, Any]) -> None:
    """``<Data Name="Image">`` as it was written, one element after another; those without a name stay together."""
    unnamed = []
    for each in elements:
        attributes = _attributes(each) if isinstance(each, dict) else {}
        text = each.get("#text") if isinstance(each, dict) else each
        if isinstance(name := attributes.get("Name"), str):
            _add_data({name: text}, fields)
        elif text is not None:
            unnamed.append(text)
    if unnamed:
        fields["Data"] = _scalar(unnamed)


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


class _Shape(NamedTuple):
    """What the names of a record say, whatever its values: machines send the same few shapes by the million."""

    flat: bool
    """Whether they are the event's own, on one level."""
    also: tuple[tuple[str, str], ...]
    """Names that rules expect and the record lacks, and whose values they have."""
    when: str
    """The name of its time."""


def _shape(names: tuple[str, ...]) -> _Shape:
    blanks = {bare: name for name in names if " " in name and (bare := _bare(name))}
    provider = {"Provider_Name": "SourceName"} if "SourceName" in names else {}
    machine = next((name for name in _MACHINES if name in names), None)
    machines = {"Computer": machine, "ComputerName": machine} if machine else {}
    also = tuple((new, name) for new, name in {**blanks, **provider, **machines}.items() if new not in names)
    flat = "EventID" in names or ("Channel" in names and not _OF_EVTXECMD.issubset(names))
    flat = flat and "EventLog" not in names
    return _Shape(flat, also, next((name for name in _TIMES if name in names), ""))


_MACHINES = ("Computer", "ComputerName", "Hostname")
"""Rules and correlations say any of the first two; NXLog writes the third."""
MACHINES = frozenset(_MACHINES)

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def spaced(name: str) -> str:
    """The name with blanks between its words, as Defender writes it: ThreatName is "Threat Name"."""
    return _WORDS.sub(" ", name)


def _bare(name: str) -> str | None:
    """The name without blanks when they stand between its words only."""
    bare = name.replace(" ", "")
    return bare if spaced(bare) == name else None


class _Shapes(dict[tuple[str, ...], _Shape]):
    """The shapes seen: `lru_cache` would take twice the time, for an order among them that nobody needs."""

    def __missing__(self, names: tuple[str, ...]) -> _Shape:
        if len(self) >= _MOST_SHAPES:
            self.clear()
        shape = self[names] = _shape(names)
        return shape


_SHAPES = _Shapes()
_MOST_SHAPES = 1024


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


# RPC Firewall gives its event eleven unnamed strings; collectors join them, number them, or write the message only.
_CALL = re.compile(
    r"(?P<Protocol>nca\w{3,20}) (?P<Endpoint>\S{0,255}) (?P<src_ip>\S{0,64}) "
    r"(?P<InterfaceUuid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}) (?P<OpNum>\d{1,5})\b"
)
_CALL_MESSAGE = re.compile(
    r"Protocol:\s{1,9}(?P<Protocol>\S{0,32})\s{1,9}Endpoint:\s{1,9}(?P<Endpoint>\S{0,255})\s{1,9}"
    r"Client Network Address:\s{1,9}(?P<src_ip>\S{0,64})\s[\s\S]{0,400}?"
    r"InterfaceUuid:\s{1,9}(?P<InterfaceUuid>[0-9A-Fa-f-]{36})\s{1,9}OpNum:\s{1,9}(?P<OpNum>\d{1,5})\b"
)


def _remote_call(fields: dict[str, Any]) -> dict[str, Any]:
    """A call that RPC Firewall (Zero Networks) let through or stopped, in the words of Sigma's rules for it."""
    numbered = " ".join(str(fields.get(f"param{number}", "")) for number in range(1, 12))
    text = numbered if numbered.strip() else _scalar(fields.get("Data")) or ""
    found = _CALL.search(str(text)[:_CALLS]) or _CALL_MESSAGE.search(str(fields.get("Message", ""))[:_CALLS])
    words = {name: word for name, word in found.groupdict().items() if word} if found else {}
    return {"EventLog": "RPCFW", **words}


_CALLS = 8_192
"""Characters looked at of a call."""


@dataclass(frozen=True, slots=True)
class _Also:
    """What an event of this channel says in other words too."""

    channel: str
    words: Callable[[dict[str, Any]], dict[str, Any]]
    logsource: LogSource = LOGSOURCE


def _told_otherwise(event: Event, also: _Also) -> Event:
    """The event in other words too, where it is of the channel."""
    if str(event.fields.get("Channel")).lower() != also.channel:
        return event
    fields = {**event.fields, **also.words({**event.fields})}
    return Event(also.logsource, fields, event.source, event.record, event.when, _json(fields))


_DEFENDER = _Also("microsoft-windows-windows defender/operational", _virus, LogSource("windows", "antivirus"))
_RPC_FIREWALL = _Also("rpcfw", _remote_call, LogSource("rpc_firewall", "application"))
_BY_EVENT = {
    3: _RPC_FIREWALL,
    4688: _Also("security", _process),
    4657: _Also("security", _registry),
    **dict.fromkeys((1006, 1007, 1008, 1015, 1116, 1117, 1118, 1119), _DEFENDER),
}
_PLAIN = frozenset({int, str})
_ALSO: Mapping[Any, _Also] = _BY_EVENT | {str(event): also for event, also in _BY_EVENT.items()}
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
    if not isinstance(name, str) or name in ("", "-"):
        return None
    return f"{domain}\\{name}" if domain else name


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

_TIMES = ("SystemTime", "TimeCreated", "@timestamp", "UtcTime", "EventTime")


def _when(fields: dict[str, Any]) -> Instant | str | None:
    """The text of the time, under the first of its names that has one; else the first number, seconds since 1970."""
    said = [fields[name] for name in _TIMES if name in fields]
    text = next((each for each in said if each and isinstance(each, str)), None)
    return text or next(filter(None, map(moment, said)), None)
