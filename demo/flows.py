"""Measuring streams through every opening: numbered, stamped packets, a thousand a second and more each way.

A stream goes one way: every message carries the stream's number, its own number and the CLOCK_MONOTONIC instant at
which it was sent, in 64 bytes. Two streams share a flow (one each way). Two processes speak: one holds all ends
inside, the other all ends outside; each socket stands in its machine's namespace. What a process saw is written when
it is told to stop, as arrays of integers: nothing is judged here, see `Measured`.

Usage: python -m demo.flows ENDS SEEN; makes SEEN.ready, speaks from SIGUSR1 on, writes SEEN on SIGTERM.
"""

import base64
import errno
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from array import array
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from demo.world import enter

RATE = 1050
"""Messages a second and stream: a little over the thousand that is promised."""

_MESSAGE = struct.Struct(">IIQQ40x")  # magic, stream, number, sent (ns): 64 bytes with padding
_MAGIC = 0x52454D50
_SIZE = _MESSAGE.size
_TICK = 0.001
_SO_RCVBUFFORCE = 33  # socket(7)
_TRIES = {"tcp": RATE, "http-get": 4, "http-post": 4}
"""Connections a second that a flow begins after it was refused or reset: TCP as many as it sent messages, so that the
closed door is tried as hard; through the proxy as a patient visitor would."""


class Carrier(StrEnum):
    """What carries the messages of an end."""

    UDP = "udp"
    TCP = "tcp"
    HTTP_GET = "http-get"  # an endless answer through the proxy
    HTTP_POST = "http-post"  # an endless request through the proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a flow: where it stands, whether it begins, what it sends and counts.

    ``sends`` is the number of the stream it sends, or None. ``head`` is what it says first on a TCP connection
    (an HTTP request or answer), outside of the messages.
    """

    name: str
    namespace: str
    carrier: Carrier
    begins: bool
    local: tuple[str, int]
    remote: tuple[str, int]
    sends: int | None
    head: str = ""


@dataclass(slots=True)
class Seen:
    """What one end saw: when it sent its own messages; number, stamp and arrival of the other end's."""

    sent: "array[int]" = field(default_factory=lambda: array("Q"))
    numbers: "array[int]" = field(default_factory=lambda: array("Q"))
    stamps: "array[int]" = field(default_factory=lambda: array("Q"))
    arrived: "array[int]" = field(default_factory=lambda: array("Q"))
    refused: "array[int]" = field(default_factory=lambda: array("Q"))
    """Instants at which a send or a connection was refused or reset."""
    tried: "array[int]" = field(default_factory=lambda: array("Q"))
    """Instants at which a connection was begun: each is a packet too (SYN)."""

    def as_json(self) -> dict[str, str]:
        """The arrays in base64, machine order."""
        return {name: base64.b64encode(getattr(self, name).tobytes()).decode() for name in _ARRAYS}


_ARRAYS = ("sent", "numbers", "stamps", "arrived", "refused", "tried")


def read_seen(path: Path) -> dict[str, Seen]:
    """What every end of one process saw, by name of the end."""
    return {name: _seen(arrays) for name, arrays in json.loads(path.read_text()).items()}


def _seen(arrays: Mapping[str, str]) -> Seen:
    seen = Seen()
    for name in _ARRAYS:
        getattr(seen, name).frombytes(base64.b64decode(arrays[name]))
    return seen


def write_ends(path: Path, ends: Iterable[End]) -> None:
    """Hand the ends to a process of this module."""
    path.write_text(json.dumps([asdict(end) for end in ends]))


def _read_ends(path: Path) -> list[End]:
    return [
        End(
            **{
                **end,
                "carrier": Carrier(end["carrier"]),
                "local": tuple(end["local"]),
                "remote": tuple(end["remote"]),
            }
        )
        for end in json.loads(path.read_text())
    ]


