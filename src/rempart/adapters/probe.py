"""Putting a probe's question to a service and waiting a moment for the answer. No privilege is needed.

Only whether an answer came is believed; what it says is cut short and kept as a hint. A hostile answer can lie about
itself, which is why a probe proves that something answers, never that it is well.
"""

import os
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from rempart.site.probe import Probe, ProbeKind

PATIENCE = 3.0
"""Seconds an answer may take."""

_LONGEST = 512
"""Bytes of an answer that are looked at."""

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether an answer came, and what it began with or why none did."""

    answered: bool
    detail: str


def ask(probe: Probe) -> Answer:
    """Put the question and wait for the answer, at most `PATIENCE` for each step."""
    try:
        return Answer(answered=True, detail=_ASK[probe.kind](probe))
    except _NoAnswer as none:
        return Answer(answered=False, detail=str(none))
    except OSError as fault:
        return Answer(answered=False, detail=(fault.strerror or str(fault) or type(fault).__name__)[:_SHOWN])


class _NoAnswer(Exception):
    """Something came back that is no answer to the question."""


def _tcp(probe: Probe) -> str:
    with socket.create_connection((probe.address, probe.port), PATIENCE):
        return "connected"


def _http(probe: Probe) -> str:
    """GET / in plain HTTP; a TLS port answers it too, with an alert or a 400 (RFC 9110, RFC 8446 section 6)."""
    host = probe.ask or (f"[{probe.address}]" if ":" in probe.address else probe.address)
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: rempart-probe\r\nConnection: close\r\n\r\n"
    with socket.create_connection((probe.address, probe.port), PATIENCE) as stream:
        stream.sendall(request.encode("ascii"))
        said = stream.recv(_LONGEST)
    if said[:1] == b"\x15":
        return "speaks TLS"
    status = re.match(rb"HTTP/1\.[01] ([0-9]{3})", said)
    if not status:
        raise _NoAnswer(f"not HTTP: {_plain(said)}" if said else "closed without an answer")
    if status[1] >= b"500":
        raise _NoAnswer(f"status {status[1].decode()}")
    return f"status {status[1].decode()}"


def _dns(probe: Probe) -> str:
    """One question for an A record over UDP; any reply that carries our number and our question is an answer."""
    number = os.urandom(2)
    labels = (probe.ask or "localhost").encode("ascii").split(b".")
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + struct.pack(">HH", 1, 1)
    said = _datagram(probe, number + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + question)
    if said[:2] != number or not said[2] & 0x80 or question.lower() not in said.lower():
        raise _NoAnswer("a reply to another question")
    return f"code {said[3] & 0x0F}"


def _sip(probe: Probe) -> str:
    """OPTIONS over UDP. Whatever the status, the exchange is there."""
    number = os.urandom(8).hex()
    host = f"[{probe.address}]" if ":" in probe.address else probe.address
    request = (
        f"OPTIONS sip:{host}:{probe.port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP rempart.invalid;branch=z9hG4bK{number};rport\r\n"
        f"Max-Forwards: 0\r\nFrom: <sip:probe@rempart.invalid>;tag={number}\r\nTo: <sip:{host}>\r\n"
        f"Call-ID: {number}@rempart.invalid\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    said = _datagram(probe, request.encode("ascii"))
    status = re.match(rb"SIP/2\.0 ([0-9]{3})", said)
    if not status or number.encode() not in said:
        raise _NoAnswer(f"not SIP: {_plain(said)}")
    return f"status {status[1].decode()}"


def _datagram(probe: Probe, request: bytes) -> bytes:
    family = socket.AF_INET6 if ":" in probe.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.settimeout(PATIENCE)
        channel.connect((probe.address, probe.port))  # only whom we asked may answer, and refusals reach us
        channel.send(request)
        return channel.recv(_LONGEST)


def _plain(said: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in said[:40])


_ASK: dict[ProbeKind, Callable[[Probe], str]] = {
    ProbeKind.TCP: _tcp,
    ProbeKind.HTTP: _http,
    ProbeKind.DNS: _dns,
    ProbeKind.SIP: _sip,
}
