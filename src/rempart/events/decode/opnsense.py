"""Reads filterlog, the packet log of OPNsense and pfSense: one line of commas for each packet that a rule logs."""

from typing import Any

from rempart.events import line as lines
from rempart.events import syslog_header
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="opnsense", category="firewall")
_IPV4, _IPV6 = 20, 17
"""Words up to the two addresses; what follows depends on the protocol."""
_PORTS = frozenset({"tcp", "udp"})


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of filterlog's.

    ``action`` is what the rule did (pass, block, reject); ``blocked`` says so for rules written for any firewall. Then
    ``src_ip``, ``dst_ip``, ports, ``protocol``, ``direction``, ``interface``, ``rule`` (its number).
    """
    head = syslog_header.parse(lines.text(line, source, record))
    if head is None or head.program != "filterlog":
        raise lines.refused("this line is not filterlog's", source, record)
    words = head.message.split(",")
    if len(words) < _IPV6 or words[8] not in ("4", "6"):
        raise lines.refused("filterlog has written something that is no packet", source, record)
    fields: dict[str, Any] = {
        "rule": words[0],
        "interface": words[4],
        "action": words[6],
        "blocked": "false" if words[6] == "pass" else "true",
        "direction": words[7],
        "host": head.host,
    }
    fields |= _ipv4(words) if words[8] == "4" else _ipv6(words)
    fields = {name: lines.capped(word) if isinstance(word, str) else word for name, word in fields.items()}
    return Event(LOGSOURCE, fields, source, record, head.time)


def _ipv4(words: list[str]) -> dict[str, Any]:
    if len(words) < _IPV4:
        return {}
    return {"protocol": words[16].lower(), "src_ip": words[18], "dst_ip": words[19]} | _ports(
        words[16], words[20:22]
    )


def _ipv6(words: list[str]) -> dict[str, Any]:
    return {"protocol": words[12].lower(), "src_ip": words[15], "dst_ip": words[16]} | _ports(
        words[12], words[17:19]
    )


def _ports(protocol: str, words: list[str]) -> dict[str, Any]:
    numbers = [int(word) for word in words if word.isdecimal() and len(word) < 6]
    if protocol.lower() not in _PORTS or len(numbers) < 2:
        return {}
    return {"src_port": numbers[0], "dst_port": numbers[1]}
