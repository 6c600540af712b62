"""Reads ulogd's JSON lines: packets that the firewall logged (NFLOG) and flows that began or ended (conntrack)."""

from typing import Any

import orjson

from rempart.events import line as lines
from rempart.events.event import Event, LogSource
from rempart.instants import Instant

PACKETS = LogSource(product="ulogd", category="firewall")
FLOWS = LogSource(product="ulogd", category="network_connection")

_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp"}
_FLOW_EVENTS = {1: "begun", 4: "ended"}
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
Said = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one line; None for a change in the middle of a flow. Raises `DecodeError` for any other line.

    Packets have ``action`` and ``opening`` (the NFLOG prefix is ``<verdict>:<opening or reason>``), addresses, ports,
    ``protocol``, ``interface`` (came in by), ``interface_out``, ``src_mac``. Flows have ``flow`` (begun or ended),
    addresses and ports of the first packet, ``mark``; when ended also ``bytes_out`` (sent by who began it),
    ``bytes_in``, ``packets`` and ``duration`` in seconds.
    """
    said = _object(lines.text(line, source, record))
    if said is None or not isinstance(said.get("src_ip"), str) or not isinstance(said.get("dest_ip"), str):
        raise lines.refused("this is no JSON line of ulogd with addresses", source, record)
    if "ct.event" in said:
        return _flow(said, source, record)
    if "oob.prefix" in said:
        return Event(PACKETS, _packet(said), source, record, _time(said, "oob.time"))
    raise lines.refused("this line of ulogd is neither a packet nor a flow", source, record)


def _object(text: str) -> Said | None:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _packet(said: Said) -> Said:
    action, _, opening = str(said["oob.prefix"]).partition(":")
    words = {
        "src_port": said.get("src_port"),
        "dst_port": said.get("dest_port"),
        "action": action,
        "opening": opening.strip(),
        "interface": said.get("oob.in"),
        "interface_out": said.get("oob.out"),
        "src_mac": said.get("mac.saddr.str"),
        "mark": said.get("oob.mark"),
        "bytes": said.get("raw.pktlen"),
    }
    return _between(said, "ip.protocol") | {name: word for name, word in words.items() if _simple(word)}


def _flow(said: Said, source: str, record: int) -> Event | None:
    stage = _FLOW_EVENTS.get(_number(said, "ct.event"))
    if stage is None:
        return None
    words = {
        "src_port": said.get("orig.l4.sport"),
        "dst_port": said.get("orig.l4.dport"),
        "mark": said.get("ct.mark"),
    }
    fields = _between(said, "orig.ip.protocol") | {"flow": stage}
    fields |= {name: word for name, word in words.items() if _simple(word)}
    began, ended = _time(said, "flow.start"), _time(said, "flow.end")
    if stage == "ended":
        fields |= {
            "bytes_out": _number(said, "orig.raw.pktlen"),
            "bytes_in": _number(said, "reply.raw.pktlen"),
            "packets": _number(said, "orig.raw.pktcount") + _number(said, "reply.raw.pktcount"),
        }
        if began is not None and ended is not None:
            fields["duration"] = max(0, ended - began) / 1_000_000
    return Event(FLOWS, fields, source, record, began if stage == "begun" else (ended or began))


def _between(said: Said, protocol: str) -> Said:
    number = said.get(protocol)
    name = _PROTOCOLS.get(number, str(number)) if type(number) is int else "unknown"
    return {"src_ip": said["src_ip"][:64], "dst_ip": said["dest_ip"][:64], "protocol": name}


def _simple(word: object) -> bool:
    """Whether a value is a whole number or non-empty, short text: nothing else stands in these fields."""
    return type(word) is int or (isinstance(word, str) and 0 < len(word) <= lines.MAX_VALUE)


def _number(said: Said, name: str) -> int:
    value = said.get(name)
    return value if type(value) is int else 0


def _time(said: Said, clock: str) -> Instant | None:
    """Seconds and microseconds since 1970; ulogd's own ``timestamp`` has no zone and is not used."""
    second, microsecond = said.get(f"{clock}.sec"), _number(said, f"{clock}.usec")
    if type(second) is not int or not 0 < second <= _LAST_SECOND or not 0 <= microsecond < 1_000_000:
        return None
    return Instant(second * 1_000_000 + microsecond)
