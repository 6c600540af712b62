"""What watch says to the guard: until it is acknowledged, again after each reconnection, few frames in a flood."""

import asyncio
from pathlib import Path

import pytest

from rempart.adapters.store.events import EventStore
from station.watched import Home, at_home, request, until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_home(tmp_path)


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


def test_a_flood_of_findings_is_few_frames_and_the_counts_tell(home: Home) -> None:
    async def live() -> None:
        async with home.guard() as guard, home.watch():
            home.write(home.portal, *(request(1, f"/{n}/.env", client="198.51.100.9") for n in range(5000)))
            await until(lambda: any(finding.count >= 4096 for finding in guard.found.values()))
        assert guard.reported < 50

    asyncio.run(live())
