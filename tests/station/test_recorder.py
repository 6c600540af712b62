"""No alarm waits for a disk that refuses or stalls, and what was read is on it in the end."""

import asyncio
import shutil
import signal
import time
from pathlib import Path

import pytest

from rempart.adapters.store.events import EventStore
from station.watched import Home, at_home, request, until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_home(tmp_path)


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
