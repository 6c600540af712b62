"""A witness on the wire outside: every packet that the gateway sent, after the streams have had their say.

The streams of `flows` know only of themselves. This one sits on the switch's port that faces the gateway and counts
whatever comes out of it, from whom to whom, by the kernel's own time stamps: also a lone SYN, a proxied answer, or a
packet that nobody thought of. The kernel writes into a ring of memory (packet(7), TPACKET_V2), so that none is missed
under load; if one is, that is counted too.

Usage: python -m demo.witness INTERFACE SEEN; makes SEEN.ready, writes SEEN on SIGTERM.
"""

import json
import mmap
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SOL_PACKET = 263
_PACKET_RX_RING = 5
_PACKET_STATISTICS = 6
_PACKET_VERSION = 10
_TPACKET_V2 = 1
_TP_STATUS_USER = 1
_OUTGOING = 4  # sent by this port towards the gateway, not by the gateway
_ETH_P_ALL = 3
_IPV4 = 0x0800

_BLOCK, _FRAME = 1 << 16, 256
_FRAMES = 1 << 16
"""16 MiB: more than a second of everything."""

# struct tpacket2_hdr: status, len, snaplen, mac and net offsets, seconds, nanoseconds; then struct sockaddr_ll
_HEADER = struct.Struct("=IIIHHII")
_PACKET_TYPE = 32 + 10
"""sll_pkttype, ten bytes into the sockaddr_ll that follows the aligned header."""


@dataclass(frozen=True, slots=True, order=True)
class Sort:
    """One sort of packet: protocol number, and both ends. Ports are 0 where there are none."""

    protocol: int
    source: str
    source_port: int
    target: str
    target_port: int


@dataclass(slots=True)
class Sightings:
    """Packets by sort and by millisecond of their time stamp (CLOCK_REALTIME), and how many were missed."""

    counts: dict[tuple[Sort, int], int]
    missed: int

    def after(self, instant_ms: int) -> dict[Sort, int]:
        """How many of each sort were seen in the milliseconds that began after ``instant_ms``."""
        found: dict[Sort, int] = {}
        for (sort, millisecond), count in self.counts.items():
            if millisecond > instant_ms:
                found[sort] = found.get(sort, 0) + count
        return found


def read_sightings(path: Path) -> Sightings:
    """What the witness wrote."""
    said = json.loads(path.read_text())
    counts = {(Sort(*line[:5]), line[5]): line[6] for line in said["packets"]}
    return Sightings(counts, said["missed"])


class Ring:
    """Packets that arrive on an interface, read from memory shared with the kernel."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        ring = struct.pack("IIII", _BLOCK, _FRAMES * _FRAME // _BLOCK, _FRAME, _FRAMES)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
        self._memory = mmap.mmap(self._socket.fileno(), _FRAMES * _FRAME)
        self._socket.bind((interface, _ETH_P_ALL))
        self._next = 0

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """What has arrived and was not read yet: time stamp in ms, and the IPv4 packet's first bytes."""
        while True:
            at = self._next * _FRAME
            status, _, kept, mac, net, seconds, nanoseconds = _HEADER.unpack_from(self._memory, at)
            if not status & _TP_STATUS_USER:
                return
            if self._memory[at + _PACKET_TYPE] != _OUTGOING:
                ether = self._memory[at + mac + 12 : at + mac + 14]
                if int.from_bytes(ether, "big") == _IPV4:
                    yield seconds * 1000 + nanoseconds // 1_000_000, self._memory[at + net : at + mac + kept]
            struct.pack_into("=I", self._memory, at, 0)  # the frame is the kernel's again
            self._next = (self._next + 1) % _FRAMES

    def missed(self) -> int:
        """Packets that found the ring full."""
        _, drops = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        return int(drops)


def sort_of(packet: bytes) -> Sort:
    """Protocol and ends of an IPv4 packet (RFC 791)."""
    protocol, length = packet[9], (packet[0] & 15) * 4
    source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    ports = struct.unpack_from(">HH", packet, length) if protocol in (6, 17) else (0, 0)
    return Sort(protocol, source, ports[0], target, ports[1])


def run(interface: str, seen: Path) -> None:
    """Count until SIGTERM, then write."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    ring = Ring(interface)
    counts: dict[tuple[Sort, int], int] = {}
    seen.with_suffix(".ready").touch()
    while not stopping:
        _count(ring.packets(), counts)
        time.sleep(0.01)
    _count(ring.packets(), counts)
    lines = [
        [s.protocol, s.source, s.source_port, s.target, s.target_port, millisecond, count]
        for (s, millisecond), count in counts.items()
    ]
    unfinished = seen.with_suffix(".part")
    unfinished.write_text(json.dumps({"missed": ring.missed(), "packets": lines}))
    unfinished.replace(seen)


def _count(packets: Iterable[tuple[int, bytes]], counts: dict[tuple[Sort, int], int]) -> None:
    for millisecond, packet in packets:
        key = (sort_of(packet), millisecond)
        counts[key] = counts.get(key, 0) + 1


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
