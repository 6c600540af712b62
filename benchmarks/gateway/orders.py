"""The red button: from the order's arrival at the guard until it is cut and sealed, and answered; what passes after.

Idle and with 5,000 lines a second analysed; then once each with the disk full and with fsync stalled for two seconds,
with TCP, UDP, IPv4, IPv6 and a session through the proxy running. A session's packets count when they were sent after
the acknowledgement and arrived.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.conftest import House, Traffic

from benchmarks.gateway.station import CALLER, Probes, Station, load, percentile, station
from rempart.engine import orders

LINES = 5_000
"""Log lines a second while loaded."""
RATE = 2_000
"""Datagrams a second of each stream."""
SEAL = 3 * 4096
"""Bytes that a seal writes to the journal's log, about."""
HOST = "www.lab.example"
CUT = orders.Contain(by=CALLER, reason="measured")


def measure(house: House, cycles: int) -> dict[str, Any]:
    """All figures of the red button."""
    with station(house) as running:
        disk = fsyncs(running.folder, cycles)
        idle, idle_answers, after_idle = cut_and_reopen(running, cycles)
        with load(running.log, LINES) as rate:
            loaded, loaded_answers, after_loaded = cut_and_reopen(running, cycles)
            written = rate()
    with station(house) as running:
        plain = once(running)
    with small_disk() as folder, station(house, folder) as running:
        full = once(running, lambda: fill(folder))
    with station(house) as running:
        stalled = once(running, lambda: stall(running))
    return {
        "order_to_ack_ms_p50_idle": percentile(idle, 50),
        "order_to_ack_ms_p99_idle": percentile(idle, 99),
        "order_to_ack_ms_p50_loaded": percentile(loaded, 50),
        "order_to_ack_ms_p99_loaded": percentile(loaded, 99),
        "order_to_answer_ms_p50_idle": percentile(idle_answers, 50),
        "order_to_answer_ms_p99_idle": percentile(idle_answers, 99),
        "order_to_answer_ms_p50_loaded": percentile(loaded_answers, 50),
        "order_to_answer_ms_p99_loaded": percentile(loaded_answers, 99),
        "fsync_ms_p50": percentile(disk, 50),
        "fsync_ms_p99": percentile(disk, 99),
        "order_cycles": cycles,
        "order_lines_per_second": round(written),
        "order_to_ack_ms_disk_full": full.milliseconds,
        "order_to_ack_ms_fsync_stalled": stalled.milliseconds,
        "packets_after_ack": after_idle + after_loaded + plain.after + full.after + stalled.after,
        "packets_before_ack": plain.before + full.before + stalled.before,
        "sealed_late_disk_full": full.late,
        "sealed_late_fsync_stalled": stalled.late,
    }


def fsyncs(folder: Path, times: int) -> list[float]:
    """Milliseconds that this disk alone takes for what one seal writes: below that no sealed order can be."""
    took = []
    with (folder / "fsync").open("wb") as file:
        file.write(bytes(times * SEAL))
        os.fsync(file.fileno())
        for place in range(times):
            time.sleep(0.05)
            began = time.perf_counter_ns()
            os.pwrite(file.fileno(), os.urandom(SEAL), place * SEAL)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter_ns() - began) / 1e6)
    return took


# -- many times, with datagrams ----------------------------------------------------------------------------------


def cut_and_reopen(running: Station, cycles: int) -> tuple[list[float], list[float], int]:
    """Milliseconds from each order's arrival until it was cut and sealed, and until the answer was read here; how many
    datagrams passed after one."""
    probes = Probes(running.house, running.folder)
    probes.receive("out", "192.0.2.66:443", "2001:db8:f::66:443")
    probes.receive("servers", "10.2.0.5:4500", "fd00:2::5:4500")
    probes.send("wards", RATE, "10.1.0.7", "192.0.2.66", 443)
    probes.send("wards", RATE, "fd00:1::7", "2001:db8:f::66", 443)
    probes.send("out", RATE, "192.0.2.67", "10.2.0.5", 4500)
    probes.send("out", RATE, "2001:db8:f::66", "fd00:2::5", 4500)
    took, answered, cuts = [], [], []
    with running.talk() as client:
        running.reopen(client)
        for _ in range(cycles):
            time.sleep(0.2)  # the kernel frees what the last change replaced, and a change would wait for it
            done = running.order(client, CUT)
            answered.append(time.time_ns() / 1e6 - done.received / 1e3)
            took.append((done.done - done.received) / 1e3)
            assert done.enforced is not None
            time.sleep(0.02)
            cuts.append((done.enforced * 1000, time.time_ns()))
            running.reopen(client)
    _, seen = probes.finish()
    stamps = [sent for one in seen for _, sent, _ in one]
    if len(stamps) < cycles * 50:
        raise RuntimeError(f"only {len(stamps)} datagrams arrived: nothing was measured")
    return took, answered, sum(began < stamp < ended for stamp in stamps for began, ended in cuts)


