"""The staff page's process: where it listens, what it tells, and how it ends."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rempart.adapters.clock import SystemClock
from rempart.adapters.staff_notice import StaffNotice
from rempart.config import Places
from rempart.errors import ExitCode
from rempart.instants import Instant, hours
from rempart.messages import Posture, Status
from rempart.site.description import parse

DESCRIPTION = Path(__file__).parents[1] / "console" / "tilleuls.toml"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """The page of a house at a port of loopback."""

    places: Places
    port: int

    def ask(self, path: str = "/?lang=en") -> httpx.Response | None:
        """What is answered, or None while nobody listens."""
        with contextlib.suppress(httpx.ConnectError):
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=_PATIENCE, trust_env=False)
        return None

    def text(self) -> str:
        answer = self.ask()
        assert answer
        return answer.text


def described(folder: Path, port: int, address: str = "127.0.0.1") -> Path:
    file = folder / "site.toml"
    file.write_text(f'{DESCRIPTION.read_text()}\n[staff_page]\naddress = "{address}"\nport = {port}\n')
    return file


def command(places: Places) -> list[str]:
    where = ("--site", str(places.site), "--state", str(places.state), "--run", str(places.run))
    return [sys.executable, "-m", "rempart.station.staff_page", *where]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def contained(now: Instant) -> Status:
    return Status(
        site="les-tilleuls",
        now=now,
        posture=Posture.CONTAINED,
        since=now,
        openings=[],
        incidents=[],
        measures=[],
        journal_entries=0,
        journal_root="",
        enforcement_verified=now,
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    port = free_port()
    places = Places(site=described(tmp_path, port), state=tmp_path, run=tmp_path, rules=())
    places.staff_notice.parent.mkdir()
    served = Served(places, port)
    with subprocess.Popen(command(places)) as process:
        deadline = time.monotonic() + _PATIENCE
        while served.ask() is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield served
        process.terminate()
        assert process.wait(_PATIENCE) in (0, -signal.SIGTERM)


@pytest.mark.edge
def test_it_tells_what_the_console_left_and_nothing_once_that_is_old(
    served: Served,
) -> None:
    notice, cut = StaffNotice(served.places.staff_notice), "has been cut off"
    assert cut not in served.text()
    for late, told in ((0, True), (1, False)):
        deadline = time.monotonic() + _PATIENCE
        while (cut in served.text()) is not told:
            # Left anew at each try: the machine may be busy, and a page is kept for a second.
            notice.leave(contained(Instant(SystemClock().now() - hours(late))))
            assert time.monotonic() < deadline
    answer = served.ask("/enter")
    assert answer is not None
    assert answer.status_code == httpx.codes.NOT_FOUND


def test_without_a_place_in_the_description_it_does_not_run(tmp_path: Path) -> None:
    assert parse(DESCRIPTION.read_text(), DESCRIPTION.name).staff_page is None
    places = Places(site=DESCRIPTION, state=tmp_path, run=tmp_path, rules=())
    done = subprocess.run(command(places), capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert (done.returncode, "no [staff_page]" in done.stderr) == (ExitCode.USAGE, True)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = described(tmp_path, taken.getsockname()[1])
        places = Places(site=file, state=tmp_path, run=tmp_path, rules=())
        done = subprocess.run(command(places), capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert done.returncode == ExitCode.PRIVILEGE
    assert "[staff_page] in site.toml" in done.stderr