class Pace:
    """So many a second from the first question on. After a pause it catches up, by half a second's worth at once."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._began = 0.0
        self._done = 0

    def due(self, now: float) -> int:
        """How many to do now."""
        if not self._began:
            self._began, self._done = now, 0
        owed = int((now - self._began) * self._per_second) + 1 - self._done
        self._done += owed
        return min(owed, self._per_second // 2 + 1)

    def rest(self) -> None:
        """Begin anew at the next question."""
        self._began = 0.0


class Line:
    """One end at work. Its socket may die and be made anew; its numbers go on."""

    def __init__(self, end: End, selector: selectors.BaseSelector) -> None:
        self.end = end
        self.seen = Seen()
        self._selector = selector
        self._number = 0
        self._waiting = b""
        self._unsent = b""
        self._talking = False
        self._messages = Pace(RATE)
        self._tries = Pace(_TRIES.get(end.carrier, RATE))
        self._socket: socket.socket | None = None
        self._spare: socket.socket | None = None
        """A socket whose connection was refused: Linux lets it try again."""
        self._listener: socket.socket | None = None
        if end.carrier is Carrier.UDP:
            self._socket = self._made()
            self._socket.connect(end.remote)
            self._talking = end.begins
            selector.register(self._socket, selectors.EVENT_READ, self)
        elif not end.begins:
            self._listener = self._made()
            self._listener.listen(8)
            selector.register(self._listener, selectors.EVENT_READ, self)

    def _made(self) -> socket.socket:
        """A fresh socket in the end's machine."""
        udp = self.end.carrier is Carrier.UDP

        def make() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _make_room(made)
            made.settimeout(0)
            made.bind(self.end.local)
            return made

        return enter(Path(self.end.namespace), make)

    # -- sending -------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Send what is due. ``now`` is CLOCK_MONOTONIC in seconds."""
        if self._socket is None and self.end.begins:
            self._try(self._tries.due(now))
        if not self._talking or self.end.sends is None or self._socket is None:
            self._messages.rest()
            return
        for _ in range(self._messages.due(now)):
            if not self._send(self._socket, self.end.sends):
                return

    def _send(self, to: socket.socket, stream: int) -> bool:
        """Send one message; False when the connection is lost."""
        sent = time.monotonic_ns()
        message = _MESSAGE.pack(_MAGIC, stream, self._number, sent)
        try:
            if self.end.carrier is Carrier.UDP:
                to.send(message)
            elif not self._send_whole(to, message):
                return True  # the buffer is full: nothing of this message went
        except BlockingIOError:
            return True
        except OSError:
            self.seen.refused.append(sent)
            if self.end.carrier is not Carrier.UDP:
                self._lose()
                return False
        self._number += 1
        self.seen.sent.append(sent)
        return True

    def _send_whole(self, to: socket.socket, message: bytes) -> bool:
        """Send the rest of the last message, then this one; False when not even a part of this one could go."""
        if self._unsent:
            self._unsent = self._unsent[to.send(self._unsent) :]
            if self._unsent:
                return False
        self._unsent = message[to.send(message) :]
        return True

    # -- connecting ----------------------------------------------------------------------------------------------

    def _try(self, times: int) -> None:
        """Begin a connection, again as long as it is refused at once."""
        for _ in range(times):
            made, self._spare = self._spare or self._made(), None
            self.seen.tried.append(time.monotonic_ns())
            if made.connect_ex(self.end.remote) in (0, errno.EINPROGRESS):
                self._adopt(made, selectors.EVENT_READ | selectors.EVENT_WRITE)
                return
            self._refused(made)

    def _adopt(self, made: socket.socket, events: int) -> None:
        self._socket, self._talking = made, False
        self._waiting = self._unsent = b""
        self._selector.register(made, events, self)

    def ready(self, which: object, events: int) -> None:
        """The socket has something to say."""
        if which is self._listener:
            self._accept()
        elif events & selectors.EVENT_WRITE and self._socket is not None:
            self._connected(self._socket)
        elif self._socket is not None:
            self._receive(self._socket)

    def _accept(self) -> None:
        assert self._listener is not None
        made, _ = self._listener.accept()
        if self._socket is not None:
            self._lose()
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._adopt(made, selectors.EVENT_READ)
        made.send(self.end.head.encode())
        self._talking = True

    def _connected(self, made: socket.socket) -> None:
        if made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._selector.unregister(made)
            self._refused(made)
            return
        self._selector.modify(made, selectors.EVENT_READ, self)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.end.carrier is Carrier.TCP:  # through the proxy every try connects: only the answer says no
            self._tries.rest()
        made.send(self.end.head.encode())
        self._talking = True

    def _refused(self, made: socket.socket) -> None:
        """Keep the socket for the next try."""
        self.seen.refused.append(time.monotonic_ns())
        self._socket, self._spare = None, made

    def _lose(self) -> None:
        assert self._socket is not None
        self._selector.unregister(self._socket)
        self._socket.close()
        self._socket, self._talking = None, False

    # -- receiving -----------------------------------------------------------------------------------------------

    def _receive(self, source: socket.socket) -> None:
        if self.end.carrier is Carrier.UDP:
            self._receive_datagrams(source)
            return
        try:
            data = source.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.seen.refused.append(time.monotonic_ns())
            self._lose()
            return
        self._parse(self._waiting + data)

    def _receive_datagrams(self, source: socket.socket) -> None:
        while True:
            try:
                data = source.recv(256)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error for an earlier packet: administratively prohibited
                self.seen.refused.append(time.monotonic_ns())
                continue
            self._talking = True
            self._count(data, 0)

    def _parse(self, data: bytes) -> None:
        """Count whole messages; what stands before the first one is an HTTP head, which may say no."""
        if self.end.begins and data.startswith(b"HTTP/1.") and data[9:12] != b"200":
            self.seen.refused.append(time.monotonic_ns())
            self._lose()
            return
        start = data.find(_MAGIC.to_bytes(4, "big")) if self.end.carrier is not Carrier.TCP else 0
        if start < 0:
            self._waiting = data[-3:]
            return
        while start + _SIZE <= len(data):
            self._count(data, start)
            start += _SIZE
        self._waiting = data[start:]

    def _count(self, data: bytes, at: int) -> None:
        magic, _, number, sent = _MESSAGE.unpack_from(data, at)
        if magic != _MAGIC:
            return
        self.seen.numbers.append(number)
        self.seen.stamps.append(sent)
        self.seen.arrived.append(time.monotonic_ns())


