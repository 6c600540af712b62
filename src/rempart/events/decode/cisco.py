"""Reads what Cisco's switches, routers and firewalls say by syslog, and TACACS+ servers' files of commands."""

import re
from ipaddress import ip_address
from typing import Any

from rempart.events import line as lines
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, parse_rfc3339

_TAG = re.compile(
    r"%(?P<facility>[A-Z][A-Z0-9_$-]{0,62}?)-(?:[a-z]{2,32}-)?(?P<severity>[0-7])-(?P<mnemonic>[A-Z0-9_]{1,64}) ?:"
)
_LONGEST_HEAD = 400
_ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)")
_WHEN = re.compile(
    _ZONED.pattern + r"|(?:\d{4} )?[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
    r"(?: [A-Z]{2,5}(?=:))?"
)
_PRIORITY = re.compile(r"<\d{1,3}>")
_MOST_SPEAKERS = 4
"""Relay, device, card, process: where more stand before the tag, somebody else is speaking."""

_FIREWALLS = {"ASA": "asa", "PIX": "asa", "FWSM": "asa", "FTD": "ftd"}
_SERVICES = ("syslog", "asa", "ftd")
_SOURCES = {
    (service, category): LogSource("cisco", category, service)
    for service in _SERVICES
    for category in (None, "firewall")
}
_AAA, _BGP, _LDP = (LogSource("cisco", None, service) for service in ("aaa", "bgp", "ldp"))

# Commands: IOS' archive of configuration changes, NX-OS' accounting, ASA's 111008 to 111010.
_COMMANDS = (
    re.compile(r"User:(?P<user>\S{0,128}) {1,4}logged command:(?P<command>.*)", re.DOTALL),
    re.compile(
        r"(?:start|stop|update):(?P<ip>\S{1,140}?)@\S{1,64}?:(?P<user>[^:\s]{0,128}):(?P<command>.*)",
        re.DOTALL,
    ),
    re.compile(
        r"User '(?P<user>[^']{0,128})'(?:, running '[^']{0,64}' from IP (?P<ip>\S{1,64}?),?)? "
        r"executed (?:the )?(?:cmd: ?)?(?P<command>.*)",
        re.DOTALL,
    ),
)
_COMMANDED = frozenset({"CFGLOG_LOGGEDCMD", "AAA_ACCOUNTING_MESSAGE", "111008", "111009", "111010"})
_ACCOUNTED = re.compile(
    r"(?P<when>[\w:+. -]{8,40})\t(?P<host>[^\t]{1,255})\t(?P<user>[^\t]{0,128})\t[^\t]{0,64}\t(?P<ip>[^\t]{0,64})\t"
    r"(?:start|stop|update)\t(?P<words>.*\bservice=.*)",
    re.DOTALL,
)

_OUTCOMES = {
    "LOGIN_SUCCESS": "success",
    "WEBLOGIN_SUCCESS": "success",
    "LOGIN_FAILED": "failure",
    "605004": "failure",
    "605005": "success",
    "113015": "failure",
    "113039": "success",
}
# A name is for whoever signs in to choose, of any length: each form takes the address that the device itself wrote,
# which is the first or the last of those that stand there.
_LOGINS = (
    re.compile(r"[^\[]{0,120}\[user: (?P<user>.*)\] \[Source: (?P<ip>[^\]]{0,64})\]", re.DOTALL),
    re.compile(r'Login \w{1,16} from (?P<ip>\S{1,64})/\d{1,5} to \S{1,140} for user "(?P<user>[^"]{0,128})'),
    re.compile(r"(?:Group <[^>]{0,128}> )?User <(?P<user>.*)> IP <(?P<ip>[^>]{0,64})>", re.DOTALL),
    re.compile(r".{0,120}?\buser = (?P<user>.*) : user IP = (?P<ip>\S{1,64})", re.DOTALL),
)

