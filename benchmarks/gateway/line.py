"""From an attacker's line in a log to his last packet: Rempart, and Debian's fail2ban on the same attack.

Rempart has 100 rules loaded and analyses 5,000 other lines a second meanwhile. fail2ban has one pattern and nothing
else to read: with that load it falls behind for good. Both are told to stop what is forwarded, at once.
"""

import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.lab.conftest import House

from benchmarks.gateway.crowdsec import crowdsec, unavailable
from benchmarks.gateway.orders import LINES
from benchmarks.gateway.station import RULES, Probes, line, load, percentile, station

RATE = 5_000
"""Datagrams a second that the attacker sends."""
PATIENCE = 1.5
"""Seconds after which an attacker counts as not stopped by fail2ban."""

JAIL = """\
[DEFAULT]
backend = pyinotify
findtime = 600
bantime = 3600
maxretry = 1
[attack]
enabled = true
filter = attack
logpath = {log}
action = nftables[type=allports, protocol="udp,tcp", chain_hook=forward, blocktype=drop]
"""
FILTER = """\
[Definition]
failregex = ^<HOST> .* "GET /hole-
datepattern = ^[^\\[]*\\[({DATE})
"""
SETTINGS = """\
[Definition]
loglevel = INFO
logtarget = {folder}/fail2ban.log
syslogsocket = auto
socket = {folder}/fail2ban.sock
pidfile = {folder}/fail2ban.pid
dbfile = None
"""


def measure(house: House, attacks: int, theirs: int) -> dict[str, Any]:
    """Both, in the same house, one after the other."""
    with station(house) as running:
        alone = attacked(house, running.folder, running.log, attacks // 2, 1)
        with load(running.log, LINES) as rate:
            time.sleep(1)
            ours = attacked(house, running.folder, running.log, attacks, 2)
            written = rate()
    banned = by_fail2ban(house, theirs)
    decided, reason = by_crowdsec(house, theirs)
    p50, other = percentile(ours, 50), (round(median(banned), 1) if banned else None)
    return {
        "line_to_drop_ms_p50": p50,
        "line_to_drop_ms_p99": percentile(ours, 99),
        "line_to_drop_ms_p50_idle": percentile(alone, 50),
        "line_to_drop_ms_p99_idle": percentile(alone, 99),
        "line_to_drop_attacks": len(ours),
        "line_to_drop_rules": RULES,
        "line_to_drop_lines_per_second": round(written),
        "fail2ban_ms_p50": other,
        "fail2ban_ms_max": round(max(banned), 1) if banned else None,
        "fail2ban_attacks": len(banned),
        "crowdsec_ms_p50": round(median(decided), 1) if decided else None,
        "crowdsec_attacks": len(decided),
        "crowdsec_reason": reason,
        "fail2ban_over_rempart_p50": round(other / p50, 1) if other and p50 else None,
    }


def attacked(
    house: House, folder: Path, log: Path, attacks: int, network: int, wait: float = 0.15
) -> list[float]:
    """Milliseconds from each attacker's line to his last packet that arrived. Raises when one was not stopped."""
    probes = Probes(house, folder)
    probes.receive("servers", "10.2.0.5:4500")
    house.at("gw", "ip", "route", "replace", f"198.18.{network}.0/24", "via", "203.0.113.1")
    stamps: list[tuple[int, int]] = []
    for number in range(1, attacks + 1):
        own = f"198.18.{network}.{number}"
        house.at("out", "ip", "addr", "add", f"{own}/32", "dev", "eth0")
        sender = attacker(house, own)
        time.sleep(0.08)
        attack = line(own, f"/hole-{number % RULES}/")
        with log.open("ab", buffering=0) as file:
            written = time.time_ns()
            file.write(attack)
        time.sleep(wait)
        stamps.append((written, sender()))
        house.at("out", "ip", "addr", "del", f"{own}/32", "dev", "eth0")
    _, (seen,) = probes.finish()
    return [_last(seen, written, ended) for written, ended in stamps]


def _last(seen: list[tuple[int, int, int]], written: int, ended: int) -> float:
    passed = [stamp for _, stamp, _ in seen if written - 60_000_000 < stamp < ended]
    if not passed:
        raise RuntimeError("the attacker's packets did not pass before his line: nothing was measured")
    if ended - passed[-1] < 20_000_000:
        raise RuntimeError("an attacker was not stopped")
    return max(0.0, (passed[-1] - written) / 1e6)


def attacker(house: House, own: str) -> Callable[[], int]:
    """Sends stamped datagrams from that address until called; when it ended (ns)."""
    with house.inside("out"):
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.bind((own, 0))
    channel.connect(("10.2.0.5", 4500))
    stop = threading.Event()

    def send() -> None:
        following = time.monotonic()
        while not stop.is_set():
            following = max(following + 1 / RATE, time.monotonic() - 0.01)
            time.sleep(max(0.0, following - time.monotonic()))
            channel.send(time.time_ns().to_bytes(8, "little"))

    thread = threading.Thread(target=send)
    thread.start()

    def end() -> int:
        stop.set()
        thread.join()
        channel.close()
        return time.time_ns()

    return end


# -- fail2ban ----------------------------------------------------------------------------------------------------


def by_fail2ban(house: House, attacks: int) -> list[float]:
    """The same attack, fail2ban on the gateway; empty when it is not installed."""
    if not Path("/usr/bin/fail2ban-server").exists():
        return []
    with tempfile.TemporaryDirectory(prefix="rempart-bench-") as name:
        folder = Path(name)
        log = folder / "care.log"
        log.write_bytes(line("192.0.2.1", "/"))
        with fail2ban(house, folder, log):
            # Its first ban also makes its table: that one is not counted.
            return attacked(house, folder, log, attacks + 1, 3, PATIENCE)[1:]


def by_crowdsec(house: House, attacks: int) -> tuple[list[float], str]:
    """The same attack, CrowdSec on the gateway; nothing, and the reason, when it cannot be had."""
    if reason := unavailable():
        return [], reason
    with tempfile.TemporaryDirectory(prefix="rempart-bench-") as name:
        folder = Path(name)
        log = folder / "care.log"
        log.write_bytes(line("192.0.2.1", "/"))
        with crowdsec(house, folder, log):
            return attacked(house, folder, log, attacks, 4, 2 * PATIENCE), ""


@contextmanager
def fail2ban(house: House, folder: Path, log: Path) -> Iterator[None]:
    """Debian's fail2ban with its own nftables action."""
    settings = folder / "settings"
    for part in ("filter.d", "action.d"):
        (settings / part).mkdir(parents=True)
    for action in Path("/etc/fail2ban/action.d").glob("nftables*.conf"):
        (settings / "action.d" / action.name).write_text(action.read_text())
    (settings / "fail2ban.conf").write_text(SETTINGS.format(folder=folder))
    (settings / "jail.conf").write_text(JAIL.format(log=log))
    (settings / "filter.d" / "attack.conf").write_text(FILTER)
    process = house.start(
        "gw", "/usr/bin/fail2ban-server", "-c", str(settings), "-f", "-x", "start", stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 15
        said = folder / "fail2ban.log"
        while not said.exists() or "started" not in said.read_text().lower().partition("jail")[2]:
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError(f"fail2ban did not start: {said.read_text() if said.exists() else ''}")
            time.sleep(0.1)
        time.sleep(1)
        yield
    finally:
        process.terminate()
        process.wait(20)
        house.end([process])
