"""What the inside and the lifelines feel of 200 cuts and reopenings; and the netlink message alone."""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.lab.conftest import House

from benchmarks.cut import CUT, OPEN, blocked, site
from benchmarks.gateway.station import Probes, percentile
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.netlink import Change, Member, Netlink
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.holdings import cut
from rempart.containment.render.nftables import CONTAINED_FLAG

RATE = 11_000
"""Datagrams a second of each of the two streams between wards and servers."""
LIFELINE = 1_000
WANTED = 1_000_000
"""Datagrams that must be sent inside while the site is cut and reopened."""


def measure(house: House, cycles: int, wanted: int = WANTED) -> dict[str, Any]:
    """Lost and delayed inside, and the netlink message with few and many blocked addresses."""
    with house.inside("gw"):
        kernel = Kernel(site)
        kernel.enforce(OPEN, SystemClock().now())
        quiet = under_traffic(house, kernel, 0, wanted // 8)
        busy = under_traffic(house, kernel, cycles, wanted)
        few, many = (message_alone(house, kernel, count) for count in (10, 100_000))
    house.clear()
    return {
        **busy,
        "inside_cycles": cycles,
        "inside_delay_ms_p999_quiet": quiet["inside_delay_ms_p999"],
        "inside_delay_added_ms_p999": round(
            max(0.0, busy["inside_delay_ms_p999"] - quiet["inside_delay_ms_p999"]), 3
        ),
        "netlink_ms_p99": max(few, many),
        "netlink_ms_p99_10_blocked": few,
        "netlink_ms_p99_100000_blocked": many,
    }


def under_traffic(house: House, kernel: Kernel, cycles: int, wanted: int) -> dict[str, Any]:
    """Cut and reopen so many times, until so many datagrams were sent inside."""
    with tempfile.TemporaryDirectory() as folder:
        probes = Probes(house, Path(folder))
        probes.receive("servers", "10.2.0.5:9000", "fd00:2::5:9000")
        probes.receive("out", "192.0.2.10:5060")
        probes.send("wards", RATE, "10.1.0.7", "10.2.0.5", 9000)
        probes.send("wards", RATE, "fd00:1::7", "fd00:2::5", 9000)
        probes.send("wards", LIFELINE, "10.1.0.7", "192.0.2.10", 5060)
        time.sleep(1)
        began = time.monotonic()
        for number in range(cycles):
            kernel.enforce(CUT, SystemClock().now())
            time.sleep(0.05)
            kernel.enforce(OPEN, SystemClock().now())
            time.sleep(max(0.05, began + (number + 1) * wanted / RATE / 2 / cycles - time.monotonic()))
        # A machine that is busy sends slower than asked: until enough was sent, whatever that takes.
        rest = wanted / RATE / 2 - (time.monotonic() - began)
        time.sleep(max(0.0, rest) + 2)
        sent, (inside, lifeline) = probes.finish()
    delays = [(arrived - stamp) / 1e6 for _, stamp, arrived in inside]
    return {
        "inside_sent": len(sent[0]) + len(sent[1]),
        "inside_lost": len(sent[0]) + len(sent[1]) - len(inside),
        "lifeline_sent": len(sent[2]),
        "lifeline_lost": len(sent[2]) - len(lifeline),
        "inside_delay_ms_p999": percentile(delays, 99.9),
    }


def message_alone(house: House, kernel: Kernel, count: int, times: int = 150) -> float:
    """The 99th percentile of the message that cuts, with so many blocked addresses in the table."""
    kernel.enforce(replace(OPEN, blocked=blocked(count)), SystemClock().now())
    done = cut(site, CUT, SystemClock().now())
    assert done
    marks = done.closed | {CONTAINED_FLAG}
    message = {"contained": Change(come={mark.to_bytes(4, sys.byteorder): Member() for mark in marks})}
    netlink, took = Netlink("rempart"), []
    for _ in range(times):
        began = time.perf_counter()
        netlink.change(message)
        took.append((time.perf_counter() - began) * 1000)
        house.at("gw", "nft", "flush", "set", "inet", "rempart", "contained")
        time.sleep(0.03)  # the kernel frees what that replaced, and a change would wait for it
    p99 = percentile(took, 99)
    assert p99 is not None
    return p99
