"""Load: seconds of processor time to load a whole table with many blocked addresses, as at a start, part by part.

User and system time of this process, which a busy machine stretches far less than the clock. Each block ends at another
time. In a network namespace of its own, as root. Run: scripts/bench load [--json] [--blocks 10000,100000].
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from ipaddress import IPv4Address

from nftables import Nftables
from tests.lab.conftest import SITE, House

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.holdings import holdings
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.nftables import holding
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.site.opening import OpeningState

site = parse(SITE, "benchmark")
HOUR = 3_600_000_000


def wanted(count: int, now: Instant) -> Enforcement:
    """Every opening open, and so many addresses of 100.64.0.0/10 blocked for an hour and more."""
    first = int(IPv4Address("100.64.0.0"))
    return Enforcement(
        stands={opening.id: Stand(state=OpeningState.OPEN) for opening in site.openings},
        blocked={
            str(IPv4Address(first + number)): Instant(now + HOUR + number * 1_000) for number in range(count)
        },
    )


def spent(work: Callable[[], object]) -> dict[str, float]:
    """Seconds that the work takes: of the processor for us, for the kernel, and by the clock."""
    before, begun = os.times(), time.monotonic()
    work()
    after, ended = os.times(), time.monotonic()
    return {
        "user_s": round(after.user - before.user, 2),
        "system_s": round(after.system - before.system, 2),
        "clock_s": round(ended - begun, 2),
    }


def parts(count: int) -> dict[str, dict[str, float]]:
    """Each part by itself, then a start: a whole load, and the same wanted again by one that must look first."""
    now, nft = SystemClock().now(), Nftables()
    asked = wanted(count, now)
    found = {"holdings, addresses read for the first time": spent(lambda: holdings(site, asked, now))}
    held = holdings(site, asked, now)
    found["holdings"] = spent(lambda: holdings(site, asked, now))
    found["text"] = spent(lambda: holding(site, held, now))
    text = holding(site, held, now)
    found["libnftables and the kernel"] = spent(lambda: nft.cmd(text))
    nft.cmd("delete table inet rempart")
    loading, looking = Kernel(site), Kernel(site)
    found["a start: the table loaded whole"] = spent(lambda: loading.enforce(asked, SystemClock().now()))
    found["the same again"] = spent(lambda: loading.enforce(asked, SystemClock().now()))
    found["read back and compared"] = spent(lambda: looking.enforce(asked, SystemClock().now()))
    nft.cmd("delete table inet rempart")
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--blocks", default="10000,100000")
    arguments = parser.parse_args()
    house = House(f"load-{os.getpid()}-")
    try:
        house.build()
        with house.inside("gw"):
            figures = {count: parts(int(count)) for count in arguments.blocks.split(",")}
    finally:
        house.destroy()
    if arguments.json:
        print(json.dumps({"load": os.getloadavg()[0], "blocks": figures}, indent=1))
        return
    for count, found in figures.items():
        print(f"{count} blocks")
        for part, values in found.items():
            print(f"  {part:46}", "  ".join(f"{name}={value}" for name, value in values.items()))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