# -- once, with everything that can run --------------------------------------------------------------------------


@dataclass(slots=True)
class Cut:
    """One cut with sessions of every kind running."""

    milliseconds: float
    before: int
    after: int
    late: bool


def once(running: Station, trouble: Callable[[], object] = lambda: None) -> Cut:
    """Cut once, in trouble; count what was sent after the acknowledgement and arrived."""
    traffic = Traffic(running.house)
    for wanted in (
        ("wards", "out", "tcp", "192.0.2.30", 443),
        ("wards", "out", "tcp", "2001:db8:f::20", 443),
        ("wards", "out", "udp", "192.0.2.66", 443),
        ("wards", "out", "udp", "2001:db8:f::66", 443),
        ("out", "servers", "tcp", "10.2.0.5", 3389, "198.51.100.5"),
        ("out", "servers", "udp", "10.2.0.5", 4500),
    ):
        traffic.flow(*wanted)
    with proxied(running.house) as stream, running.talk() as client:
        running.reopen(client)
        traffic.begin()
        stream.connect()
        time.sleep(0.7)
        trouble()
        done = running.order(client, CUT)
        time.sleep(1.5)
        assert done.enforced is not None
        offset = time.time_ns() - time.monotonic_ns()
        acknowledged = done.enforced * 1000 - offset
        ends = [end for place in traffic.finish().values() for seen in place.values() for end in seen]
        stamps = [stamp for end in ends for _, stamp in end["arrived"]]
        if min(len(end["arrived"]) for end in ends) < 100 or len(stream.stamps) < 50:
            raise RuntimeError("a session did not run before the cut: nothing was measured")
        stamps += stream.stamps
    running.house.end(traffic.processes())
    after = sum(stamp > acknowledged for stamp in stamps)
    return Cut((done.enforced - done.received) / 1000, len(stamps) - after, after, done.late)


@dataclass(slots=True)
class Stream:
    """An endless answer of a published server, read through the proxy: the stamps of the pieces that arrived."""

    house: House
    stamps: list[int] = field(default_factory=list)

    def connect(self) -> None:
        """Ask, and read until the session ends."""
        with self.house.inside("out"):
            channel = socket.create_connection(("203.0.113.2", 80), 5)
        channel.sendall(f"GET /stream HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        threading.Thread(target=self._read, args=(channel,), daemon=True).start()

    def _read(self, channel: socket.socket) -> None:
        with channel, contextlib.suppress(OSError):
            for text in channel.makefile("rb"):
                if text.startswith(b"stamp "):
                    self.stamps.append(int(text.split()[1]))


@contextlib.contextmanager
def proxied(house: House) -> Iterator[Stream]:
    """The published server in the dmz."""
    with house.listen("dmz", "10.3.0.2", 8080) as door:
        threading.Thread(target=_serve, args=(door,), daemon=True).start()
        yield Stream(house)
        with contextlib.suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            channel, _ = door.accept()
            threading.Thread(target=_answer, args=(channel,), daemon=True).start()


def _answer(channel: socket.socket) -> None:
    with channel, contextlib.suppress(OSError):
        channel.recv(65536)
        channel.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            body = b"stamp %d\n" % time.monotonic_ns()
            channel.sendall(b"%x\r\n%s\r\n" % (len(body), body))
            time.sleep(0.002)


# -- troubles ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A folder on a disk of its own."""
    with tempfile.TemporaryDirectory(prefix="rempart-bench-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "none", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=False)


def fill(folder: Path) -> None:
    """Write until there is no block left."""
    with contextlib.suppress(OSError), (folder / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def stall(running: Station) -> None:
    """From now on every fsync of the guard takes two seconds."""
    guard = running.pid_of("rempart.station.guard")
    tracer = subprocess.Popen(
        [
            *("strace", "-f", "-qq", "-o", os.devnull, "-p", str(guard)),
            *("-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_enter=2000000"),
        ]
    )
    running.house.running.append(tracer)  # type: ignore[arg-type]  # ended with the others
    until = time.monotonic() + 5
    while "TracerPid:\t0" in Path(f"/proc/{guard}/status").read_text() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
