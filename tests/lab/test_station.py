"""The whole station in the lab: three users, a guard killed again and again, and peers that were taken over.

``REMPART_KILLS`` is how often; a few times by default, so that the suite stays quick.
"""

import contextlib
import json
import os
import pwd
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


def as_user(name: str, *words: str, group: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a program as somebody else, with nothing but that user's rights."""
    return subprocess.run(
        [
            "setpriv",
            f"--reuid={name}",
            f"--regid={group or name}",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
            *words,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def separate() -> bool:
    """Whether this machine lets us be several users."""
    lengths = [int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return os.geteuid() == 0 and sum(lengths) > 1


def test_three_processes_three_users_and_only_the_guard_may_change_the_network(station: Station) -> None:
    if not separate():
        pytest.skip("only root can be several users")
    uids = {}
    for name in ("guard", "watch", "console"):
        status = Path(f"/proc/{station.pid_of(f'rempart.station.{name}')}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        uids[name] = int(fields["Uid"].split()[0])
        net_admin = 1 << 12
        held = int(fields["CapEff"], 16) | int(fields["CapBnd"], 16) | int(fields["CapAmb"], 16)
        assert held == (net_admin if name == "guard" else 0)
        assert fields["NoNewPrivs"].strip() == "1"
    assert len(set(uids.values())) == 3
    assert 0 not in uids.values()


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


def test_a_taken_over_watch_reaches_neither_orders_nor_keys_nor_kernel(station: Station, house) -> None:
    if not separate():
        pytest.skip("only root can be several users")
    state, run = station.folder / "state", station.run
    for user in ("rempart-watch", "rempart-console"):
        for secret in (state / "guard/journal.db", state / "guard/keys"):
            assert as_user(user, "cat", str(secret)).returncode != 0
            assert as_user(user, "ls", str(secret)).returncode != 0
        speak = (
            "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(3)\ns.connect(sys.argv[1])\n"
            "s.sendall(b'\\0\\0\\0\\2{}')\nprint('heard', s.recv(1))"
        )
        told = as_user(user, sys.executable, "-c", speak, str(run / "guard/operator.sock"))
        assert "heard b''" in told.stdout or told.returncode != 0
        nft = house.at(
            "gw",
            *("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--bounding-set=-all"),
            *("sh", "-c", "nft flush table inet rempart 2>&1 || echo refused"),
        )
        assert "refused" in nft
        guard = station.pid_of("rempart.station.guard")
        assert as_user(user, "sh", "-c", f"cat /proc/{guard}/environ").returncode != 0
        assert as_user(user, "kill", "-9", str(guard)).returncode != 0
    assert pwd.getpwnam("rempart-watch").pw_uid != pwd.getpwnam("rempart-console").pw_uid


def test_neither_proxy_nor_packet_log_can_put_a_link_where_root_or_the_guard_writes(station: Station) -> None:
    if not separate():
        pytest.skip("only root can be several users")
    group = pwd.getpwnam("rempart-guard").pw_gid  # haproxy's too: it is how the guard reaches its socket
    for user, kept in (
        ("haproxy", [station.run / "proxy/openings.map", station.run / "access.log"]),
        ("ulog", [station.run / "packets/ulogd.json", station.run / "packets/ulogd.conf"]),
    ):
        for path in kept:
            for deed in (["rm", "-f", str(path)], ["ln", "-s", "/etc/hostname", f"{path}.1"]):
                done = as_user(user, *deed, group=str(group))
                assert done.returncode != 0, (user, deed)
            assert path.exists()


def test_a_taken_over_console_can_tighten_and_nothing_else(station: Station) -> None:
    if not separate():
        pytest.skip("only root can be several users")
    script = """
import json, sys
from pathlib import Path
from rempart.adapters.socket import connect
from rempart.engine import orders
from rempart.messages import Ordered
from rempart.site.opening import OpeningState
heard = []
for order in (
    orders.Reopen(by="x", opening="browsing", state=OpeningState.OPEN, seconds=60, override=True, reason="x"),
    orders.Normalise(by="x"),
    orders.CloseLifeline(by="x", opening="telephone", fallback_confirmed=True),
    orders.Contain(by="x"),
):
    with connect(Path(sys.argv[1])) as client:
        client.send(Ordered(order=order))
        heard.append(type(client.receive(seconds=30)).__name__)
print(json.dumps(heard))
"""
    told = as_user("rempart-console", sys.executable, "-c", script, str(station.run / "guard/console.sock"))
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == ["OrderRejected", "OrderRejected", "OrderRejected", "OrderDone"]
    assert station.status().posture == "contained"
    assert {o.id: o.state for o in station.status().openings}["telephone"] is OpeningState.FILTERED
