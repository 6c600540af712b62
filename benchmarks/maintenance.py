"""Maintenance: a published service is put in maintenance and back while visitors ask and slow requests are under way.

Through the real gateway (kernel and proxy) in network namespaces, as root. A switch is timed from the call until kernel
and proxy have acknowledged. An error is a request without a whole answer, a page other than the service's or the
maintenance page, or a service's page for a request that began after the switch to maintenance was acknowledged and
was answered before the switch back began.
Run: scripts/bench maintenance [--json] [--requests N].
"""

import argparse
import asyncio
import contextlib
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median, quantiles

from tests.lab.conftest import SITE, House

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.gateway import Gateway
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement, Stand
from rempart.errors import EnforcementFailed
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.site.opening import OpeningState

HOST, FRONT, SERVER = "www.lab.example", "203.0.113.2", ("10.3.0.2", 8080)
REQUESTS = 100_000
VISITORS, SLOW = 12, 20
PHASE = 0.25
"""Seconds between two switches."""
PACE = 0.006
"""Seconds that a visitor waits between two pages: 2,000 requests a second in all, which leaves the machine some air."""
SLOW_FOR = 0.6
"""Seconds that a slow request takes: it is under way during at least two switches."""
CLOCK = SystemClock()


def _cores() -> tuple[set[int], set[int]]:
    """The box's cores, and those of everybody else; all are everybody's when there is only one."""
    every = sorted(os.sched_getaffinity(0))
    half = len(every) // 2
    return set(every[half:]), set(every[:half]) or set(every)


BOX, ELSEWHERE = _cores()
"""Visitors and the server inside are other machines. What they compute must not keep the box's kernel, proxy and guard
waiting: on shared cores it was nearly all that the slowest switches waited for."""


@dataclass(slots=True)
class Seen:
    """What the visitors saw: of each answer when it was asked for and when it came (monotonic ns), its status or 0."""

    quick: list[tuple[int, int, int]] = field(default_factory=list)
    slow: list[int] = field(default_factory=list)


class Visitors:
    """Browsers outside: some ask one page after the other on a connection kept alive, some wait for a slow one."""

    def __init__(self, wanted: int, stop: Event) -> None:
        self.seen = Seen()
        self._left = wanted
        self._stop = stop

    async def run(self) -> Seen:
        """Ask until enough was asked and somebody says stop."""
        async with asyncio.TaskGroup() as group:
            for _ in range(VISITORS):
                group.create_task(self._quick())
            for _ in range(SLOW):
                group.create_task(self._slow())
        return self.seen

    async def _quick(self) -> None:
        reader = writer = None
        while self._left > 0:
            self._left -= 1
            asked = time.monotonic_ns()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(FRONT, 80)
                assert reader is not None
                status, closing = await _ask(reader, writer, "/")
            except (OSError, asyncio.IncompleteReadError, ValueError):
                status, closing = 0, True
            self.seen.quick.append((asked, time.monotonic_ns(), status))
            if closing and writer:
                writer.close()
                writer = None
            await asyncio.sleep(PACE)
        if writer:
            writer.close()

    async def _slow(self) -> None:
        while not self._stop.is_set() and self._left > 0:
            try:
                reader, writer = await asyncio.open_connection(FRONT, 80)
                status, _ = await _ask(reader, writer, "/slow")
                writer.close()
            except (OSError, asyncio.IncompleteReadError, ValueError):
                status = 0
            self.seen.slow.append(status)
            if status != 200:
                await asyncio.sleep(0.05)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> tuple[int, bool]:
    """One request and its whole answer: status, and whether the connection ends."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0])
    body = await reader.readexactly(length)
    status = int(head.split()[1])
    whole = {200: b"page", 503: b"</html>"}.get(status, b"?") in body
    return status if whole else 0, "connection: close" in head


async def _serve() -> None:
    """The server inside: a short page, and one that takes its time."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET /slow"):
                    await asyncio.sleep(SLOW_FOR)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage")
        writer.close()

    server = await asyncio.start_server(answer, *SERVER, backlog=512)
    await server.serve_forever()


def _visit(house: House, wanted: int, stop: Event, answer: Connection) -> None:
    os.sched_setaffinity(0, ELSEWHERE)
    with house.inside("out"):
        answer.send(asyncio.run(Visitors(wanted, stop).run()))


def _server(house: House) -> None:
    os.sched_setaffinity(0, ELSEWHERE)
    with house.inside("dmz"):
        asyncio.run(_serve())


