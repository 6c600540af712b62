"""Watch: lines a second from a file to kept and detected on, and milliseconds from a line's write to its finding.

Both are held against the cheapest thing that could be done on the same machine: reading the same file line by line,
and writing one line with fsync. Run: scripts/bench watch [--json] [--lines N].
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import Connection, serve
from rempart.adapters.store.events import EventStore
from rempart.config import Places
from rempart.detection.finding import Finding
from rempart.instants import as_datetime
from rempart.messages import FindingsAccepted, FindingsReported, FromWatch
from rempart.site.site import LogSource, Site, Uplink
from rempart.station.watch import Watch, detection_of

RULES = Path(__file__).parent.parent / "rules"
PROBE = """\
title: Probe of the measurement
id: 5b1f8a3e-0000-4000-8000-00000000beef
level: high
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|startswith: /measured/}
  condition: asked
"""
PATHS = ("/", "/style.css", "/visits", "/dossier/%d", "/dossier/%d/medication", "/login", "/image/%d.jpg")


def line(number: int, path: str) -> bytes:
    """One nginx line of the present second; ``number`` makes the client."""
    moment = as_datetime(SystemClock().now()).isoformat(timespec="seconds")
    client = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    return f'{client} - - [{moment}] "GET {path} HTTP/1.1" 200 5120 "-" "{agent}" "care.example"\n'.encode()


def traffic(path: Path, lines: int) -> None:
    """An ordinary day: few clients, few kinds of request."""
    chance = random.Random(1)
    with path.open("wb") as file:
        for _ in range(lines):
            asked = chance.choice(PATHS)
            file.write(line(chance.randrange(40), asked % chance.randrange(500) if "%" in asked else asked))


def plain(path: Path) -> float:
    """Lines a second of reading the file line by line and doing nothing."""
    began = time.perf_counter()
    with path.open("rb") as file:
        lines = sum(1 for _ in file)
    return lines / (time.perf_counter() - began)


def synced(folder: Path) -> list[float]:
    """Milliseconds of writing one line with fsync."""
    taken = []
    with (folder / "synced").open("ab", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(line(1, "/"))
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return taken


class Listener:
    """The guard's end of the socket: notes when each measured request was heard of."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}
        self.changed = asyncio.Event()

    async def hear(self, connection: Connection) -> None:
        """Accept all findings."""
        while (message := await connection.receive()) is not None:
            if isinstance(message, FindingsReported):
                self._note(message.findings)
                await connection.send(FindingsAccepted(ids=[finding.id for finding in message.findings]))

    def _note(self, findings: list[Finding]) -> None:
        for finding in findings:
            for proof in finding.proofs:
                self.heard.setdefault(proof.value, time.perf_counter())
        self.changed.set()

    async def wait_for(self, path: str) -> float:
        """When the request for that path was heard of."""
        while path not in self.heard:
            self.changed.clear()
            await self.changed.wait()
        return self.heard[path]


async def measure(folder: Path, lines: int, samples: int) -> dict[str, object]:
    """All figures."""
    (folder / "probe.yml").write_text(PROBE)
    places = Places(
        site=folder / "site.toml", state=folder, run=folder / "run", rules=(RULES, folder / "probe.yml")
    )
    log = folder / "care.log"
    traffic(log, lines)
    with log.open("ab") as file:
        file.write(line(1 << 20, "/measured/end"))
    baseline = plain(log)
    site = Site(
        id="bench",
        name="bench",
        template="nursing-home",
        languages=(),
        phone="",
        uplink=Uplink(interface="eth0", addresses=()),
        zones=(),
        openings=(),
        logs=(LogSource(path=str(log), decoder="nginx"),),
    )
    listener = Listener()
    store = EventStore(places.events)
    watch = Watch(places, site, detection_of(places, site), store, SystemClock())
    async with await serve(
        places.watch_socket,
        mode=0o600,
        allowed_uids={os.getuid()},
        incoming=FromWatch,
        handler=listener.hear,
    ):
        began = time.perf_counter()
        watching = asyncio.ensure_future(watch.run())
        rate = lines / (await listener.wait_for("/measured/end") - began)
        latencies = await asyncio.create_task(one_by_one(log, listener, samples))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        store.close()
    size = places.events.stat().st_size
    written = quantiles(synced(folder), n=100)
    return {
        "lines": lines,
        "lines_per_second": round(rate),
        "plain_lines_per_second": round(baseline),
        "plain_over_watch": round(baseline / rate, 1),
        "bytes_per_line_stored": round(size / lines),
        "latency_ms_p50": round(latencies[49], 1),
        "latency_ms_p99": round(latencies[98], 1),
        "write_fsync_ms_p50": round(written[49], 2),
        "write_fsync_ms_p99": round(written[98], 2),
    }


async def one_by_one(log: Path, listener: Listener, samples: int) -> list[float]:
    """Percentiles of milliseconds from the write of a line to its finding on the socket."""
    chance = random.Random(2)
    taken = []
    with log.open("ab", buffering=0) as file:
        for number in range(samples):
            await asyncio.sleep(0.03 + chance.random() * 0.03)
            path = f"/measured/{number}"
            began = time.perf_counter()
            file.write(line((2 << 20) + number, path))
            taken.append((await listener.wait_for(path) - began) * 1000)
    return quantiles(taken, n=100)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench watch", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), arguments.lines, arguments.samples))
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:24} {figure:>12,}")


if __name__ == "__main__":
    main()
