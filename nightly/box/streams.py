"""Streams of datagrams through the box from the first moment on, and a note of each that arrives.

``streams.py receive NAMESPACE`` and ``streams.py send NAMESPACE``. A note is ``nanoseconds stream`` (CLOCK_MONOTONIC,
which all namespaces of a machine share; the time is of the sending, as the datagram tells).
"""

import selectors
import socket
import sys
import time
from pathlib import Path

RECEIVED = Path("/run/nightly")
STREAMS = {
    "telephone": ("wards", "outside", ("192.0.2.10", 5060)),
    "e-health": ("wards", "outside", ("192.0.2.20", 4430)),
    "browsing": ("wards", "outside", ("192.0.2.30", 443)),
    "inside": ("wards", "servers", ("10.2.0.5", 9999)),
    "inward": ("outside", "wards", ("10.1.0.7", 7777)),
}
"""Name: from, to, and where it arrives. Nothing may ever come ``inward``: no opening says so."""

_PAUSE = 0.005
"""Seconds between two datagrams of a stream."""


def receive(namespace: str) -> None:
    """Note what arrives, for ever."""
    selector, doors = selectors.DefaultSelector(), {}
    for name, (_, to, door) in STREAMS.items():
        if to == namespace:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(door)
            doors[selector.register(sock, selectors.EVENT_READ, name).fd] = sock
    RECEIVED.mkdir(exist_ok=True)
    with (RECEIVED / namespace).open("a", buffering=1) as notes:
        while True:
            for key, _ in selector.select():
                notes.write(f"{doors[key.fd].recv(64).decode()} {key.data}\n")


def send(namespace: str) -> None:
    """Send on every stream that begins here, for ever; what cannot be sent is not there yet."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    doors = [door for start, _, door in STREAMS.values() if start == namespace]
    while True:
        for door in doors:
            try:
                sock.sendto(str(time.monotonic_ns()).encode(), door)
            except OSError:
                time.sleep(_PAUSE)
        time.sleep(_PAUSE)


if __name__ == "__main__":
    {"receive": receive, "send": send}[sys.argv[1]](sys.argv[2])
