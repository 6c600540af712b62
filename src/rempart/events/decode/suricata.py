"""Reads Suricata's EVE log: alerts, names asked for, requests, files, flows; and alerts in fast.log, as Snort's too."""

import re
from typing import Any

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource

_CATEGORIES = {"dns": "dns", "flow": "firewall", "drop": "firewall"}
_KINDS = """
    alert anomaly dhcp dnp3 dns drop enip fileinfo flow ftp ftp_data http http2 ike krb5 metadata modbus mqtt netflow
    nfs pgsql quic rdp rfb sip smb smtp snmp ssh stats tftp tls
""".split()  # noqa: SIM905  a list would have a line for each
# Kinds come from the log: only those that are known become log sources, or a forged one could fill the memory.
_SOURCES = {kind: LogSource("suricata", _CATEGORIES.get(kind), kind) for kind in _KINDS}
_REQUESTS = {each: LogSource("suricata", each, "http") for each in ("proxy", "webserver")}
_OTHER = LogSource("suricata")
Fields = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of EVE.

    The service is EVE's ``event_type``. Names are EVE's, dotted; flows, dropped packets, names and requests also have
    those of Sigma's categories ``firewall``, ``dns``, ``webserver`` and ``proxy``.
    """
    if b"[**]" in line[:_HEAD] and line[:1] != b"{":
        return _fast(lines.text(line, source, record), source, record)
    said = documents.read(line, source, record)
    kind = documents.word(said, "event_type")
    marks = {"flow_id", "src_ip", "stats", "pcap_cnt"} & said.keys()
    if not kind or not marks or "timestamp" not in said:
        raise lines.refused("this is no record of Suricata's EVE log", source, record)
    fields = documents.flat(said)
    fields |= _between(fields)
    logsource = _SOURCES.get(kind, _OTHER)
    if kind == "http":
        logsource = _REQUESTS[web.category(documents.word(said, "dest_ip"))]
        fields |= _request(fields)
    elif kind == "dns":
        fields |= _asked(fields)
    elif kind == "drop":
        fields |= {"action": "drop", "blocked": "true"}
    return Event(logsource, fields, source, record, documents.moment(said["timestamp"]))


_FAST = re.compile(
    r"(?:.{0,200}?\b)?\d\d/\d\d(?:/\d{2,4})?-\d\d:\d\d:\d\d\.\d{6} {1,2}(?:\[(?P<drop>Drop|wDrop)\] )?\[\*\*\] "
    r"\[(?P<gid>\d{1,10}):(?P<sid>\d{1,10}):(?P<rev>\d{1,10})\] (?P<signature>.{0,1024}?) \[\*\*\] "
    r"(?:\[Classification: (?P<class>[^\]]{0,256})\] )?\[Priority: (?P<priority>\d{1,4})\] \{(?P<proto>[^}]{1,32})\} "
    r"(?P<src>[0-9A-Fa-f.:]{2,45}?)(?::(?P<sport>\d{1,5}))? -> "
    r"(?P<dst>[0-9A-Fa-f.:]{2,45}?)(?::(?P<dport>\d{1,5}))?\s*",
    re.DOTALL,
)
_HEAD = 512
"""Bytes in which a line of fast.log says that it is one."""


def _fast(text: str, source: str, record: int) -> Event:
    """An alert of fast.log in EVE's names. Its time names no zone, so the event has none."""
    found = _FAST.fullmatch(text)
    if found is None:
        raise lines.refused("this is no line of Suricata's fast.log", source, record)
    numbers = {"gid": "gid", "signature_id": "sid", "rev": "rev", "severity": "priority"}
    fields: Fields = {f"alert.{name}": int(found[part]) for name, part in numbers.items()}
    fields |= {"alert.signature": found["signature"], "alert.category": found["class"]}
    fields |= {
        "event_type": "alert",
        "proto": found["proto"],
        "src_ip": found["src"],
        "dest_ip": found["dst"],
    }
    fields |= {
        "src_port": found["sport"] and int(found["sport"]),
        "dest_port": found["dport"] and int(found["dport"]),
    }
    fields["alert.action"] = "blocked" if found["drop"] else "allowed"
    fields = {name: value for name, value in fields.items() if value not in (None, "")}
    return Event(_SOURCES["alert"], fields | _between(fields), source, record)


def _between(fields: Fields) -> Fields:
    names = (("dst_ip", "dest_ip"), ("dst_port", "dest_port"), ("protocol", "proto"))
    return {name: fields[other] for name, other in names if other in fields}


def _asked(fields: Fields) -> Fields:
    """EVE has had three shapes for DNS; a question stands in the first or the last."""
    words = {
        "query": fields.get("dns.rrname", fields.get("dns.queries.rrname")),
        "record_type": fields.get("dns.rrtype", fields.get("dns.queries.rrtype")),
        "answer": fields.get("dns.rdata", fields.get("dns.answers.rdata")),
    }
    return {name: word for name, word in words.items() if word is not None}


def _request(fields: Fields) -> Fields:
    get = fields.get
    status, size = get("http.status"), get("http.length")
    host = str(get("http.hostname", ""))
    words = web.request(
        client=str(get("src_ip", "")),
        method=str(get("http.http_method", "")),
        uri=str(get("http.url", "")),
        status=status if isinstance(status, int) else 0,
        size=size if isinstance(size, int) else 0,
        host=host,
        user_agent=str(get("http.http_user_agent", "")),
        referer=str(get("http.http_refer", "")),
    )
    return words | web.browsed(words, host)
