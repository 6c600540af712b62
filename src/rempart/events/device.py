"""What devices say in the formats that makers share (CEF, LEEF), in the words of Sigma's products and categories.

The maker names the product where Sigma has rules for it; what the record tells says the category: something malicious
found in a file, a web request, a connection.
"""

import re
from datetime import datetime
from typing import Any

from rempart.events import document as documents
from rempart.events.event import Event, LogSource
from rempart.events.line import capped
from rempart.instants import Instant

# Makers come from the log: only known ones become log sources, or a forged one could fill the memory.
_PRODUCTS = {
    "fortinet": "fortigate",
    "palo alto networks": "paloalto",
    "cisco": "cisco",
    "juniper": "juniper",
    "juniper networks": "juniper",
    "check point": "checkpoint",
    "sophos": "sophos",
    "trend micro": "trendmicro",
    "mcafee": "mcafee",
    "kaspersky": "kaspersky",
    "kasperskylab": "kaspersky",
    "symantec": "symantec",
    "eset": "eset",
    "bitdefender": "bitdefender",
    "zscaler": "zscaler",
    "f5": "f5",
    "sonicwall": "sonicwall",
    "watchguard": "watchguard",
    "huawei": "huawei",
    "qualys": "qualys",
}
_CATEGORIES = (None, "antivirus", "proxy", "webserver", "firewall", "dns")
_SOURCES = {
    (product, category): LogSource(product, category)
    for product in (*_PRODUCTS.values(), "device")
    for category in _CATEGORIES
}
_FORTIGATE = {kind: LogSource("fortigate", None, kind) for kind in ("event", "traffic", "utm")}
_FORTINET = "FTNTFGT"
"""What Fortinet puts before its own names."""

_ALSO = {
    "src_ip": ("src", "c6a2", "sourceAddress"),
    "dst_ip": ("dst", "c6a3", "destinationAddress"),
    "src_port": ("spt", "srcPort"),
    "dst_port": ("dpt", "dstPort"),
    "protocol": ("proto", "app"),
    "action": ("act", "action"),
    "user": ("suser", "usrName", "duser"),
    "host": ("dvchost", "shost", "devname"),
}
_FOUND = {
    "Signature": (
        "Virus Name",
        "VirusName",
        "Threat Name",
        "ThreatName",
        "Malware Name",
        "virus",
        "malware",
        "name",
    ),
    "Filename": ("filePath", "fname", "fileName", "filename", "File Path"),
}
_ASKED = {
    "c-uri": ("request", "url"),
    "cs-method": ("requestMethod", "method"),
    "c-useragent": ("requestClientApplication", "userAgent"),
    "cs-user-agent": ("requestClientApplication", "userAgent"),
    "cs-referer": ("requestContext", "referer"),
    "cs-host": ("dhost", "dstHost", "hostname"),
    "cs-username": ("suser", "usrName"),
    "c-ip": ("src",),
}
_MALICIOUS = re.compile(r"(?i)virus|malware|trojan|ransom|spyware|eicar")
_REFUSED = re.compile(r"(?i)block|den(?:y|ied)|drop|reject|refus|quarantin|prevent|reset|delet|clean|remov")
_TIMES = ("rt", "end", "start", "devTime", "deviceReceiptTime", "eventtime")
_UNITS = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
"""Digits of a time since 1970 -> how many of its units are a second."""
_WRITTEN = ("%b %d %Y %H:%M:%S %Z", "%b %d %Y %H:%M:%S.%f %Z")
"""Only those with a zone: others are no instant."""


def event(vendor: str, fields: dict[str, Any], source: str, record: int) -> Event:
    """The event of one record. ``fields`` are those of the format, which stay; text only."""
    made = _PRODUCTS.get(vendor.strip().lower(), "device")
    if made == "fortigate":
        fields = {name.removeprefix(_FORTINET): value for name, value in fields.items()} | fields
    fields = fields | _named(fields, _ALSO)
    category = _category(fields)
    if category == "antivirus":
        fields |= _named(fields, _FOUND)
    elif category in ("proxy", "webserver"):
        fields |= _named(fields, _ASKED) | _path(str(fields.get("request") or fields.get("url") or ""))
    if category is not None and "action" in fields:
        fields["blocked"] = "true" if _REFUSED.search(str(fields["action"])) else "false"
    logsource = _SOURCES[made, category]
    if made == "fortigate" and category is None:
        kind, _, subtype = str(fields.get("cat", "")).partition(":")
        fields |= {"type": kind, "subtype": subtype} if kind else {}
        logsource = _FORTIGATE.get(kind, logsource)
    return Event(logsource, fields, source, record, _time(fields))


def _named(fields: dict[str, Any], names: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    found = {
        name: next((fields[each] for each in others if each in fields), None)
        for name, others in names.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _category(fields: dict[str, Any]) -> str | None:
    said = " ".join(
        str(fields.get(name, ""))
        for name in ("name", "cat", "deviceEventClassId", "eventId", "categoryBehavior")
    )
    labelled = any(name in fields for name in _FOUND["Signature"][:-1])
    if labelled or (_MALICIOUS.search(said) and _named(fields, {"Filename": _FOUND["Filename"]})):
        return "antivirus"
    if "request" in fields or "url" in fields:
        return "proxy"
    return "firewall" if "src_ip" in fields and "dst_ip" in fields else None


def _path(uri: str) -> dict[str, str]:
    path = "/" + uri.partition("://")[2].partition("/")[2] if "://" in uri else uri
    words = {
        "cs-uri-query": path,
        "cs-uri-stem": path.partition("?")[0],
        "c-uri-query": path.partition("?")[2],
    }
    return {name: capped(word) for name, word in words.items() if word}


def _time(fields: dict[str, Any]) -> Instant | None:
    for name in _TIMES:
        written = str(fields.get(name, ""))
        if written.isascii() and written.isdecimal() and len(written) in _UNITS:
            return documents.moment(int(written) / _UNITS[len(written)])
        for form in _WRITTEN:
            try:
                if written[-4:].strip() in ("UTC", "GMT"):
                    return documents.moment(datetime.strptime(written, form).isoformat())  # noqa: DTZ007  UTC, as said
            except ValueError:
                continue
        if "T" in written[:11] and (when := documents.moment(written)) is not None:
            return when
    return None
