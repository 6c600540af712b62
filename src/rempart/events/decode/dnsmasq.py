"""Reads what dnsmasq says: addresses it leased to machines, names that machines asked for."""

import re

from rempart.events import line as lines
from rempart.events import syslog_header
from rempart.events.event import Event, LogSource

LEASES = LogSource(product="dnsmasq", category="dhcp")
NAMES = LogSource(product="dnsmasq", category="dns")

_MAC = r"(?P<mac>[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5})"
_ADDRESS = r"(?P<ip>[0-9A-Fa-f.:]{2,45})"
_LEASE = re.compile(
    rf"(?:\d+ )?DHCPACK\((?P<interface>[^)\s]{{1,32}})\) {_ADDRESS} {_MAC}(?: (?P<name>\S{{1,255}}))?"
)
_QUERY = re.compile(
    rf"(?:\d+ \S+ )?query\[(?P<type>[^\]]{{1,20}})\] (?P<name>.{{0,1024}}) from {_ADDRESS}", re.DOTALL
)


_OWN = re.compile(r"^([A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d) (dnsmasq(?:-[a-z]{1,16})?\[\d{1,10}\]: )")
"""How its own file (``log-facility``), Pi-hole's among them, begins: no machine is named."""


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one line; None when it tells of neither a lease granted nor a name asked for.

    A lease has ``ip``, ``mac`` (lower case), ``interface`` and ``host``; a question has Sigma's ``query`` and
    ``record_type``, with ``src_ip``. Raises `DecodeError` when the line is not dnsmasq's.
    """
    text = lines.text(line, source, record)
    head = syslog_header.parse(_OWN.sub(r"\1 - \2", text, count=1))
    if head is None or not head.program.startswith("dnsmasq"):
        raise lines.refused("this line is not dnsmasq's", source, record)
    if found := _LEASE.fullmatch(head.message):
        lease = {"ip": found["ip"], "mac": found["mac"].lower(), "interface": found["interface"]}
        lease |= {"host": found["name"]} if found["name"] else {}
        return Event(LEASES, lease, source, record, head.time)
    if found := _QUERY.fullmatch(head.message):
        question = {"query": found["name"].lower(), "record_type": found["type"], "src_ip": found["ip"]}
        return Event(NAMES, question, source, record, head.time)
    return None
