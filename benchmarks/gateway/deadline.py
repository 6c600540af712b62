"""Deadlines with every process dead: by how much a trial, or a change that nobody confirmed, misses its instant.

Each time a process of its own gives the kernel the deadline and is killed (SIGKILL) before it comes.
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.lab.conftest import House

from benchmarks.cut import OPEN, site
from benchmarks.gateway.station import Probes
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, Stand
from rempart.instants import Instant, after, seconds
from rempart.site.opening import OpeningState

RATE = 4_000
AHEAD = seconds(0.4)
NAME = "browsing"


def ended_trial(until: Instant) -> Enforcement:
    """Open until then, and closed from then on."""
    stand = Stand(state=OpeningState.OPEN, until=until, then=OpeningState.CLOSED)
    return replace(OPEN, stands={**OPEN.stands, NAME: stand})


def rolled_back(until: Instant) -> Enforcement:
    """Closed until then, and open again from then on."""
    stand = Stand(state=OpeningState.CLOSED, until=until, then=OpeningState.OPEN)
    return replace(OPEN, stands={**OPEN.stands, NAME: stand})


def measure(house: House, times: int) -> dict[str, Any]:
    """The largest error of so many deadlines, half of them trials, half of them falling back to open."""
    with house.inside("gw"):
        trials = [_error(house, ended_trial, ends=True) for _ in range(times // 2)]
        rollbacks = [_error(house, rolled_back, ends=False) for _ in range(times - times // 2)]
    house.clear()
    errors = [*trials, *rollbacks]
    return {
        "deadline_error_ms_max": round(max(map(abs, errors)), 3),
        "deadline_early_ms_max": round(max(0.0, -min(errors)), 3),
        "deadline_late_ms_max": round(max(0.0, *errors), 3),
        "deadline_times": len(errors),
    }


def _error(house: House, wanted: Callable[[Instant], Enforcement], *, ends: bool) -> float:
    """Milliseconds by which the last packet (or the first again) misses the deadline."""
    with tempfile.TemporaryDirectory() as folder:
        probes = Probes(house, Path(folder))
        probes.receive("out", "192.0.2.66:443")
        probes.send("wards", RATE, "10.1.0.7", "192.0.2.66", 443)
        time.sleep(0.15)
        until = after(SystemClock().now(), AHEAD)
        _done_and_dead(wanted(until))
        time.sleep((until - SystemClock().now()) / 1e6 + 0.12)
        (sent,), (seen,) = probes.finish()
    return _missed_by(sent, {stamp for _, stamp, _ in seen}, until * 1000, ends=ends) / 1e6


def _missed_by(sent: Iterable[int], arrived: set[int], until: int, *, ends: bool) -> int:
    """Nanoseconds from the deadline to the change, which lies between a packet that passed and one that did not.

    0 when the deadline lies between them too: on a busy machine the sender has gaps, and nothing more is known.
    """
    near = [stamp for stamp in sorted(sent) if abs(stamp - until) < 100_000_000]
    turned = [
        before
        for before, after in pairwise(near)
        if (before in arrived, after in arrived) == (ends, not ends)
    ]
    if not turned:
        raise RuntimeError("nothing changed around the deadline")
    before = turned[-1] if ends else turned[0]
    after = near[near.index(before) + 1]
    return before - until if before > until else min(0, after - until)


def _done_and_dead(wanted: Enforcement) -> None:
    """Let a process of its own enforce it and be killed."""
    child = os.fork()
    if child == 0:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -15)  # as the guard's
            Kernel(site).enforce(wanted, SystemClock().now())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError("it was not killed")
