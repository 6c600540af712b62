"""Watch, from bytes in a file to findings on the guard's socket: the real process, real files, a real socket."""

import asyncio
import logging
import random
import signal
import time
from pathlib import Path

import msgspec
import pytest

from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.store.events import Batch, EventStore, Segment
from rempart.adapters.supply import Supply
from rempart.detection.finding import Finding
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.instants import Instant, hours
from rempart.site import description
from rempart.station.reading import Reader
from rempart.station.watch import detection_of
from station.watched import BEGIN, EXCEPTION, MORE, Home, at_home, attack, heard_to_the_end, request, until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_home(tmp_path)


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
    (folder / "more.yml").write_bytes(b"\xff\xff")
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
