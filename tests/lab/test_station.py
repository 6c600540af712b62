"""The whole station in the lab: a guard killed again and again, and a kernel that somebody else changes.

``REMPART_KILLS`` is how often; a few times by default, so that the suite stays quick.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rempart.adapters.enforce.nftables import Kernel
from rempart.adapters.socket import Client, connect
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.engine import orders
from rempart.errors import StationUnreachable
from rempart.instants import Instant
from rempart.messages import OrderDone, Ordered, OrderRejected, Status, StatusAsked
from rempart.site.opening import OpeningState

pytestmark = [pytest.mark.lab, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("REMPART_KILLS", "7"))
"""Times that the guard is killed. From the fifth on it is started again after a second, so that each costs two."""


@dataclass
class Station:
    """A running `rempart run` in the gateway's namespace."""

    folder: Path
    process: "subprocess.Popen[str]"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def talk(self, name: str = "operator") -> Client:
        return connect(self.run / "guard" / f"{name}.sock")

    def status(self) -> Status:
        with self.talk() as client:
            client.send(StatusAsked())
            answer = client.receive(seconds=30)
        assert isinstance(answer, Status)
        return answer

    def order(self, order: orders.AnyOrder, name: str = "operator") -> OrderDone | OrderRejected:
        with self.talk(name) as client:
            client.send(Ordered(order=order))
            answer = client.receive(seconds=30)
        assert isinstance(answer, OrderDone | OrderRejected)
        return answer

    def await_status(self, wanted: Callable[[Status], bool], within: float = 60.0) -> Status:
        until = time.monotonic() + within
        while True:
            with contextlib.suppress(StationUnreachable):
                status = self.status()
                if wanted(status):
                    return status
            if self.process.poll() is not None:
                raise RuntimeError(f"the station ended with {self.process.returncode}")
            if time.monotonic() > until:
                raise TimeoutError("the station did not come to the wanted status")
            time.sleep(0.02)

    def pid_of(self, name: str) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in map(int, children):
            if name in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return pid
        raise LookupError(name)


@pytest.fixture
def station(house, site_text: str) -> Iterator[Station]:
    """The station with everything open, until the test ends."""
    with running(house, site_text) as started:
        yield started


@contextlib.contextmanager
def running(house, site_text: str) -> Iterator[Station]:
    """A station with everything open, on a folder of its own in the gateway's namespace."""
    # Other users must be able to enter: pytest's own folders are closed to them.
    folder = Path(tempfile.mkdtemp(prefix="rempart-lab-"))
    folder.chmod(0o755)
    (folder / "site.toml").write_text(site_text)
    process = house.start(
        "gw",
        *(sys.executable, "-m", "rempart", "run", "--port", "8499"),
        *(
            "--site",
            str(folder / "site.toml"),
            "--state",
            str(folder / "state"),
            "--run",
            str(folder / "run"),
        ),
        *("--rules", str(ROOT / "rules")),
    )
    station = Station(folder, process)
    try:
        station.await_status(lambda status: status.enforcement_verified is not None)
        yield station
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


@pytest.mark.timed
def test_a_guard_killed_again_and_again_lets_nothing_out(
    station: Station, house, traffic, kernel: Kernel, present: Callable[[], Instant]
) -> None:
    traffic.flow("wards", "out", "udp", "192.0.2.30", 443)
    traffic.flow("wards", "out", "tcp", "192.0.2.20", 443)
    traffic.flow("wards", "servers", "udp", "10.2.0.5", 9000)
    traffic.flow("wards", "out", "udp", "192.0.2.10", 5060)
    traffic.begin()
    time.sleep(0.5)
    done = station.order(orders.Contain(by="Night nurse"))
    assert isinstance(done, OrderDone)
    acknowledged = time.monotonic_ns()
    chance = random.Random(20261122)
    for round_ in range(KILLS):
        guard = station.pid_of("rempart.station.guard")
        if round_ % 3 == 0:  # decide something more, so that it may die in the middle of sealing
            station.order(orders.Block(by="Alex", target=f"192.0.2.{100 + round_}"))
        time.sleep(chance.uniform(0, 0.3))
        os.kill(guard, signal.SIGKILL)
        status = station.await_status(lambda status: status.enforcement_verified is not None)
        assert status.posture == "contained"
        assert status.enforcement_fault == ""
        assert disagreements(wanted_by(status), kernel.read(present()), present()) == ()
    seen = traffic.finish()
    for name in ("udp/443", "tcp/443"):
        for place in seen.values():
            for end in place.get(name, ()):
                assert len(end["arrived"]) > 100
                assert [stamp for _, stamp in end["arrived"] if stamp > acknowledged] == []
    for client, server, name in (("wards", "servers", "udp/9000"), ("wards", "out", "udp/5060")):
        one, other = seen[client][name][0], seen[server][name][0]
        assert (one["sent"], other["sent"]) == (len(other["arrived"]), len(one["arrived"]))
    verified = subprocess.run(
        [sys.executable, "-m", "rempart", "verify", str(station.folder / "state/guard/journal.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.timed
def test_what_somebody_changes_in_the_kernel_is_sealed_and_repaired_within_seconds(
    station: Station, house, kernel: Kernel, present: Callable[[], Instant]
) -> None:
    station.order(orders.Contain(by="Night nurse"))
    status = station.await_status(lambda status: status.enforcement_fault == "")
    sealed = status.journal_entries
    for tampering in (
        ("flush", "set", "inet", "rempart", "contained"),
        ("delete", "table", "inet", "rempart"),
    ):
        house.at("gw", "nft", *tampering)
        tampered = present()
        status = station.await_status(lambda status, since=sealed: status.journal_entries > since)
        status = station.await_status(
            lambda status, at=tampered: (
                status.enforcement_fault == "" and (status.enforcement_verified or 0) > at
            )
        )
        assert disagreements(wanted_by(status), kernel.read(present()), present()) == ()
        sealed = status.journal_entries
    told = subprocess.run(
        [sys.executable, "-m", "rempart", "why", "192.0.2.30", "--run", str(station.run)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the site is contained: browsing is closed, since" in told.stdout
    assert "by Night nurse" in told.stdout


def wanted_by(status: Status) -> Enforcement:
    """What the status, a fold of the journal, says that the kernel should hold."""
    return Enforcement(
        stands={
            o.id: Stand(
                state=o.state, until=o.trial_until, then=OpeningState.CLOSED if o.trial_until else None
            )
            for o in status.openings
        },
        contained=status.posture in ("contained", "reopening"),
        blocked={m.target: m.until for m in status.measures if m.action == "block"},
        isolated={m.target: m.until for m in status.measures if m.action == "isolate"},
    )
