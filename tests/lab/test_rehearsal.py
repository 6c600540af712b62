"""A rehearsed cut undoes itself although every process of Rempart is dead."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.conftest import House
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement

pytestmark = [pytest.mark.lab, pytest.mark.timed]

LENGTH = 3.0
"""Seconds that this rehearsal lasts."""

BEGIN = """
import os, signal, sys, time
from rempart.adapters.enforce.nftables import Kernel
from rempart.engine.facts import RehearsalBegun
from rempart.engine.fold.fold import fold
from rempart.engine.state import enforcement, initial
from rempart.instants import Instant, after, seconds
from rempart.site.description import parse

site = parse(open(sys.argv[1]).read(), "lab")
now = Instant(time.time_ns() // 1000)
begun = RehearsalBegun(at=now, until=after(now, seconds(float(sys.argv[2]))), by="Alex", reason="")
Kernel(site).enforce(enforcement(fold(initial(site), site, begun)), now)
print("cut", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_cut_undoes_itself_with_every_process_dead(
    house: House, kernel: Kernel, all_open: Enforcement, present, site_text: str, tmp_path: Path
) -> None:
    kernel.enforce(all_open, present())
    description = tmp_path / "site.toml"
    description.write_text(site_text)
    with (
        house.listen("out", "192.0.2.20", 443),
        house.listen("out", "192.0.2.66", 80),
        house.listen("servers", "10.2.0.5", 9000),
    ):
        assert house.answer("wards", "192.0.2.20", 443) == "yes"
        guard = house.start(
            "gw",
            sys.executable,
            "-c",
            BEGIN,
            str(description),
            str(LENGTH),
            stdout=subprocess.PIPE,
        )
        assert guard.stdout
        assert guard.stdout.readline() == "cut\n"
        until = time.monotonic() + LENGTH
        assert guard.wait(30) == -9
        for address, port in (("192.0.2.20", 443), ("192.0.2.66", 80)):
            assert house.answer("wards", address, port) == "refused"
        assert house.answer("wards", "10.2.0.5", 9000) == "yes"
        assert time.monotonic() < until, "the machine is too slow for this test to say anything"
        time.sleep(max(0.0, until - time.monotonic()) + 0.2)
        for address, port in (("192.0.2.20", 443), ("192.0.2.66", 80)):
            assert house.answer("wards", address, port) == "yes"
    held = kernel.read(present())
    assert held.stands == all_open.stands
