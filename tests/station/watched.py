"""A watch on a site of its own: real files, a real socket, and the guard's side of the protocol."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import Connection, serve
from rempart.adapters.store.events import EventStore, Segment
from rempart.config import Places
from rempart.detection.finding import Finding
from rempart.instants import Instant, parse_rfc3339, rfc3339, seconds
from rempart.messages import (
    FindingsAccepted,
    FindingsReported,
    FromWatch,
    LogsSilent,
    PersonsCounted,
    Rebuilding,
)
from rempart.site import description
from rempart.site.site import Site
from rempart.station.watch import Watch, detection_of

SITE = """\
id = "les-tilleuls"
name = "Les Tilleuls"
template = "nursing-home"
languages = ["fr"]
phone = "04 000 00 10"

[uplink]
interface = "eth0"
addresses = ["203.0.113.2/24"]

[[zones]]
id = "servers"
name = "Serveurs"
interface = "eth1"
networks = ["10.0.2.0/24"]

[[openings]]
id = "telephone"
name = "Téléphone"
direction = "both"
zones = ["servers"]
hosts = ["198.51.100.10"]
services = ["udp/5060"]
care = 1
lifeline = true
fallback = { text = "téléphones mobiles", phone = "0470 00 00 03" }

[[assets]]
id = "files"
name = "Dossiers"
zone = "servers"
addresses = ["10.0.2.10"]
kind = "server"

[[safeguards]]
id = "operators"
interface = "eth9"
networks = ["10.0.9.0/28"]
services = ["tcp/22"]

[[contacts]]
role = "technician"
name = "Technicien"
phone = "0470 00 00 01"

[[logs]]
path = "{folder}/care.log"
decoder = "nginx"

[[logs]]
path = "{folder}/portal.log"
decoder = "nginx"

[care_files]
server = "files"
person = "^/dossier/([0-9]+)"
"""

RULES = """\
title: Environment file asked for
id: 5b1f8a3e-0000-4000-8000-000000000001
level: medium
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|contains: /.env}
  condition: asked
---
title: Sign-in refused
id: 5b1f8a3e-0000-4000-8000-000000000002
name: refused
level: low
logsource: {category: webserver}
detection:
  asked: {sc-status: 401}
  condition: asked
---
title: Many sign-ins refused
id: 5b1f8a3e-0000-4000-8000-000000000003
level: high
correlation:
  type: event_count
  rules: [refused]
  group-by: [c-ip]
  timespan: 1m
  condition: {gte: 5}
---
title: Care file opened
id: 5b1f8a3e-0000-4000-8000-000000000004
name: opened
level: informational
logsource: {category: webserver}
detection:
  asked: {sc-status: 200, person|exists: true}
  condition: asked
---
title: Care files opened by the hundred
id: 5b1f8a3e-0000-4000-8000-000000000005
level: critical
correlation:
  type: value_count
  rules: [opened]
  group-by: [c-ip]
  timespan: 10m
  condition: {gte: 20, field: person}
"""

BEGIN = parse_rfc3339("2026-11-20T03:00:00Z")


def request(
    number: int, path: str, *, status: int = 200, client: str = "10.0.2.77", user: str = "-"
) -> bytes:
    """One nginx line, as long after `BEGIN` as its number says, in seconds."""
    moment = rfc3339(Instant(BEGIN + seconds(number))).replace(".000000Z", "+00:00")
    return f'{client} - {user} [{moment}] "GET {path} HTTP/1.1" {status} 512 "-" "Mozilla" "care.example"\n'.encode()


@dataclass
class Guard:
    """The guard's side of the protocol, and what it heard."""

    found: dict[str, Finding] = field(default_factory=dict)
    reported: int = 0
    counted: list[PersonsCounted] = field(default_factory=list)
    silent: list[str] | None = None
    """The logs that are silent, as watch said last."""
    rebuilding: list[Rebuilding] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    accepts: bool = True

    async def hear(self, connection: Connection) -> None:
        self.connections.append(connection)
        try:
            while (message := await connection.receive()) is not None:
                match message:
                    case FindingsReported(findings=findings):
                        self.reported += len(findings)
                        self.found |= {finding.id: finding for finding in findings}
                        if self.accepts:
                            await connection.send(FindingsAccepted(ids=[finding.id for finding in findings]))
                    case PersonsCounted():
                        self.counted.append(message)
                    case LogsSilent(logs=logs):
                        self.silent = logs
                    case Rebuilding():
                        self.rebuilding.append(message)
        finally:
            self.connections.remove(connection)

    def titles(self) -> set[str]:
        return {finding.title for finding in self.found.values()}


