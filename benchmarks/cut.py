"""Cut: milliseconds from the order to the last outward packet that passed, connections established, both ends sending.

With 10 and with 100,000 blocked addresses, against the nft program doing the same change in the same run. In network
namespaces, as root. Run: scripts/bench cut [--json] [--cycles N].
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from statistics import median

from tests.lab.conftest import SITE, House, Traffic

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, Stand
from rempart.site.description import parse
from rempart.site.opening import OpeningState

RATE = 4000
"""Records a second that each end of each flow sends: the resolution is a quarter of a millisecond."""
PAUSE = 0.08
FLOWS = (
    ("wards", "out", "udp", "192.0.2.66", 443, ""),
    ("wards", "out", "udp", "2001:db8:f::66", 443, ""),
)
"""Datagrams only: what TCP could not deliver while cut it delivers after reopening, stamps and all."""
site = parse(SITE, "benchmark")
OPEN = Enforcement(stands={opening.id: Stand(state=OpeningState.OPEN) for opening in site.openings})
CUT = Enforcement(
    stands={
        opening.id: Stand(state=OpeningState.FILTERED if opening.lifeline else OpeningState.CLOSED)
        for opening in site.openings
    },
    contained=True,
)
Cycle = tuple[int, int, int]
"""Nanoseconds: when the order was given, when it was answered, when reopening began."""


def blocked(count: int) -> dict[str, None]:
    """So many addresses in 100.64.0.0/10, which nobody here uses."""
    first = int(IPv4Address("100.64.0.0"))
    return {str(IPv4Address(first + number)): None for number in range(count)}


def through_us(kernel: Kernel, wanted: Enforcement) -> Callable[[], None]:
    """The guard's own way."""
    return lambda: kernel.enforce(wanted, SystemClock().now())


def through_nft() -> Callable[[], None]:
    """The nft program, given nothing but the cut itself."""
    marks = ", ".join(str(opening.mark) for opening in site.openings if not opening.lifeline)
    text = f"add element inet rempart contained {{ {marks} }}\n"
    return lambda: _nft(text)


def _nft(text: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def cycles(
    house: House, kernel: Kernel, wide_open: Enforcement, cut: Callable[[], None], count: int
) -> dict[str, float]:
    """Cut and reopen so many times under traffic."""
    kernel.enforce(wide_open, SystemClock().now())
    traffic = Traffic(house, rate=RATE)
    for flow in FLOWS:
        traffic.flow(*flow)
    traffic.begin()
    time.sleep(0.5)
    done: list[Cycle] = []
    for _ in range(count):
        called = time.monotonic_ns()
        cut()
        answered = time.monotonic_ns()
        time.sleep(PAUSE)
        reopened = time.monotonic_ns()
        kernel.enforce(wide_open, SystemClock().now())
        done.append((called, answered, reopened))
        time.sleep(PAUSE * 2)
    arrived = sorted(
        stamp
        for ends in traffic.finish().values()
        for seen in ends.values()
        for end in seen
        for _, stamp in end["arrived"]
    )
    house.end(traffic.processes())
    return _figures(done, arrived)


def _figures(done: list[Cycle], arrived: list[int]) -> dict[str, float]:
    last, after = [], 0
    for called, answered, reopened in done:
        passed = [stamp for stamp in arrived if called < stamp < reopened]
        last.append(((passed or [called])[-1] - called) / 1e6)
        after += sum(stamp > answered for stamp in passed)
    answers = [(answered - called) / 1e6 for called, answered, _ in done]
    return {
        "cut_ms_p50": round(median(last), 3),
        "cut_ms_max": round(max(last), 3),
        "answered_ms_p50": round(median(answers), 3),
        "answered_ms_max": round(max(answers), 3),
        "sent_after_the_answer_and_passed": after,
        "records_arrived": len(arrived),
    }


def measured(count: int) -> dict[str, dict[str, float]]:
    """Both ways, with few and with many blocked addresses."""
    house = House(f"cut-{os.getpid()}-")
    figures = {}
    try:
        house.build()
        with house.inside("gw"):
            kernel = Kernel(site)
            for many in (10, 100_000):
                wide_open = replace(OPEN, blocked=blocked(many))
                cut = through_us(kernel, replace(CUT, blocked=wide_open.blocked))
                figures[f"rempart, {many} blocked"] = cycles(house, kernel, wide_open, cut, count)
                figures[f"nft program, {many} blocked"] = cycles(
                    house, kernel, wide_open, through_nft(), count
                )
    finally:
        house.destroy()
    for many in (10, 100_000):
        ours, theirs = figures[f"rempart, {many} blocked"], figures[f"nft program, {many} blocked"]
        ours["times_faster_than_nft_p50"] = round(
            theirs["cut_ms_p50"] / max(ours["cut_ms_p50"], 1000 / RATE / 4), 1
        )
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cycles", type=int, default=30)
    arguments = parser.parse_args()
    figures = measured(arguments.cycles)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, values in figures.items():
        print(name)
        for key, value in values.items():
            print(f"  {key:36} {value}")


if __name__ == "__main__":
    main()