def _make_room(made: socket.socket) -> None:
    """Buffers for a second of everything; in a user namespace for as much as the machine allows."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    try:
        made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 4 << 20)
    except PermissionError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)


def run(ends: Iterable[End], seen: Path) -> None:
    """Speak on all ends from SIGUSR1 to SIGTERM, listen half a second longer, write what was seen."""
    with suppress(PermissionError):  # root's measuring is not slowed by what it measures; others share fairly
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    selector = selectors.DefaultSelector()
    lines = [Line(end, selector) for end in ends]
    seen.with_suffix(".ready").touch()  # every socket is bound: no first packet finds a closed door
    signal.sigwait({signal.SIGUSR1, signal.SIGTERM})
    while not stopping:
        now = time.monotonic()
        for line in lines:
            line.tick(now)
        _listen(selector, now + _TICK)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        _listen(selector, end)
    document = json.dumps({line.end.name: line.seen.as_json() for line in lines})
    unfinished = seen.with_suffix(".part")
    unfinished.write_text(document)
    unfinished.replace(seen)


def _listen(selector: selectors.BaseSelector, until: float) -> None:
    """Hear everything that arrives before ``until``."""
    while True:
        left = until - time.monotonic()
        ready = selector.select(max(left, 0))
        for key, events in ready:
            key.data.ready(key.fileobj, events)
        if left <= 0:
            return


def http_get(host: str, path: str, authorization: str = "") -> str:
    """The head of a request whose answer never ends."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}User-Agent: Mozilla/5.0\r\n\r\n"


def http_post(host: str, path: str, authorization: str = "") -> str:
    """The head of a request that never ends."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}User-Agent: Mozilla/5.0\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 1000000000\r\n\r\n"
    )


HTTP_ANSWER = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000000\r\n\r\n"
)


if __name__ == "__main__":
    run(_read_ends(Path(sys.argv[1])), Path(sys.argv[2]))
