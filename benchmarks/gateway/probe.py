"""Sends or receives stamped datagrams; needs nothing but Python, so that it starts in any network namespace.

    probe.py send FILE RATE FROM ADDRESS PORT   until SIGTERM; then writes 64-bit integers: when each was sent
    probe.py receive FILE ADDRESS:PORT …        until SIGTERM; then writes 64-bit integers, three a datagram

Stamps are CLOCK_REALTIME nanoseconds: the clock of the kernel's own receive stamps (SO_TIMESTAMPNS) and of orders, and
shared by all namespaces. Received: the number of the socket, when it was sent, when it arrived.
"""

import array
import contextlib
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import NoReturn

_SO_TIMESTAMPNS = 35
_BUFFER = 1 << 26


class Stopped(Exception):
    """SIGTERM came."""


def stop(*_: object) -> NoReturn:
    """End what is running."""
    raise Stopped


def opened(address: str) -> socket.socket:
    """A datagram socket with a large buffer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_DGRAM)
    channel.setsockopt(socket.SOL_SOCKET, 33, _BUFFER)  # SO_RCVBUFFORCE
    return channel


def send(path: str, rate: float, own: str, address: str, port: int) -> None:
    """Send at a steady rate; what was late is caught up."""
    channel = opened(address)
    channel.bind((own, 0))
    channel.connect((address, port))
    sent, following, pause = array.array("q"), time.monotonic(), 1 / rate
    try:
        while True:
            late = time.monotonic() - following
            if late < 0:
                time.sleep(-late)
            following += pause
            sent.append(time.time_ns())
            with contextlib.suppress(OSError):  # refused by the gateway
                channel.send(struct.pack("=Q", sent[-1]))
    except Stopped:
        with Path(path).open("wb") as file:
            sent.tofile(file)


def receive(path: str, doors: list[str]) -> None:
    """Receive at several doors."""
    channels = []
    for door in doors:
        address, _, port = door.rpartition(":")
        channel = opened(address)
        channel.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        channel.bind((address, int(port)))
        channel.setblocking(False)  # noqa: FBT003  the socket's own way
        channels.append(channel)
    seen = array.array("q")
    numbers = {channel: number for number, channel in enumerate(channels)}
    print("ready", flush=True)
    try:
        while True:
            for channel in select.select(channels, [], [])[0]:
                take(channel, numbers[channel], seen)
    except Stopped:
        with Path(path).open("wb") as file:
            seen.tofile(file)


def take(channel: socket.socket, number: int, seen: "array.array[int]") -> None:
    """What waits in one socket."""
    for _ in range(256):
        try:
            data, more, _, _ = channel.recvmsg(64, 64)
        except BlockingIOError:
            return
        except OSError:
            continue
        seconds, nanoseconds = struct.unpack("=qq", more[0][2])
        seen.extend((number, struct.unpack("=Q", data)[0], seconds * 1_000_000_000 + nanoseconds))


signal.signal(signal.SIGTERM, stop)
if sys.argv[1] == "send":
    send(sys.argv[2], float(sys.argv[3]), sys.argv[4], sys.argv[5], int(sys.argv[6]))
else:
    receive(sys.argv[2], sys.argv[3:])
