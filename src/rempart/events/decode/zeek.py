"""Reads Zeek's logs, as JSON or in columns: connections, names, requests, files, certificates and more."""

from collections.abc import Callable, Mapping
from typing import Any

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events import web
from rempart.events.columns import FIELDS
from rempart.events.event import Event, LogSource

_CATEGORIES = {"conn": "firewall", "dns": "dns"}
_LOGS = """
    analyzer bacnet capture_loss cluster config conn dce_rpc dhcp dnp3 dns dpd enip files ftp http intel irc kerberos
    known_certs known_hosts known_services ldap ldap_search loaded_scripts modbus mqtt_connect mqtt_publish
    mqtt_subscribe mysql notice ntlm ntp ocsp packet_filter pe postgresql profinet quic radius rdp redis reporter rfb
    signatures sip smb_cmd smb_files smb_mapping smtp snmp socks software ssh ssl stats syslog tunnel weird wireguard
    x509
""".split()  # noqa: SIM905  a list would have a line for each
# Names come from the log: only those that are known become log sources, or a forged one could fill the memory.
_SOURCES = {log: LogSource("zeek", _CATEGORIES.get(log), log) for log in _LOGS}
_REQUESTS = {each: LogSource("zeek", each, "http") for each in ("proxy", "webserver")}
_OTHER = LogSource("zeek")
# A log without its name is known by columns that no other log has.
_KNOWN_BY = (
    ("conn", "conn_state"),
    ("dns", "qclass_name"),
    ("http", "trans_depth"),
    ("dce_rpc", "endpoint"),
    ("kerberos", "request_type"),
    ("x509", "certificate.serial"),
    ("rdp", "security_protocol"),
    ("smb_mapping", "share_type"),
    ("smb_files", "times.modified"),
    ("ssl", "cipher"),
    ("files", "fuid"),
)
_NESTED = ("id_orig_", "id_resp_", "certificate_", "basic_constraints_", "san_", "times_")
Fields = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one record; None for a line of a header. Raises `rempart.errors.DecodeError` for any other line.

    Columns need to be told: their record begins with the header's lines ``#path``, ``#fields`` and ``#types``, newlines
    between (`rempart.events.columns.joined`). The service is the log's name. Names are Zeek's; connections, names and
    requests also have those of Sigma's categories ``firewall``, ``dns``, ``webserver`` and ``proxy``.
    """
    if line[:1] == b"#" and not line.startswith(FIELDS):
        if (columns := _columns(lines.text(line, source, record))) is None:
            return None
        log, said = columns
    else:
        said = {_dotted(name): value for name, value in documents.read(line, source, record).items()}
        log = _log(said)
    if not log:
        raise lines.refused("this is no record of a log of Zeek's that is known", source, record)
    fields = documents.flat(said)
    logsource = _SOURCES.get(log, _OTHER)
    if log == "http":
        logsource = _REQUESTS[web.category(documents.word(said, "id.resp_h"))]
        fields |= _request(fields)
    elif logsource.category:
        fields |= _between(fields)
    return Event(logsource, fields, source, record, documents.moment(said.get("ts")))


def _log(said: Fields) -> str:
    """The log's name: ``_path`` of Zeek's own JSON streaming, ``@stream`` of the writer for shippers, or by columns."""
    for name in ("_path", "@stream"):
        log = documents.word(said, name)
        if (
            log
            and ("ts" in said or "@proc" in said or "_write_ts" in said)
            and log.replace("_", "").isalnum()
        ):
            return log[:64]
    if "ts" not in said or "uid" not in said:
        return ""
    return next((log for log, column in _KNOWN_BY if column in said), "")


def _dotted(name: str) -> str:
    """Some shippers write ``id_orig_h`` for ``id.orig_h``."""
    prefix = next((each for each in _NESTED if name.startswith(each)), "")
    return (
        f"{prefix[:-1]}.{name.removeprefix(prefix)}"
        if prefix and not prefix.startswith("id_")
        else _end(name)
    )


def _end(name: str) -> str:
    return f"id.{name[3:]}" if name in ("id_orig_h", "id_orig_p", "id_resp_h", "id_resp_p") else name


# -- columns ------------------------------------------------------------------------------------------------------


def _columns(text: str) -> tuple[str, Fields] | None:
    """The log's name and the columns of the row after the header; None when there is no row."""
    header: dict[str, list[str]] = {}
    row: list[str] = []
    for each in text.split("\n"):
        name, *words = each.split("\t")
        if name.startswith("#"):
            header[name] = words
        else:
            row = each.split("\t")
    path, names, types = (header.get(name, []) for name in ("#path", "#fields", "#types"))
    if not row or not path or len(names) != len(types) or len(row) != len(names):
        return None
    values = (_value(kind, word) for kind, word in zip(types, row, strict=True))
    return path[0][:64], dict(zip(names, values, strict=True))


def _value(kind: str, said: str) -> Any:
    if said == "-":
        return None
    if kind.startswith(("set[", "vector[")):
        inner = kind.partition("[")[2].rstrip("]")
        return [] if said == "(empty)" else [_value(inner, each) for each in said.split(",")]
    if said == "(empty)":
        return ""
    try:
        return _READ[kind](said) if kind in _READ else said
    except ValueError:
        return said


_READ: Mapping[str, Callable[[str], Any]] = {
    "bool": lambda said: said == "T",
    "count": lambda said: int(said[:20]),
    "int": lambda said: int(said[:20]),
    "port": lambda said: int(said[:20]),
    "double": float,
    "interval": float,
    "time": float,
}


# -- categories ---------------------------------------------------------------------------------------------------


def _between(fields: Fields) -> Fields:
    """Who spoke to whom; for names also what was asked and answered."""
    words = {
        "src_ip": fields.get("id.orig_h"),
        "src_port": fields.get("id.orig_p"),
        "dst_ip": fields.get("id.resp_h"),
        "dst_port": fields.get("id.resp_p"),
        "protocol": fields.get("proto"),
        "record_type": fields.get("qtype_name"),
        "answer": fields.get("answers"),
    }
    return {name: word for name, word in words.items() if word is not None}


def _request(fields: Fields) -> Fields:
    get = fields.get
    status, size = get("status_code"), get("response_body_len")
    words = web.request(
        client=str(get("id.orig_h", "")),
        method=str(get("method", "")),
        uri=str(get("uri", "")),
        status=status if isinstance(status, int) else 0,
        size=size if isinstance(size, int) else 0,
        host=str(get("host", "")),
        user=str(get("username", "")),
        user_agent=str(get("user_agent", "")),
        referer=str(get("referrer", "")),
    )
    return words | web.browsed(words, str(get("host", ""))) | _between(fields)
