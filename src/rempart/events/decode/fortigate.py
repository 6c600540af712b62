"""Reads FortiGate's logs: changes of its configuration, traffic, names, web filter, antivirus."""

import re
from typing import Any

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource
from rempart.instants import Instant

_WORD = re.compile(r'([A-Za-z_][\w-]{0,40})=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_HEAD = re.compile(
    r"(?:<\d{1,3}>)?.{0,200}?\b(?=(?:date|devname|logid|logver|timestamp|eventtime)=)", re.DOTALL
)
_LAST_SECOND = 253_402_300_799
_INSPECTED = {"virus": "antivirus", "dns": "dns", "webfilter": "proxy"}
_SOURCES = {subtype: LogSource("fortigate", category, "utm") for subtype, category in _INSPECTED.items()}
_TYPES = {
    "event": LogSource("fortigate", None, "event"),
    "traffic": LogSource("fortigate", "firewall", "traffic"),
    "utm": LogSource("fortigate", None, "utm"),
}
_OTHER = LogSource("fortigate")
_ALSO = {
    "src_ip": "srcip",
    "dst_ip": "dstip",
    "src_port": "srcport",
    "dst_port": "dstport",
    "query": "qname",
    "record_type": "qtype",
    "answer": "ipaddr",
    "Signature": "virus",
    "Filename": "filename",
    "c-ip": "srcip",
    "cs-host": "hostname",
    "cs-username": "user",
    "c-useragent": "agent",
    "c-uri": "url",
    "cs-method": "reqtype",
}
_REFUSING = frozenset({"deny", "block", "blocked", "dropped", "quarantine"})


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of a FortiGate's.

    The service is the log's type (``event``, ``traffic``, ``utm``). Names are FortiGate's; beside them stand those of
    Sigma's ``firewall``, ``antivirus``, ``dns`` and ``proxy``, and ``blocked``. A syslog head is passed over.
    """
    text = lines.text(line, source, record)
    head = _HEAD.match(text)
    said = dict(_WORD.findall(text, head.end())) if head else {}
    fields: dict[str, Any] = {name: _plain(word) for name, word in said.items() if word}
    kind, subtype = str(fields.get("type", "")), str(fields.get("subtype", ""))
    if not kind or not subtype or not {"logid", "devid", "devname"} & fields.keys():
        raise lines.refused("this is no line of a FortiGate", source, record)
    logsource = _SOURCES.get(subtype, _TYPES["utm"]) if kind == "utm" else _TYPES.get(kind, _OTHER)
    if logsource.category:
        fields |= {name: fields[other] for name, other in _ALSO.items() if other in fields}
        fields["blocked"] = "true" if fields.get("action") in _REFUSING else "false"
    return Event(logsource, fields, source, record, _time(fields))


def _plain(word: str) -> str:
    if word[:1] == '"':
        word = word[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return lines.capped(word)


def _time(fields: dict[str, Any]) -> Instant | None:
    """``eventtime`` is in seconds, or in nanoseconds since FortiOS 6.2; date and time name a zone only with ``tz``."""
    written = str(fields.get("eventtime", ""))
    if written.isdecimal() and len(written) <= 19:
        since = int(written)
        return documents.moment(since if since <= _LAST_SECOND else since / 1_000_000_000)
    if {"date", "time", "tz"} <= fields.keys():
        return documents.moment(f"{fields['date']}T{fields['time']}{fields['tz']}")
    return None
