"""What a program on Linux said, wherever it was kept, in the words of Sigma's services."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from rempart.events import audit
from rempart.events.event import LogSource
from rempart.events.line import capped
from rempart.instants import Instant

_SERVICES = {
    "sshd": "sshd",
    "sshd-session": "sshd",
    "sudo": "sudo",
    "su": "auth",
    "login": "auth",
    "passwd": "auth",
    "pkexec": "auth",
    "polkitd": "auth",
    "useradd": "auth",
    "usermod": "auth",
    "systemd-logind": "auth",
    "cron": "cron",
    "crond": "cron",
    "crontab": "cron",
    "CRON": "cron",
    "auditd": "auditd",
    "clamd": "clamav",
    "freshclam": "clamav",
    "clamonacc": "clamav",
    "vsftpd": "vsftpd",
    "named": "named",
    "unbound": "unbound",
    "guacd": "guacamole",
}
_SYSMON = {
    "1": "process_creation",
    "3": "network_connection",
    "5": "process_termination",
    "9": "raw_access_thread",
    "11": "file_event",
    "16": "sysmon_status",
    "23": "file_delete",
}
_HEAD = re.compile(r"<(EventID|EventRecordID|Channel|Computer)>([^<]{0,255})</")
_DATA = re.compile(r'<Data Name="([^"<]{1,64})">([^<]*)</Data>')
_PROVIDER = re.compile(r'<Provider Name="([^"<]{1,64})"')
_SUDO = re.compile(r"\b(TTY|PWD|USER|GROUP|TSID|ENV)=((?:(?! ; ).)*)", re.DOTALL)
_PACKET = re.compile(r"\b(IN|OUT|MAC|SRC|DST|PROTO|SPT|DPT|MARK)=(\S{0,64})")
# BIND's query log, and unbound's with log-queries or log-replies; the name asked for is the client's to choose.
_QUESTIONS = {
    "named": re.compile(
        r"client (?:@0x[0-9a-f]{1,16} )?(?P<ip>[0-9A-Fa-f.:]{2,45})#\d{1,5} \([^)]{0,1024}\): (?:view \S{1,64}: )?"
        r"query: (?P<name>\S{1,1024}) [A-Z]{2} (?P<type>[A-Z0-9]{1,20})\b.{0,200}"
    ),
    "unbound": re.compile(
        r"\[\d{1,10}:[0-9a-f]{1,8}\] (?:info|reply|query): (?P<ip>[0-9A-Fa-f.:]{2,45}) (?P<name>\S{1,1024})\. "
        r"(?P<type>[A-Z0-9]{1,20}) [A-Z]{2}\b.{0,200}"
    ),
}
_VIRUS = re.compile(r"(?P<file>.{1,4096}): (?P<signature>\S{1,255}) FOUND")
_PREFIX = re.compile(r"(?:\[\s*\d+\.\d+\] ?)?(.{0,64}?)\s*\bIN=", re.DOTALL)
_PACKETS = {
    "IN": "interface",
    "OUT": "interface_out",
    "SRC": "src_ip",
    "DST": "dst_ip",
    "SPT": "src_port",
    "DPT": "dst_port",
}


@dataclass(frozen=True, slots=True)
class Saying:
    """One message with its log source; ``time`` where the message itself names one."""

    logsource: LogSource
    fields: dict[str, Any]
    time: Instant | None = None


def said(program: str, message: str, *, host: str = "", pid: str = "") -> Saying:
    """What a program said: an audit record, an event of Sysmon, a sudo command, a packet, or just a message."""
    fields: dict[str, Any] = {
        "message": capped(message),
        "host": host,
        "program": program,
        "pid": pid or None,
    }
    if (record := audit.parse(message)) is not None:
        return Saying(record.logsource, fields | record.fields, record.time)
    if message.startswith("<Event>"):
        return _sysmon(message, fields)
    if program == "kernel" and " SRC=" in message:
        return Saying(
            LogSource(product="linux", category="firewall", service="syslog"), fields | _packet(message)
        )
    service = _SERVICES.get(program, "syslog")
    if program in _QUESTIONS and (found := _QUESTIONS[program].fullmatch(message)):
        asked = {
            "query": found["name"].lower().rstrip("."),
            "record_type": found["type"],
            "src_ip": found["ip"],
        }
        return Saying(LogSource(product="linux", category="dns", service=service), fields | asked)
    if service == "clamav" and (found := _VIRUS.fullmatch(message)):
        virus = {"Signature": found["signature"], "Filename": found["file"]}
        return Saying(LogSource(product="linux", category="antivirus", service=service), fields | virus)
    if program == "sudo":
        fields |= _command(message)
    return Saying(LogSource(product="linux", service=service), fields)


def _command(message: str) -> dict[str, Any]:
    """Who ran what as whom. The command comes last and may read like anything: nothing in it is looked at."""
    before, named, command = message.partition("COMMAND=")
    words = {name: capped(word.strip()) for name, word in _SUDO.findall(before)}
    return words | ({"COMMAND": capped(command)} if named else {})


def _sysmon(message: str, fields: dict[str, Any]) -> Saying:
    """Sysmon for Linux writes one element ``Event`` a message. Empty words are written ``-``."""
    head = dict(_HEAD.findall(message))
    if provider := _PROVIDER.search(message):
        head["Provider_Name"] = provider[1]
    data = {name: capped(unescape(word)) for name, word in _DATA.findall(message) if word not in ("", "-")}
    logsource = LogSource(product="linux", category=_SYSMON.get(head.get("EventID", "")), service="sysmon")
    del fields["message"]  # the same again, in markup
    return Saying(logsource, fields | head | data)


def _packet(message: str) -> dict[str, Any]:
    """A packet that a firewall rule logged; what the rule's prefix says is the action."""
    words: dict[str, Any] = {
        _PACKETS[name]: word for name, word in _PACKET.findall(message) if name in _PACKETS and word
    }
    for port in ("src_port", "dst_port"):
        if port in words:
            words[port] = int(words[port]) if words[port].isdecimal() and len(words[port]) < 6 else None
    if protocol := re.search(r"\bPROTO=(\w{1,16})", message):
        words["protocol"] = protocol[1].lower()
    if (prefix := _PREFIX.match(message)) and prefix[1]:
        words["action"] = prefix[1].strip(" :[]").lower()
    return words