@dataclass
class Home:
    """One site on disk."""

    folder: Path
    places: Places
    site: Site
    hup: Callable[[], None] = lambda: None
    """Has the watch in this process read its rules again."""

    @property
    def care(self) -> Path:
        return self.folder / "care.log"

    @property
    def portal(self) -> Path:
        return self.folder / "portal.log"

    def write(self, path: Path, *lines: bytes) -> None:
        with path.open("ab") as file:
            file.write(b"".join(lines))

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[Guard]:
        guard = Guard()
        async with await serve(
            self.places.watch_socket,
            mode=0o600,
            allowed_uids={os.getuid()},
            incoming=FromWatch,
            handler=guard.hear,
        ):
            yield guard

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[EventStore]:
        """A watch in this process."""
        store = EventStore(self.places.events)
        watch = Watch(self.places, self.site, detection_of(self.places, self.site), store, SystemClock())
        running = asyncio.create_task(watch.run())
        self.hup = watch.renew
        try:
            yield store
            if running.done():
                running.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            store.close()

    async def process(self, *under: str) -> asyncio.subprocess.Process:
        """A watch as the station runs it, perhaps under another program."""
        arguments = ["--site", self.places.site, "--state", self.places.state, "--run", self.places.run]
        arguments += ["--rules", self.places.rules[0]]
        with (self.folder / "watch.err").open("ab") as errors:
            command = [*under, sys.executable, "-m", "rempart.station.watch", *map(str, arguments)]
            return await asyncio.create_subprocess_exec(*command, stderr=errors)

    def stored(self, path: Path) -> list[tuple[int, bytes]]:
        store = EventStore(self.places.events)
        segments = [segment for segment in store.since(Instant(0)) if isinstance(segment, Segment)]
        store.close()
        return [
            line
            for segment in segments
            if segment.source == str(path)
            for line in zip(segment.numbers, segment.bodies, strict=True)
        ]


async def until(true: Callable[[], Any], *, within: float = 60.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.01)


def attack() -> list[tuple[str, bytes]]:
    """A portal being guessed at and probed, then care files opened by the hundred: (log, line) in order."""
    chance = random.Random(7)
    lines: list[tuple[str, bytes]] = []
    for number in range(600):
        attacker = f"198.51.100.{number % 3}"
        lines.append(
            ("portal", request(number, "/login", status=401, client=attacker, user=f"dr{number % 7}"))
        )
        if number % 50 == 0:
            lines.append(("portal", request(number, f"/{number}/.env", status=404, client=attacker)))
        if number > 200:
            lines.append(("care", request(number, f"/dossier/{chance.randrange(10_000)}", user="nurse1")))
    lines.append(("care", request(3600, "/the/end/.env", client="10.0.2.9")))
    return lines


async def heard_to_the_end(guard: Guard, process: asyncio.subprocess.Process) -> dict[str, Finding]:
    """What the guard heard of the attack, once its last line was told and the watch has ended."""
    await until(lambda: any("/the/end" in proof.value for f in guard.found.values() for proof in f.proofs))
    await asyncio.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    return dict(guard.found)


def at_home(tmp_path: Path) -> Home:
    """A site whose logs, rules and store are in this folder."""
    (tmp_path / "site.toml").write_text(SITE.replace("{folder}", str(tmp_path)))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yml").write_text(RULES)
    places = Places(
        site=tmp_path / "site.toml",
        state=tmp_path / "state",
        run=tmp_path / "run",
        rules=(tmp_path / "rules",),
    )
    return Home(tmp_path, places, description.parse(places.site.read_text(), "site.toml"))


MORE = """\
title: Administration page asked for
id: 5b1f8a3e-0000-4000-8000-000000000006
level: medium
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|contains: /admin}
  condition: asked
"""


EXCEPTION = """\
[[exceptions]]
rules = ["Environment file asked for"]
fields = { c-ip = "198.51.100.7" }
reason = "The scan that we ordered"
author = "A. Peeters"
until = %s
"""
