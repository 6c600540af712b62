"""Reads Palo Alto's firewalls: traffic, threats, GlobalProtect, configuration and system logs as CSV; ``gpsvc.log``."""

import csv
from collections.abc import Mapping
from typing import Any

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, parse_rfc3339

# The columns of PAN-OS' "Syslog Field Descriptions", as far as rules could be about them; an underscore names none.
_HEAD = "_ receive_time serial type subtype _ time_generated"
_SESSION = """src dst natsrc natdst rule srcuser dstuser app vsys from to inbound_if outbound_if logset _ sessionid
    repeatcnt sport dport natsport natdport flags proto action"""
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    name: tuple(f"{_HEAD} {columns}".split())
    for name, columns in {
        "TRAFFIC": f"{_SESSION} bytes bytes_sent bytes_received packets start elapsed category",
        "THREAT": f"""{_SESSION} misc threatid category severity direction seqno actionflags srcloc dstloc _ contenttype
            pcap_id filedigest cloud url_idx user_agent filetype xff referer sender subject recipient""",
        "GLOBALPROTECT": """vsys eventid stage auth_method tunnel_type srcuser srcregion machinename public_ip
            public_ipv6 private_ip private_ipv6 hostid serialnumber client_ver client_os client_os_ver repeatcnt
            reason error opaque status location""",
        "CONFIG": "host vsys cmd admin client result path",
        "SYSTEM": "vsys eventid object _ _ module severity opaque",
    }.items()
}
_THREATS = {"virus": "antivirus", "wildfire-virus": "antivirus", "url": "proxy"}
_SOURCES: Mapping[tuple[str, str | None], LogSource] = {
    ("TRAFFIC", None): LogSource("paloalto", "firewall", "traffic"),
    ("GLOBALPROTECT", None): LogSource("paloalto", "appliance", "globalprotect"),
    **{(name, None): LogSource("paloalto", None, name.lower()) for name in ("THREAT", "CONFIG", "SYSTEM")},
    **{("THREAT", subtype): LogSource("paloalto", each, "threat") for subtype, each in _THREATS.items()},
}
_APPLIANCE = _SOURCES["GLOBALPROTECT", None]
_SHORTEST = 8
_FORWARDED = frozenset({"allow", "alert", "continue", "override"})
_ALSO = {
    "src_ip": "src",
    "dst_ip": "dst",
    "src_port": "sport",
    "dst_port": "dport",
    "protocol": "proto",
    "bytes_out": "bytes_sent",
}
Fields = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of a Palo Alto firewall's.

    The service is the log's type in small letters. Names are those of PAN-OS' documentation; beside them stand those of
    Sigma's ``firewall``, ``antivirus`` and ``proxy``, and ``blocked``. A time that names no zone is none: PAN-OS
    writes the firewall's own. A syslog head is passed over.
    """
    if line.startswith(b"{"):
        return _service_log(line, source, record)
    words = _words(lines.text(line, source, record))
    kind = words[3] if len(words) > _SHORTEST else ""
    if kind not in _COLUMNS or not words[2].isalnum() or words[0].rpartition(" ")[2] != "1":
        raise lines.refused("this is no line of a Palo Alto firewall", source, record)
    named = zip(_COLUMNS[kind], words, strict=False)
    fields: Fields = {name: lines.capped(word) for name, word in named if word and name != "_"}
    logsource = _SOURCES.get((kind, fields.get("subtype"))) or _SOURCES[kind, None]
    fields |= _also(kind, logsource.category, fields)
    return Event(logsource, fields, source, record, _time(str(fields.get("time_generated", ""))))


def _words(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:  # a carriage return outside of quotes
        return []


def _also(kind: str, category: str | None, fields: Fields) -> Fields:
    """The same in Sigma's names."""
    match kind:
        case "GLOBALPROTECT":
            return _signed_in(fields)
        case "TRAFFIC" | "THREAT":
            words = {name: fields[other] for name, other in _ALSO.items() if other in fields}
            words["blocked"] = "false" if fields.get("action") in _FORWARDED else "true"
            return words | _found(category, fields)
    return {}


def _found(category: str | None, fields: Fields) -> Fields:
    what = str(fields.get("misc", ""))
    if category == "antivirus":
        return {"Signature": fields.get("threatid", ""), "Filename": what}
    if category != "proxy":
        return {}
    host, slash, path = what.partition("://")[2].partition("/") if "://" in what else what.partition("/")
    words = web.request(
        client=str(fields.get("src", "")),
        method="",
        uri=slash + path or "/",
        status=0,
        size=0,
        host=host,
        user=str(fields.get("srcuser", "")),
        user_agent=str(fields.get("user_agent", "")),
        referer=str(fields.get("referer", "")),
    )
    del words["sc-status"], words["sc-bytes"]  # not in this log
    return words | web.browsed(words, host)


def _signed_in(fields: Fields) -> Fields:
    """Who came in over the VPN, and from where."""
    words = {
        "user": fields.get("srcuser"),
        "src_ip": fields.get("public_ip"),
        "host": fields.get("machinename"),
    }
    if str(fields.get("eventid", "")).endswith("-auth"):
        words["outcome"] = {"success": "success", "failure": "failure"}.get(str(fields.get("status")))
    return {name: word for name, word in words.items() if word}


def _service_log(line: bytes, source: str, record: int) -> Event:
    """``gpsvc.log``, which the GlobalProtect service writes on the firewall itself."""
    said = documents.read(line, source, record)
    if not {"level", "task", "time", "message"} <= said.keys() or not documents.word(said, "message"):
        raise lines.refused("this is no line of GlobalProtect's service", source, record)
    return Event(_APPLIANCE, documents.flat(said), source, record, documents.moment(said["time"]))


def _time(text: str) -> Instant | None:
    """Only PAN-OS 10's ISO 8601 time (``2026-11-22T08:13:05.000+01:00``) names a zone."""
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None