_VERB = re.compile(
    r"(?:Built|Den(?:y|ied)|Drop(?:ped|ping)?|.{0,80}?\b(?:denied|discarded|permitted)\b).{0,120}?"
    r"\b(?:from|src|for faddr|for) (?P<source>\S{1,140})(?: ?\([^)]{0,140}\)){0,3} "
    r"(?:to|dst|gaddr \S{1,140} laddr) (?P<target>\S{1,140})",
    re.DOTALL,
)
_LIST = re.compile(
    r"(?:access-)?list (?P<rule>\S{1,140}) (?P<verb>permitted|denied|est-allowed) (?P<protocol>\w{1,16}) "
    r"(?P<source>\S{1,140})(?: \([^)]{0,140}\))? -> (?P<target>\S{1,140})",
)
_END = re.compile(r"(?P<address>.+?)(?:/(?P<slashed>\d{1,5})|\((?P<bracketed>\d{1,5})\))?(?:\(.*\))?[,.]?")
_PROTOCOL = re.compile(r"\b(tcp|udp|icmp|icmp6|gre|esp)\b", re.IGNORECASE)
_FILTERED = re.compile(r"106|302|313|710")
"""Beginnings of the numbers under which a firewall tells of packets; 302014 and its like say not who began."""
_ENDED = frozenset({"302014", "302016", "302018", "302021"})
_PORTS = frozenset({"tcp", "udp"})
_FTD = {
    "src_ip": "SrcIP",
    "dst_ip": "DstIP",
    "src_port": "SrcPort",
    "dst_port": "DstPort",
    "protocol": "Protocol",
}
Fields = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of a Cisco device's.

    IOS, IOS XE, IOS XR and NX-OS have the service ``syslog``, firewalls ``asa`` or ``ftd``, commands ``aaa``, refused
    neighbours ``bgp`` or ``ldp``. ``message`` begins with the tag (``%SYS-5-CONFIG_I:``); beside it stand ``facility``,
    ``severity``, ``mnemonic`` and ``host``; of packets the names of Sigma's ``firewall``, of sign-ins ``user``,
    ``src_ip`` and ``outcome``. A command has ``command``, ``user`` and ``src_ip`` and no tag: SigmaHQ's rules look for
    words as short as ``aaa`` in every value.
    """
    text = lines.text(line, source, record)
    if (accounted := _ACCOUNTED.fullmatch(text)) is not None:
        return Event(_AAA, _accounted(accounted), source, record, _zoned(accounted["when"]))
    tag = _TAG.search(text, 0, _LONGEST_HEAD)
    head = text[: tag.start()] if tag else ""
    speakers = _speakers(head)
    if tag is None or len(speakers) > _MOST_SPEAKERS or (len(speakers) > 1 and head.rstrip()[-1:] != ":"):
        raise lines.refused("this is no message of a Cisco device", source, record)
    host: Fields = {"host": speakers[0]} if speakers else {}
    logsource, fields = _said(tag, text[tag.end() :].strip(), text[tag.start() :])
    fields = {
        name: lines.capped(word) if isinstance(word, str) else word for name, word in (host | fields).items()
    }
    return Event(logsource, fields, source, record, _zoned(head))


def _speakers(head: str) -> list[str]:
    """The words of a head that are neither time nor number."""
    words = (word.strip(":*.") for word in _PRIORITY.sub(" ", _WHEN.sub(" ", head)).split())
    return [word for word in words if word and not word.isdecimal()]


def _said(tag: re.Match[str], said: str, message: str) -> tuple[LogSource, Fields]:
    mnemonic, facility = tag["mnemonic"], tag["facility"]
    if mnemonic in _COMMANDED and (command := _command(said)):
        return _AAA, command | {"severity": int(tag["severity"])}
    fields: Fields = {
        "message": message,
        "facility": facility,
        "severity": int(tag["severity"]),
        "mnemonic": mnemonic,
    }
    if mnemonic in _OUTCOMES:
        fields |= _login(said) | {"outcome": _OUTCOMES[mnemonic]}
    if (neighbour := _neighbour(facility, mnemonic, said)) is not None:
        return neighbour, fields
    service = _FIREWALLS.get(facility, "syslog")
    packet = _packet(service, mnemonic, said)
    return _SOURCES[service, "firewall" if packet else None], fields | packet


def _command(said: str) -> Fields:
    for form in _COMMANDS:
        if found := form.fullmatch(said):
            command = found["command"].removesuffix(".").removesuffix(" command").strip("' ")
            words = found.groupdict()
            return {"message": said, "command": command, **_who(words.get("user"), words.get("ip"))}
    return {}


def _accounted(found: re.Match[str]) -> Fields:
    """A line of a TACACS+ server's accounting file: columns, then words such as ``cmd=show version <cr>``."""
    words = dict(word.partition("=")[::2] for word in found["words"].split("\t"))
    command = words.get("cmd", "").removesuffix("<cr>").strip()
    return {
        "host": found["host"],
        **({"command": lines.capped(command)} if command else {}),
        **_who(found["user"], found["ip"]),
    }


