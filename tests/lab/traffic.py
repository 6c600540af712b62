"""Sends numbered, stamped records over TCP and UDP at a steady rate and remembers those that arrive.

Says "listening", then "connected", and each time goes on when it is given a line.

    traffic.py '{"rate": 1000, "listen": ["udp 192.0.2.10 5060"], "connect": ["tcp 192.0.2.20 443 10.1.0.7"]}'

Both ends of every flow send. SIGUSR1: stop sending, and say "silent". SIGTERM: take what has come, print what was seen
as JSON and end. Stamps are CLOCK_MONOTONIC, which all network namespaces share.
"""

import json
import select
import signal
import socket
import struct
import sys
import time

RECORD = struct.Struct("=QQ")
SO_RCVBUFFORCE = 33


class Flow:
    """One end of one connection."""

    def __init__(self, name, channel, peer=None):
        self.name, self.channel, self.peer = name, channel, peer
        self.sent, self.errors, self.rest = 0, 0, b""
        self.arrived = []  # (number, stamp of sending)
        self.ended = None  # stamp at which TCP told us that it is over

    def send(self):
        record = RECORD.pack(self.sent, time.monotonic_ns())
        try:
            if self.peer:
                self.channel.sendto(record, self.peer)
            else:
                self.channel.send(record)
            self.sent += 1
        except BlockingIOError:
            pass
        except OSError as error:
            self.failed(error)

    def receive(self):
        try:
            data = self.channel.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self.failed(error)
            return
        if not data and self.channel.type == socket.SOCK_STREAM:
            self.ended = self.ended or time.monotonic_ns()
            return
        self.take(data)

    def take(self, data):
        data = self.rest + data
        whole = len(data) - len(data) % RECORD.size
        self.arrived.extend(RECORD.iter_unpack(data[:whole]))
        self.rest = data[whole:]

    def failed(self, error):
        self.errors += 1
        if self.channel.type == socket.SOCK_STREAM and isinstance(error, ConnectionError):
            self.ended = self.ended or time.monotonic_ns()

    def report(self):
        return {"sent": self.sent, "errors": self.errors, "ended": self.ended, "arrived": self.arrived}


def opened(kind, address, port, local=None):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:  # as much as a machine that has no time to read may have to keep
        channel.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    except PermissionError:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    if local:
        channel.bind((local, 0))
    return channel


class Ends:
    """All flows of one machine."""

    def __init__(self, wanted):
        self.flows, self.doors = [], []
        for line in wanted.get("listen", ()):
            kind, address, port = line.split()
            channel = opened(kind, address, int(port))
            channel.bind((address, int(port)))
            if kind == "tcp":
                channel.listen(16)
            channel.setblocking(False)
            self.doors.append((f"{kind}/{port}", kind, channel))
        print("listening", flush=True)
        sys.stdin.readline()
        for line in wanted.get("connect", ()):
            kind, address, port, *local = line.split()
            channel = opened(kind, address, int(port), *local)
            channel.settimeout(3)
            channel.connect((address, int(port)))
            channel.setblocking(False)
            if kind == "tcp":
                channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.flows.append(Flow(f"{kind}/{port}", channel))
        self.known = {}

    def accept(self, name, kind, door):
        if kind == "tcp":
            channel, _ = door.accept()
            channel.setblocking(False)
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.flows.append(Flow(name, channel))
            return
        for _ in range(64):
            try:
                data, peer = door.recvfrom(65536)
            except OSError:
                return
            if (name, peer) not in self.known:
                self.known[name, peer] = Flow(name, door, peer)
                self.flows.append(self.known[name, peer])
            self.known[name, peer].take(data)

    def wait(self, seconds):
        """Take what has come, or comes within so many seconds; whether anything did."""
        doors = {door: (name, kind) for name, kind, door in self.doors}
        live = {flow.channel: flow for flow in self.flows if not flow.peer and not flow.ended}
        ready, _, _ = select.select([*doors, *live], [], [], max(0, seconds))
        for channel in ready:
            if channel in doors:
                self.accept(*doors[channel], channel)
            else:
                live[channel].receive()
        return bool(ready)


def main():
    wanted = json.loads(sys.argv[1])
    stop = {"sending": False, "running": False}
    signal.signal(signal.SIGUSR1, lambda *_: stop.update(sending=True))
    signal.signal(signal.SIGTERM, lambda *_: stop.update(running=True))
    ends = Ends(wanted)
    print("connected", flush=True)
    sys.stdin.readline()
    pause = 1 / wanted.get("rate", 1000)
    following, silent = time.monotonic(), False
    while not stop["running"]:
        ends.wait(following - time.monotonic())
        if time.monotonic() < following:
            continue
        following += pause
        if not stop["sending"]:
            for flow in ends.flows:
                if not flow.ended:
                    flow.send()
        elif not silent:
            print("silent", flush=True)
            silent = True
    while ends.wait(0):
        pass
    reports = {}
    for flow in ends.flows:
        reports.setdefault(flow.name, []).append(flow.report())
    print(json.dumps(reports), flush=True)


main()
