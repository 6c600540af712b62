"""A stand-in for a telephone exchange or its operator: it rings the other one, answers, and speaks both ways.

Signalling looks like SIP (RFC 3261) and media like RTP (RFC 3550), as far as a gateway can see: the same ports, the
same sizes, fifty packets a second each way. Usage: python -m demo.telephone OWN OTHER MEDIA_FIRST MEDIA_LAST
"""

import random
import selectors
import socket
import sys
import time

SIGNALLING = 5060
_PACKETS_A_SECOND = 50
_CALL_SECONDS = 3.0
_PAUSE_SECONDS = 1.0
_VOICE = bytes(172)  # 12 bytes of RTP header and 20 ms of G.711


class Telephone:
    """One end. Every few seconds it calls the other one on a media port of the range."""

    def __init__(self, own: str, other: str, media: range) -> None:
        self._own, self._other, self._media = own, other, media
        self._calls: dict[int, float] = {}
        """Media port to the instant at which the call ends."""
        self._sockets: dict[int, socket.socket] = {SIGNALLING: self._bound(SIGNALLING)}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sockets[SIGNALLING], selectors.EVENT_READ, SIGNALLING)
        self._heard = 0

    def _bound(self, port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((self._own, port))
        made.settimeout(0)
        return made

    def ring(self) -> None:
        """Call the other end."""
        port = random.choice(self._media)
        self._open(port)
        self._send(SIGNALLING, f"INVITE sip:ward@{self._other} SIP/2.0\r\nX-Media: {port}\r\n\r\n".encode())

    def _open(self, port: int) -> None:
        if port not in self._sockets:
            self._sockets[port] = self._bound(port)
            self._selector.register(self._sockets[port], selectors.EVENT_READ, port)
        self._calls[port] = time.monotonic() + _CALL_SECONDS

    def _send(self, port: int, packet: bytes) -> None:
        try:
            self._sockets[port].sendto(packet, (self._other, port))
        except OSError as error:  # rejected or unreachable: a telephone goes on
            print(f"not sent: {error}", flush=True)

    def run(self) -> None:
        """Ring, answer and speak until ended."""
        next_ring = time.monotonic() + random.uniform(0, _PAUSE_SECONDS)
        next_word = time.monotonic()
        while True:
            for key, _ in self._selector.select(max(next_word - time.monotonic(), 0)):
                self._hear(key.data)
            now = time.monotonic()
            if now >= next_ring:
                self.ring()
                next_ring = now + _CALL_SECONDS + _PAUSE_SECONDS
            if now >= next_word:
                self._speak(now)
                next_word = now + 1 / _PACKETS_A_SECOND

    def _hear(self, port: int) -> None:
        try:
            packet = self._sockets[port].recv(2048)
        except OSError as error:  # an ICMP error of an earlier packet
            print(f"not heard: {error}", flush=True)
            return
        if port != SIGNALLING:
            self._heard += 1
        elif packet.startswith(b"INVITE "):
            self._open(int(packet.partition(b"X-Media: ")[2].split()[0]))
            self._send(SIGNALLING, b"SIP/2.0 200 OK\r\n\r\n")
        else:
            print("answered", flush=True)

    def _speak(self, now: float) -> None:
        for port, end in list(self._calls.items()):
            if now < end:
                self._send(port, _VOICE)
            else:
                del self._calls[port]
                self._selector.unregister(self._sockets[port])
                self._sockets.pop(port).close()
                print(f"call over, {self._heard} packets heard", flush=True)


if __name__ == "__main__":
    Telephone(sys.argv[1], sys.argv[2], range(int(sys.argv[3]), int(sys.argv[4]) + 1)).run()
