"""Other rules lose neither an event nor a window, and a set that cannot be used changes nothing."""

import asyncio
import logging
import signal
from pathlib import Path

import pytest

from rempart.adapters.supply import Supply
from rempart.detection.finding import Finding
from station.watched import BEGIN, EXCEPTION, MORE, Home, at_home, attack, heard_to_the_end, request, until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_home(tmp_path)


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
