"""Reads Junos, the system of Juniper's SRX firewalls, routers and switches: structured syslog, and its plain form."""

import re
from collections.abc import Mapping
from typing import Any

from rempart.events import line as lines
from rempart.events import web
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, parse_rfc3339

_STRUCTURED = re.compile(
    r"(?:<\d{1,3}>)?1 (?P<time>\S{1,40}) (?P<host>\S{1,255}) (?P<program>\S{1,48}) \S{1,128} (?P<tag>\S{1,64}) "
    r"\[junos@2636(?:\.\d{1,8}){1,12}(?P<words>(?: [^\s=\]\"]{1,64}=\"(?:[^\"\\]|\\.)*\")*) ?\](?: (?P<said>.*))?",
    re.DOTALL,
)
_WORD = re.compile(r' ([^\s=\]"]{1,64})="((?:[^"\\]|\\.)*)"', re.DOTALL)
_PLAIN = re.compile(
    r"(?:<\d{1,3}>)?(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,32}) {1,2}"
    r"(?:(?P<host>[\w.:-]{1,255}) )?"
    r"(?:(?P<program>RT_[A-Z]{2,12}|mgd|rpd|kmd|nsd|login|sshd|jsrpd|chassisd|dcd|eventd|snmpd|mib2d)"
    r"(?:\[\d{1,10}\])?: (?:%[A-Z]{2,16}-\d-)?(?P<tag>[A-Z][A-Z0-9]{1,15}_[A-Z0-9_]{2,63}): |"
    r"/?kernel: (?=tcp_auth_ok: ))(?P<said>.*)",
    re.DOTALL,
)
_SESSION = re.compile(
    r"session (?:created|denied|closed.{0,80}?:) (?P<src_ip>[0-9A-Fa-f.:]{2,45})/(?P<src_port>\d{1,5})->"
    r"(?P<dst_ip>[0-9A-Fa-f.:]{2,45})/(?P<dst_port>\d{1,5}) ",
    re.DOTALL,
)
_COMMAND = re.compile(r"User '(?P<user>[^']{0,128})', command '(?P<command>.*)'", re.DOTALL)
_FAILED = re.compile(
    r"Login failed for user '(?P<user>.{0,128})' from host '?(?P<src_ip>[^'\s]{1,64})'?", re.DOTALL
)

_PROGRAMS = ("rt_flow", "rt_idp", "rt_utm", "rt_screen", "rt_ids", "mgd", "rpd", "kmd", "sshd", "login")
_SOURCES = {name: LogSource("juniper", None, name) for name in _PROGRAMS}
_OTHER, _BGP = LogSource("juniper"), LogSource("juniper", None, "bgp")
_FIREWALL = LogSource("juniper", "firewall", "rt_flow")
_ANTIVIRUS, _PROXY = (LogSource("juniper", category, "rt_utm") for category in ("antivirus", "proxy"))
_SESSIONS: Mapping[str, bool] = {
    "RT_FLOW_SESSION_CREATE": False,
    "RT_FLOW_SESSION_CLOSE": False,
    "RT_FLOW_SESSION_DENY": True,
}
"""Whether the packet was refused; the same tags end in ``_LS`` for logical systems."""
_ALSO = {
    "src_ip": "source-address",
    "dst_ip": "destination-address",
    "src_port": "source-port",
    "dst_port": "destination-port",
    "bytes_out": "bytes-from-client",
    "user": "username",
}
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp6"}
_OUTCOMES = {"UI_LOGIN_EVENT": "success", "SSHD_LOGIN_FAILED": "failure", "LOGIN_FAILED": "failure"}
Fields = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of Junos'.

    The service is the program in small letters (``rt_flow``, ``mgd`` …), ``bgp`` for refused neighbours. Names are
    those of Junos' structured log; beside them stand ``tag``, ``message``, ``host`` and those of Sigma's ``firewall``,
    ``antivirus`` and ``proxy``; of commands ``user`` and ``command``; of sign-ins ``user``, ``src_ip`` and ``outcome``.
    """
    text = lines.text(line, source, record)
    found = _STRUCTURED.fullmatch(text) or _PLAIN.fullmatch(text)
    if found is None:
        raise lines.refused("this is no message of Junos", source, record)
    said, tag, program = found["said"] or "", found["tag"] or "", (found["program"] or "kernel").lower()
    fields: Fields = {
        "tag": tag,
        "program": program,
        "host": found["host"],
        "message": said,
        **_structured(found.groupdict().get("words") or ""),
        **_plain(said),
    }
    fields |= {name: fields[other] for name, other in _ALSO.items() if other in fields}
    if outcome := _OUTCOMES.get(tag):
        fields |= {"outcome": outcome, **_address(fields)}
    logsource, more = _meant(tag, program, fields)
    kept = {
        name: lines.capped(word) if isinstance(word, str) else word for name, word in (fields | more).items()
    }
    return Event(
        logsource, {name: word for name, word in kept.items() if word}, source, record, _time(found["time"])
    )


def _structured(words: str) -> Fields:
    return {name: re.sub(r'\\(["\\\]])', r"\1", word) for name, word in _WORD.findall(words) if word != "N/A"}


def _plain(said: str) -> Fields:
    """What stands in the text only, where nothing is structured."""
    found = _SESSION.match(said) or _COMMAND.fullmatch(said) or _FAILED.fullmatch(said)
    return found.groupdict() if found else {}


def _address(fields: Fields) -> Fields:
    """Where somebody signed in from: ``ssh-connection`` is the client's address and port, then the device's."""
    connection = str(fields.get("ssh-connection", "")).split()
    return {"src_ip": connection[0]} if connection and "src_ip" not in fields else {}


def _meant(tag: str, program: str, fields: Fields) -> tuple[LogSource, Fields]:
    """The log source, and the names of its category."""
    if (refused := _SESSIONS.get(tag.removesuffix("_LS"))) is not None and "dst_ip" in fields:
        return _FIREWALL, _session(fields, blocked=refused)
    if tag.startswith("AV_VIRUS_DETECTED"):
        return _ANTIVIRUS, {"Signature": fields.get("name", ""), "Filename": fields.get("filename", "")}
    if tag.startswith("WEBFILTER_URL_"):
        return _PROXY, _request(fields, blocked=tag.startswith("WEBFILTER_URL_BLOCKED"))
    if "BGP" in tag or (program == "kernel" and ":179 " in str(fields["message"])):
        return _BGP, {}
    return _SOURCES.get(program, _OTHER), {}


def _session(fields: Fields, *, blocked: bool) -> Fields:
    number = str(fields.get("protocol-id", ""))
    words: Fields = {"action": "deny" if blocked else "allow", "blocked": "true" if blocked else "false"}
    took = str(fields.get("elapsed-time", ""))
    if took.isascii() and took.isdigit() and len(took) < 10:
        words["duration"] = float(took)
    return words | ({"protocol": _PROTOCOLS.get(number, number)} if number else {})


def _request(fields: Fields, *, blocked: bool) -> Fields:
    host = str(fields.get("url", ""))
    words = web.request(
        client=str(fields.get("src_ip", "")),
        method="",
        uri=str(fields.get("obj", "")) or "/",
        status=0,
        size=0,
        host=host,
        user=str(fields.get("username", "")),
    )
    del words["sc-status"], words["sc-bytes"]  # not in this log
    return words | web.browsed(words, host) | {"blocked": "true" if blocked else "false"}


def _time(text: str) -> Instant | None:
    """Junos' plain form names no year and no zone, so it names no instant."""
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None
