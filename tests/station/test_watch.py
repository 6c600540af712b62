"""Watch, from bytes in a file to findings on the guard's socket: the real process, real files, a real socket."""

import asyncio
import logging
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import Connection, serve
from rempart.adapters.store.events import Batch, EventStore, Segment
from rempart.adapters.supply import Supply
from rempart.config import Places
from rempart.detection.finding import Finding
from rempart.errors import InputRefused
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.instants import Instant, hours, parse_rfc3339, rfc3339, seconds
from rempart.messages import (
    CountPersons,
    FindingsAccepted,
    FindingsReported,
    FromWatch,
    LogsSilent,
    PersonsCounted,
    Rebuilding,
)
from rempart.site import description
from rempart.site.site import LogSource, Site
from rempart.station.reading import Reader
from rempart.station.watch import Watch, detection_of, logs

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


@pytest.fixture
def home(tmp_path: Path) -> Home:
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


# -- the law: a kill changes no finding --------------------------------------------------------------------------


async def lived_through(home: Home, kills: int, seed: int) -> dict[str, Finding]:
    """Write the attack as it happens, kill the watch now and then, and return what the guard heard in the end."""
    chance = random.Random(seed)
    lines = attack()
    fatal = sorted(chance.sample(range(50, len(lines) - 50), kills))
    async with home.guard() as guard:
        process = await home.process()
        await until(lambda: guard.connections)
        for place, (log, line) in enumerate(lines):
            home.write(home.folder / f"{log}.log", line)
            if place % 10 == 0:
                await asyncio.sleep(0.005)
            if place in fatal:
                await until(lambda: guard.connections)
                await asyncio.sleep(chance.random() * 0.1)
                process.send_signal(signal.SIGKILL)
                await process.wait()
                await until(lambda: not guard.connections)
                process = await home.process()
        return await heard_to_the_end(guard, process)


@pytest.mark.slow
def test_killed_in_the_middle_of_an_attack_the_findings_are_the_same(home: Home) -> None:
    undisturbed = asyncio.run(lived_through(home, kills=0, seed=0))
    assert len({finding.rule for finding in undisturbed.values()}) == 3
    for seed in (1, 2):
        for path in (home.care, home.portal, *home.places.events.parent.glob("events*")):
            path.unlink()
        disturbed = asyncio.run(lived_through(home, kills=3, seed=seed))
        assert disturbed == undisturbed
        for path in (home.care, home.portal):
            assert home.stored(path) == list(enumerate(path.read_bytes().splitlines(), 1))


# -- the law: other rules lose neither an event nor a window -------------------------------------------------------