def _login(said: str) -> Fields:
    for form in _LOGINS:
        if found := form.match(said):
            return _who(found["user"], found["ip"])
    return {}


def _who(user: str | None, address: str | None) -> Fields:
    words = {"user": user, "src_ip": _address(address or "")}
    return {name: word for name, word in words.items() if word}


def _neighbour(facility: str, mnemonic: str, said: str) -> LogSource | None:
    """Routers that refuse one another: BGP by its port 179, label distribution by its name or port 646."""
    if "LDP" in facility or ("MD5" in mnemonic and "LDP" in said):
        return _LDP
    if "BGP" in facility:
        return _BGP
    if mnemonic == "BADAUTH":
        return _LDP if re.search(r"[:(]646\b", said) else _BGP if re.search(r"[:(]179\b", said) else None
    return None


def _packet(service: str, mnemonic: str, said: str) -> Fields:
    """What a firewall did with a packet; nothing where the message is about something else, or says not who began."""
    if service == "ftd" and ": " in said[:80] and (words := _connection(said)):
        return words
    if (listed := _LIST.search(said)) is not None:
        ends = _between(listed["source"], listed["target"], listed["protocol"].lower())
        return ends and ends | {"rule": listed["rule"], **_verdict(blocked=listed["verb"] == "denied")}
    if service == "syslog" or mnemonic in _ENDED or not _FILTERED.match(mnemonic):
        return {}
    if (found := _VERB.match(said)) is None:
        return {}
    built = said.startswith("Built")
    source, target = found["source"], found["target"]
    if said.startswith("Built outbound"):  # names the far end first, whoever began
        source, target = target, source
    protocol = _PROTOCOL.search(said[: found.start("source")])
    ends = _between(source, target, protocol[1].lower() if protocol else "")
    return ends and ends | _verdict(blocked=not built and "permitted" not in said[: found.start("source")])


def _connection(said: str) -> Fields:
    """FTD's connection events: ``name: value`` after ``name: value``, commas between."""
    pairs = (pair.partition(": ") for pair in said.split(", ")[:200])
    words: Fields = {name[:64]: lines.capped(word) for name, colon, word in pairs if colon and name.isalnum()}
    ends = {name: words[other] for name, other in _FTD.items() if other in words}
    if "src_ip" not in ends or "dst_ip" not in ends:
        return {}
    return words | ends | _verdict(blocked=str(words.get("AccessControlRuleAction", "")).startswith("Block"))


def _verdict(*, blocked: bool) -> Fields:
    return {"action": "deny" if blocked else "allow", "blocked": "true" if blocked else "false"}


def _between(source: str, target: str, protocol: str) -> Fields:
    """Both ends of a packet; nothing unless both are addresses."""
    ends: Fields = {"protocol": protocol} if protocol else {}
    for side, text in (("src", source), ("dst", target)):
        found = _END.fullmatch(text)
        address = _address(found["address"]) if found else ""
        if not found or not address:
            return {}
        ends[f"{side}_ip"] = address
        port = found["slashed"] or found["bracketed"]
        if port and protocol in _PORTS:
            ends[f"{side}_port"] = int(port)
    return ends


def _address(text: str) -> str:
    """The address in ``203.0.113.9``, ``outside:203.0.113.9`` or ``outside/203.0.113.9``; empty when there is none."""
    for each in (text, text.partition(":")[2], text.partition("/")[2]):
        try:
            return str(ip_address(each))
        except ValueError:
            continue
    return ""


def _zoned(head: str) -> Instant | None:
    """The instant that a head names; what names no zone, or no year, names none."""
    found = _ZONED.search(head)
    try:
        return parse_rfc3339(found[0]) if found else None
    except (ValueError, OverflowError):
        return None
