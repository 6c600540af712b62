"""A user for each process of the station: what the watch, the console, the proxy and the packet log reach once they
are taken over.

One station for all: the tests leave it as it was, but for the last, which contains.
"""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.conftest import House
from lab.test_station import Station, running
from rempart.site.opening import OpeningState

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module")
def house(_house) -> Iterator[House]:
    yield _house
    _house.clear()


@pytest.fixture(scope="module")
def station(house: House, site_text: str) -> Iterator[Station]:
    with running(house, site_text) as started:
        yield started


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


def test_a_taken_over_watch_reaches_neither_orders_nor_keys_nor_kernel(
    station: Station, house: House
) -> None:
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
    """Last, because the site stays contained."""
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