@contextlib.contextmanager
def _running(house: House) -> Iterator[Gateway]:
    """The gateway of the house, its proxy and the server behind it."""
    site = parse(SITE, "benchmark")
    gc.collect()
    gc.freeze()  # as the guard does
    server = multiprocessing.Process(target=_server, args=(house,), daemon=True)
    with (
        tempfile.TemporaryDirectory(prefix="rempart-maintenance-") as name,
        tempfile.TemporaryDirectory(prefix="rempart-maintenance-", dir="/dev/shm") as memory,
    ):
        folder, run = Path(name), Path(memory)  # the run folder lies in memory, as on a box
        for needed in (folder, run):
            needed.chmod(0o755)
        places = Places(site=folder / "site.toml", state=folder / "state", run=run / "run", rules=())
        with house.inside("gw"):
            gateway = Gateway(site, places, PublicFace(site))
        with contextlib.suppress(EnforcementFailed):  # the proxy does not run yet; its files are written
            gateway.enforce(_open(), CLOCK.now())
        log = (folder / "proxy.log").open("w")
        house.start(
            "gw",
            "haproxy",
            "-db",
            "-f",
            str(places.proxy_config),
            stdout=log,
            stderr=log,
        )
        server.start()
        try:
            _await(gateway)
            yield gateway
        finally:
            server.terminate()
            server.join()
            log.close()


def _await(gateway: Gateway) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            gateway.enforce(_open(), CLOCK.now())
            time.sleep(0.3)
            return
        except EnforcementFailed:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _open() -> Enforcement:
    site = parse(SITE, "benchmark")
    return Enforcement(stands={opening.id: Stand(state=OpeningState.OPEN) for opening in site.openings})


def _in_maintenance(wide: Enforcement) -> Enforcement:
    now = CLOCK.now()
    peace = Stand(state=OpeningState.CLOSED, drains=Instant(now + 60_000_000))
    return replace(wide, stands={**wide.stands, "website": peace}, closed_since={"website": now})


def measure(requests: int = REQUESTS) -> dict[str, object]:
    """The figures; raises when it is not root or programs are missing."""
    house = House(f"mnt-{os.getpid()}-")
    os.sched_setaffinity(0, BOX)
    stop = multiprocessing.Event()
    ours, theirs = multiprocessing.Pipe()
    visitors = multiprocessing.Process(target=_visit, args=(house, requests, stop, theirs), daemon=True)
    switches: list[tuple[bool, int, int]] = []
    try:
        house.build()
        with _running(house) as gateway:
            wide = _open()
            visitors.start()
            os.nice(-15)  # as the supervisor starts the guard
            while not ours.poll(PHASE):
                closing = len(switches) % 2 == 0
                wanted = _in_maintenance(wide) if closing else wide
                begun = time.monotonic_ns()
                gateway.enforce(wanted, CLOCK.now())
                switches.append((closing, begun, time.monotonic_ns()))
                if len(switches) > 1 and not visitors.is_alive():
                    break
            seen: Seen = ours.recv()
            stop.set()
            visitors.join()
    finally:
        if visitors.is_alive():
            visitors.kill()
        house.destroy()
        os.sched_setaffinity(0, BOX | ELSEWHERE)
    return _figures(switches, seen)


def _figures(switches: list[tuple[bool, int, int]], seen: Seen) -> dict[str, object]:
    times = [(ended - begun) / 1e6 for _, begun, ended in switches]
    shut = [
        (ended, switches[number + 1][1] if number + 1 < len(switches) else sys.maxsize)
        for number, (closing, _, ended) in enumerate(switches)
        if closing
    ]
    late = sum(
        status == 200 and any(begin < asked and answered < end for begin, end in shut)
        for asked, answered, status in seen.quick
    )
    strange = sum(status not in {200, 503} for *_, status in seen.quick)
    lost = sum(status not in {200, 503} for status in seen.slow)
    return {
        "maintenance_ms_p50": round(median(times), 2),
        "maintenance_ms_p99": round(quantiles(times, n=100, method="inclusive")[98], 2),
        "maintenance_ms_max": round(max(times), 2),
        "maintenance_switches": len(times),
        "maintenance_requests": len(seen.quick),
        "maintenance_errors": strange + late + lost,
        "maintenance_late": late,
        "maintenance_pages": sum(status == 503 for *_, status in seen.quick),
        "slow_completed": sum(status == 200 for status in seen.slow),
        "slow_lost": lost,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    arguments = parser.parse_args()
    figures = measure(arguments.requests)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