async def renewed_through(home: Home, renewals: int) -> dict[str, Finding]:
    """The attack, while the same rules are read again and take over as often as they can."""
    async with home.guard() as guard:
        process = await home.process()
        await until(lambda: guard.connections)
        lines = attack()
        for place, (log, line) in enumerate(lines):
            home.write(home.folder / f"{log}.log", line)
            if place % 10 == 0:
                await asyncio.sleep(0.005)
            if renewals and place % (len(lines) // renewals) == 0:
                process.send_signal(signal.SIGHUP)
                await asyncio.sleep(0.2)
        return await heard_to_the_end(guard, process)


@pytest.mark.slow
def test_rules_that_take_over_in_the_middle_of_an_attack_change_no_finding(home: Home) -> None:
    undisturbed = asyncio.run(renewed_through(home, renewals=0))
    for path in (home.care, home.portal, *home.places.events.parent.glob("events*")):
        path.unlink()
    assert asyncio.run(renewed_through(home, renewals=8)) == undisturbed
    assert (home.folder / "watch.err").read_text().count("other rules are in force") >= 3


MORE = """\
title: Administration page asked for
id: 5b1f8a3e-0000-4000-8000-000000000006
level: medium
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|contains: /admin}
  condition: asked
"""


@pytest.mark.slow
def test_an_installed_set_is_taken_up_and_the_window_stays_open(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.yml").write_text(MORE)
    supply = Supply(home.places.installed_rules)

    async def conversation() -> None:
        caplog.set_level(logging.INFO, "rempart.watch")
        async with home.guard() as guard, home.watch():
            home.write(home.portal, *(request(n, "/login", status=401) for n in range(4)))
            home.write(home.portal, request(5, "/1/admin"), request(5, "/.env"))
            await until(lambda: guard.found)
            with supply.staged(str(tmp_path / "more")) as staged:
                supply.switch(staged, BEGIN)
            await until(lambda: "other rules are in force" in caplog.text)
            home.write(home.portal, request(6, "/2/admin"), request(7, "/login", status=401))
            await until(lambda: "Many sign-ins refused" in guard.titles())
            told = [f for f in guard.found.values() if f.title == "Administration page asked for"]
            assert [finding.record for finding in told] == [7]
            assert [f.count for f in guard.found.values() if f.title == "Many sign-ins refused"] == [5]

    asyncio.run(conversation())


@pytest.mark.slow
def test_rules_take_over_only_when_all_that_was_detected_on_is_stored(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    async def conversation() -> None:
        caplog.set_level(logging.INFO, "rempart.watch")
        async with home.guard() as guard, home.watch() as store:
            await until(lambda: guard.connections)
            store._connection.execute("PRAGMA query_only=1")
            home.write(
                home.portal, *(request(n, "/login", status=401) for n in range(4)), request(4, "/.env")
            )
            await until(lambda: guard.found)
            (home.folder / "rules" / "more.yml").write_text(MORE)
            home.hup()
            await asyncio.sleep(2)
            assert "other rules are in force" not in caplog.text
            store._connection.execute("PRAGMA query_only=0")
            await until(lambda: "other rules are in force" in caplog.text)
            home.write(home.portal, request(5, "/login", status=401), request(6, "/admin"))
            await until(lambda: len(guard.titles()) == 3)
            assert [f.count for f in guard.found.values() if f.title == "Many sign-ins refused"] == [5]

    asyncio.run(conversation())


def test_rules_that_cannot_be_used_leave_those_in_force(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    async def conversation() -> None:
        async with home.guard() as guard, home.watch():
            await until(lambda: guard.connections)
            (home.folder / "rules" / "all.yml").write_bytes(b"\xff\xfe")
            home.hup()
            await until(lambda: "the rules in force stay" in caplog.text)
            home.write(home.portal, request(1, "/.env"))
            await until(lambda: guard.found)

    asyncio.run(conversation())


EXCEPTION = """\
[[exceptions]]
rules = ["Environment file asked for"]
fields = { c-ip = "198.51.100.7" }
reason = "The scan that we ordered"
author = "A. Peeters"
until = %s
"""


@pytest.mark.slow
def test_exceptions_are_taken_up_told_and_end(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    def asked(number: int) -> bytes:
        return request(number * 100, f"/{number}/.env", client="198.51.100.7")

    async def conversation() -> None:
        caplog.set_level(logging.INFO, "rempart.watch")
        async with home.guard() as guard, home.watch():
            home.write(home.portal, asked(1))
            await until(lambda: guard.found)
            home.places.exceptions.write_text(EXCEPTION % "2026-11-30")
            await until(lambda: caplog.text.count("other rules are in force") == 1)
            home.write(home.portal, asked(2))
            await until(lambda: "exceptions.toml, line 1: hid rule" in caplog.text)
            assert "1 times ('The scan that we ordered', 'A. Peeters')" in caplog.text
            home.places.exceptions.write_text("[[exceptions]]\n")
            await until(lambda: "the rules in force stay" in caplog.text)
            assert "4 mistake(s) in the exceptions" in caplog.text
            home.write(home.portal, asked(3))
            await until(lambda: "hid rule 5b1f8a3e-0000-4000-8000-000000000001 2 times" in caplog.text)
            home.places.exceptions.write_text(EXCEPTION % "2026-11-19")
            await until(lambda: "has ended and is without effect" in caplog.text)
            home.write(home.portal, asked(4))
            await until(lambda: len(guard.found) == 2)

    asyncio.run(conversation())


def test_what_an_exception_hides_is_counted_over_restarts_and_shown(
    home: Home, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "rempart.watch")
    home.places.exceptions.write_text(EXCEPTION % "2026-11-30")

    def listed() -> str:
        asked = ["rules", "list", "--site", str(home.places.site), "--state", str(home.places.state)]
        assert main(asked) == 0
        return capsys.readouterr().out

    async def conversation(first: int, last: int) -> None:
        async with home.guard(), home.watch():
            numbers = range(first, last + 1)
            home.write(home.portal, *(request(n, f"/{n}/.env", client="198.51.100.7") for n in numbers))
            await until(lambda: caplog.text.count(": hid rule") > first // 2)

    home.places.state.mkdir()
    assert "hid nothing yet" in listed()
    asyncio.run(conversation(1, 2))
    asyncio.run(conversation(3, 3))
    assert "hid 'Environment file asked for' 3 times since 2" in listed()
    home.places.hidden.write_bytes(b"[{")
    assert "cannot be read here" in listed()


def test_no_installed_set_keeps_a_watch_from_starting(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.yml").write_text(MORE)
    supply = Supply(home.places.installed_rules)
    with supply.staged(str(tmp_path / "more")) as staged:
        folder = supply.switch(staged, BEGIN).folder
    assert detection_of(home.places, home.site).feed(asked("/admin"))
    (folder / "more.yml").write_bytes(b"\xff\xfe")
    assert not detection_of(home.places, home.site).feed(asked("/admin"))
    assert detection_of(home.places, home.site).feed(asked("/.env"))
    assert "rule left out" in caplog.text
    (folder / "more.yml").unlink()
    (folder / "more.yml").symlink_to("more.yml")  # round and round: it cannot be read at all
    assert detection_of(home.places, home.site).feed(asked("/.env"))
    assert "the installed rules are left out" in caplog.text
    (folder.parent / "about.json").unlink()
    assert detection_of(home.places, home.site).feed(asked("/.env"))
    assert "what is known of this rule set cannot be read" in caplog.text


def asked(path: str) -> Event:
    event = DECODERS["nginx"](request(1, path).strip(), "access.log", 1)
    assert event
    return event


def test_a_watch_starts_on_exceptions_with_mistakes_and_hides_nothing(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.places.exceptions.write_text(EXCEPTION % '"some day"')

    async def conversation() -> None:
        async with home.guard() as guard, home.watch():
            home.write(home.portal, request(1, "/.env", client="198.51.100.7"))
            await until(lambda: guard.found)

    asyncio.run(conversation())
    assert "nothing is hidden: " in caplog.text
    assert "line 6: until: 'some day' is no day" in caplog.text


# -- reporting ----------------------------------------------------------------------------------------------------


def test_a_line_becomes_a_finding_and_is_acknowledged(home: Home) -> None:
    async def live() -> None:
        async with home.guard() as guard, home.watch() as store:
            home.write(home.portal, request(1, "/.env", client="198.51.100.7"))
            await until(lambda: guard.found)
            await until(lambda: store.settled.segment == 0 or store.settled.segment == store.last)
        (finding,) = guard.found.values()
        assert (finding.source, finding.record) == (str(home.portal), 1)

    asyncio.run(live())
    store = EventStore(home.places.events)
    assert store.settled.segment == store.last == 1
    store.close()


def test_what_was_acknowledged_is_not_sent_again_what_was_not_is(home: Home) -> None:
    async def live() -> None:
        async with home.guard() as guard:
            async with home.watch():
                home.write(home.portal, request(1, "/.env", client="198.51.100.7"))
                await until(lambda: guard.found)
                await asyncio.sleep(0.1)
                guard.accepts = False
                home.write(home.portal, request(20, "/.env", client="198.51.100.8"))
                await until(lambda: len(guard.found) == 2)
                await asyncio.sleep(0.1)
            assert guard.reported == 2
            async with home.watch():
                await until(lambda: guard.reported == 3)
                await asyncio.sleep(0.1)
            assert (guard.reported, len(guard.found)) == (3, 2)

    asyncio.run(live())


def test_findings_wait_for_a_guard_that_is_away(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    async def live() -> None:
        async with home.watch():
            home.write(home.portal, request(1, "/.env"))
            await asyncio.sleep(0.3)
            async with home.guard() as guard:
                await until(lambda: guard.found)
                guard.accepts = False
                home.write(home.portal, request(30, "/.env"))
                await until(lambda: guard.reported == 2)
            async with home.guard() as another:
                await until(lambda: another.found)
                assert another.reported == 1
        assert caplog.text.count("findings wait") >= 1

    asyncio.run(live())


def test_a_window_opened_before_a_restart_is_closed_after_it(home: Home) -> None:
    async def live() -> None:
        async with home.guard() as guard:
            async with home.watch() as store:
                home.write(home.portal, *(request(number, "/login", status=401) for number in range(4)))
                await until(lambda: store.last)
            async with home.watch():
                home.write(home.portal, request(5, "/login", status=401))
                await until(lambda: "Many sign-ins refused" in guard.titles())

    asyncio.run(live())


def test_the_guard_hears_which_log_is_silent_and_when_it_speaks_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rempart.station.watch.LISTEN", 0.05)
    now = SystemClock().now()
    heard = {"last": now - hours(100), "kept": now}
    home.places.intake.parent.mkdir(parents=True)
    home.places.intake.write_bytes(
        msgspec.json.encode({str(home.portal): heard, str(home.places.packets_log): heard})
    )

    async def live() -> None:
        async with home.guard() as guard, home.watch():
            await until(lambda: guard.silent == ["packets", str(home.portal)])
            home.write(home.portal, request(1, "/"))
            await until(lambda: guard.silent == ["packets"])

    asyncio.run(live())


def test_a_start_that_takes_long_says_how_far_it_is(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rempart.station.watch.PROGRESS", 0.01)
    monkeypatch.setattr("rempart.station.watch.LISTEN", 0.05)
    whole = Reader.findings

    def slow(reader: Reader, lines: Batch | Segment) -> tuple[list[Finding], Instant]:
        time.sleep(0.02)
        return whole(reader, lines)

    monkeypatch.setattr(Reader, "findings", slow)
    store, now = EventStore(home.places.events), SystemClock().now()
    for number in range(1, 51):
        line = request(number, "/").strip()
        store.append(
            [
                Batch(
                    id=number,
                    read=now,
                    source=str(home.portal),
                    decoder="nginx",
                    numbers=[number],
                    bodies=[line],
                    position=b"{}",
                )
            ]
        )
    store.close()

    async def live() -> None:
        async with home.guard() as guard, home.watch():
            await until(lambda: guard.silent is not None)
            told = [(each.done, each.total) for each in guard.rebuilding]
            assert told == sorted(told)
            assert {total for done, total in told if done} == {50}
            assert max(told)[0] > 1

    asyncio.run(live())


JOINED_RULES = """\
title: Program started
id: 5b1f8a3e-0000-4000-8000-000000000011
level: medium
logsource: {product: linux, category: process_creation}
detection: {started: {Image: /bin/nc, CommandLine|contains: ' -e '}, condition: started}
---
title: Name asked for
id: 5b1f8a3e-0000-4000-8000-000000000012
level: medium
logsource: {category: dns}
detection: {asked: {query|endswith: .evil.example}, condition: asked}
---
title: Page opened
id: 5b1f8a3e-0000-4000-8000-000000000013
level: medium
logsource: {category: webserver}
detection: {opened: {cs-uri-stem: /evil.aspx}, condition: opened}
"""


def test_lines_that_need_others_have_them_after_a_restart_too(home: Home) -> None:
    with home.places.site.open("a") as site:
        for name, decoder in (("audit", "auditd"), ("dns", "zeek"), ("web", "iis")):
            site.write(f'\n[[logs]]\npath = "{home.folder}/{name}.log"\ndecoder = "{decoder}"\n')
    (home.places.rules[0] / "joined.yml").write_text(JOINED_RULES)
    home.site = description.parse(home.places.site.read_text(), "site.toml")
    audit, dns, web = (home.folder / f"{name}.log" for name in ("audit", "dns", "web"))
    record = "type={} msg=audit(1604996384.965:7): {}\n"
    call = record.format("SYSCALL", 'arch=c000003e syscall=59 success=yes exe="/bin/nc"').encode()
    ran = record.format("EXECVE", 'argc=3 a0="nc" a1="-e" a2="sh"').encode()
    header = b"#separator \\x09\n#path\tdns\n#fields\tts\tquery\n#types\ttime\tstring\n"

    async def live() -> None:
        async with home.guard() as guard:
            async with home.watch() as store:
                home.write(dns, header)
                home.write(web, b"#Software: IIS\r\n#Fields: date time c-ip cs-uri-stem\r\n")
                home.write(audit, b"type=DAEMON_START msg=audit(1.000:1): pid=1\n", call)
                await until(lambda: store.last >= 2)
            async with home.watch():
                home.write(dns, b"1693173867.5\tc2.evil.example\n")
                home.write(web, b"2023-08-27 22:17:47 203.0.113.9 /evil.aspx\r\n")
                home.write(audit, ran)
                await until(lambda: guard.titles() == {"Program started", "Name asked for", "Page opened"})
        assert [number for number, _ in home.stored(audit)] == [1, 2, 3]

    asyncio.run(live())


@pytest.mark.slow
def test_what_is_usual_outlives_an_end_a_kill_and_a_damaged_file(home: Home) -> None:
    """An account's two days are known after a restart, and what it did since they were kept is not lost by a kill."""
    unusual = "An account opened the care files of many more persons than ever before"
    opened = [
        request(hour * 3600 + n * 60, f"/dossier/{n}", user="nurse1") for hour in range(48) for n in range(5)
    ]
    taken = [request(48 * 3600 + n, f"/dossier/{1000 + n}", user="nurse1") for n in range(44)]

    async def live() -> None:
        async with home.guard() as guard:

            async def read(lines: list[bytes], *, end: signal.Signals) -> None:
                process = await home.process()
                last = f"198.51.100.{len(guard.found) + 1}"
                home.write(home.care, *lines, request(49 * 3600, "/.env", client=last))
                await until(lambda: any(last in str(finding) for finding in guard.found.values()))
                await asyncio.sleep(0.2)
                process.send_signal(end)
                await process.wait()

            home.care.touch()
            await read(opened, end=signal.SIGTERM)
            kept = home.places.pasts.read_bytes()
            assert b"nurse1" not in kept, "it is packed"
            await read(taken[:30], end=signal.SIGKILL)
            assert unusual not in guard.titles()
            assert home.places.pasts.read_bytes() == kept
            await read(taken[30:], end=signal.SIGTERM)
            assert unusual in guard.titles()
            home.places.pasts.write_bytes(kept[:-1])
            await read([], end=signal.SIGTERM)
            assert "what was usual until now is not known" in (home.folder / "watch.err").read_text()

    asyncio.run(live())


def test_rotated_in_the_middle_nothing_is_missed(home: Home) -> None:
    async def live() -> None:
        async with home.guard() as guard, home.watch():
            for number in range(25):
                home.write(home.care, request(number, f"/dossier/{number}"))
                if number % 8 == 7:
                    await asyncio.sleep(0.1)
                    home.care.rename(home.folder / f"care.log.{number}")
            await until(lambda: "Care files opened by the hundred" in guard.titles())
            await asyncio.sleep(0.1)
        assert [number for number, _ in home.stored(home.care)] == list(range(1, 26))

    asyncio.run(live())


def test_an_alarm_does_not_wait_for_a_disk_that_refuses(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    async def live() -> None:
        async with home.guard() as guard, home.watch() as store:
            await until(lambda: guard.connections)
            store._connection.execute("PRAGMA query_only=1")
            home.write(home.portal, request(1, "/.env"))
            await until(lambda: guard.found)  # the disk still refuses
            await until(lambda: "Detection goes on" in caplog.text)
            store._connection.execute("PRAGMA query_only=0")
            home.write(home.portal, request(2, "/"))
            await until(lambda: store.last == 2)
        assert [number for number, _ in home.stored(home.portal)] == [1, 2]

    asyncio.run(live())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to stall the disk")
def test_an_alarm_does_not_wait_for_a_disk_that_stalls(home: Home) -> None:
    EventStore(home.places.events).close()  # made before, so that the start takes few writes

    async def live() -> None:
        async with home.guard() as guard:
            stalls = "inject=fdatasync,fsync:delay_enter=2000000"
            options = ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync"]
            for name in ("events.db-wal", "findings.db-wal"):  # what is written for each line
                options += ["-P", str(home.places.events.with_name(name))]
            process = await home.process("strace", *options, "-e", stalls)
            try:
                await until(lambda: guard.connections)
                slowest = 0.0
                for number in range(1, 4):
                    began = time.monotonic()
                    home.write(home.portal, request(number * 60, "/.env", client=f"198.51.100.{number}"))
                    await until(lambda n=number: len(guard.found) == n)
                    slowest = max(slowest, time.monotonic() - began)
                assert slowest < 1.8  # seconds: it was stalled for two, and did not wait for it
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()
        assert len(home.stored(home.portal)) == 3

    asyncio.run(live())


# -- hostile and broken lines ------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_are_kept_counted_and_told_without_quoting_them(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hostile = [
        b"\x1b[2J\x1b]0;pwned\x07",
        b"\xe2\x80\xae evil",
        b"\x00" * 500,
        b"<script>alert(1)</script>",
        b"=cmd|'/c calc'!A1",
        b"\xff\xfe" * 100,
        b"x" * 100_000,
        b"",
        request(3, "/.env%00%1b[31m%e2%80%ae<img>", client="198.51.100.9", user="'; drop table").rstrip(),
    ]

    async def live() -> None:
        async with home.guard() as guard, home.watch() as store:
            home.write(home.portal, *(line + b"\n" for line in hostile))
            await until(lambda: guard.found)
            await until(lambda: store.last == 1)

    asyncio.run(live())
    assert [body for _, body in home.stored(home.portal)] == [line[: 1 << 16] for line in hostile]
    assert "lines of" in caplog.text
    assert "too long" in caplog.text
    for quoted in ("\x1b", "\u202e", "script", "cmd|", "drop table"):
        assert quoted not in caplog.text


def test_a_flood_of_findings_is_few_frames_and_the_counts_tell(home: Home) -> None:
    async def live() -> None:
        async with home.guard() as guard, home.watch():
            home.write(home.portal, *(request(1, f"/{n}/.env", client="198.51.100.9") for n in range(5000)))
            await until(lambda: any(finding.count >= 4096 for finding in guard.found.values()))
        assert guard.reported < 50

    asyncio.run(live())


def test_a_decoder_that_nobody_knows_is_refused(home: Home) -> None:
    import dataclasses

    site = dataclasses.replace(home.site, logs=(LogSource(path="/var/log/x", decoder="no\x1bne"),))
    with pytest.raises(InputRefused, match=r"no\\x1bne"):
        logs(home.places, site)


def test_what_another_version_left_in_the_store_is_told_and_does_not_end_the_watch(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    store = EventStore(home.places.events)
    for number, position in enumerate((b"\x00nonsense", b'{"places": 5}'), 1):
        store.append(
            [
                Batch(
                    id=number,
                    read=BEGIN,
                    source=str(home.portal),
                    decoder="of old",
                    numbers=[number],
                    bodies=[b"?"],
                    position=position,
                )
            ]
        )
    store.close()

    async def live() -> None:
        async with home.guard() as guard, home.watch():
            home.write(home.portal, request(1, "/.env"))
            await until(lambda: guard.found)

    asyncio.run(live())
    assert "read from its beginning" in caplog.text
    assert "no decoder is called 'of old' any more" in caplog.text


# -- how many persons --------------------------------------------------------------------------------------------


def test_persons_are_counted_never_named(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lines = [
        *(request(number, f"/dossier/9000{number % 30}", user="nurse1") for number in range(60)),
        *(request(number, f"/dossier/7000{number}", client="10.0.2.50") for number in range(10)),
        *(request(number, f"/dossier/6000{number}", status=403) for number in range(10)),
        request(70, "/login"),
        request(71, "/dossier/80001", user="nurse2"),
    ]

    async def live() -> None:
        async with home.guard() as guard, home.watch() as store:
            home.write(home.care, *lines)
            await until(lambda: guard.connections and store.last)
            (connection,) = guard.connections
            questions = [
                CountPersons(request="all", addresses=["10.0.2.77"], since=BEGIN),
                CountPersons(
                    request="late", addresses=["::ffff:10.0.2.77"], since=Instant(BEGIN + seconds(50))
                ),
                CountPersons(request="nurse2", addresses=["10.0.2.77"], since=BEGIN, accounts=["nurse2"]),
                CountPersons(request="none", addresses=["192.0.2.1", "nonsense"], since=BEGIN),
            ]
            for question in questions:
                await connection.send(question)
            await until(lambda: len(guard.counted) == 4)
            answers = {a.request: (a.persons, a.records_opened) for a in guard.counted}
            assert answers == {"all": (31, 61), "late": (11, 11), "nurse2": (1, 1), "none": (0, 0)}
            home.write(home.care, request(80, "/dossier/90042", user="nurse1"))
            await until(lambda: len(guard.counted) == 6)
            answers = {a.request: (a.persons, a.records_opened) for a in guard.counted[4:]}
            assert answers == {"all": (32, 62), "late": (12, 12)}

    asyncio.run(live())
    assert "9000" not in caplog.text
