"""Boot: loads the last sealed decisions into the kernel, before the network is up and before anything of ours runs.

The journal is what is loaded: it is the one truth about decisions, it is on the disk before anything is loosened, and
the power cannot have cut it in half. Each thing that cannot be told makes it tighter:

    journal and time     what was decided, deadlines recomputed; what has ended meanwhile has ended
    no trusted time      trials are over, everything else stands
    journal broken       the cut: openings closed, lifelines filtered
    site.toml broken     nothing crosses the gateway
    it cannot be loaded  the cut; where that cannot be loaded either, nothing crosses the gateway

It changes nothing on the disk. The guard, once it runs, brings the kernel to what it folds itself.
"""

import argparse
import logging
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic

from nftables import Nftables

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.nftables import Kernel
from rempart.adapters.journal import Journal
from rempart.adapters.site_file import read_site
from rempart.config import SITE, STATE, Places
from rempart.containment.boot import NOTHING_PASSES, restored, shut
from rempart.containment.measure import Enforcement
from rempart.engine.state import enforcement, initial
from rempart.errors import EnforcementFailed, ExitCode, RempartError
from rempart.instants import Instant, after, seconds
from rempart.site.site import Site
from rempart.station.recall import recall

_log = logging.getLogger("rempart.boot")

CLOCKS = Path("/sys/class/rtc")


def load(places: Places, now: Instant, *, trusted: bool) -> ExitCode:
    """Load what must stand into this network namespace's kernel; how well it was known. Raises EnforcementFailed."""
    try:
        site = read_site(places.site)
    except RempartError as fault:
        _log.error("%s cannot be read, nothing crosses the gateway: %s", places.site, fault)
        _nothing_passes()
        return ExitCode.USAGE
    if not site.enforces:
        _log.info("the station only watches: nothing is loaded")
        return ExitCode.OK
    begun = monotonic()
    wanted, code = _wanted(places, site, now, trusted=trusted)
    # Thousands of decisions take seconds to read, and the kernel counts deadlines from when it is told.
    now = after(now, seconds(monotonic() - begun))
    if _loaded(site, wanted, now, "what was decided cannot be loaded, the site is cut"):
        return code
    if not _loaded(site, shut(site), now, "the cut cannot be loaded, nothing crosses the gateway"):
        _nothing_passes()
    return ExitCode.FOUND


def _loaded(site: Site, wanted: Enforcement, now: Instant, otherwise: str) -> bool:
    try:
        Kernel(site).enforce(wanted, now)
    except RempartError as fault:
        _log.error("%s: %s", otherwise, fault.diagnostics())
        return False
    return True


def _wanted(places: Places, site: Site, now: Instant, *, trusted: bool) -> tuple[Enforcement, ExitCode]:
    if not places.journal.exists():
        _log.info("nothing was decided yet: every opening as it normally is")
        return enforcement(initial(site)), ExitCode.OK
    try:
        with closing(Journal.read(places.journal)) as journal:
            last = max((entry.at for entry in journal.entries(max(0, journal.head[0] - 1))), default=now)
            decided = enforcement(recall(journal, site))
    except RempartError as fault:
        _log.error("the journal does not tell what was decided, the site is cut: %s", fault.diagnostics())
        return shut(site), ExitCode.FOUND
    if trusted and now >= last:
        return restored(decided, now), ExitCode.OK
    _log.warning("the time cannot be trusted: trials are over, everything else stands until the guard runs")
    return restored(decided, None), ExitCode.OK


def _nothing_passes() -> None:
    code, _, complaint = Nftables().cmd(NOTHING_PASSES)
    if code:
        raise EnforcementFailed(
            f"the kernel refused to close: {' '.join(complaint.split())[:400]}",
            where="nftables",
            now="Run as root or with CAP_NET_ADMIN. Until then unplug the uplink.",
        )


def has_clock(clocks: Path = CLOCKS) -> bool:
    """Whether the kernel took the time from a clock that runs while the power is off."""
    return any(
        path.read_text(encoding="ascii", errors="replace").strip() == "1" for path in clocks.glob("*/hctosys")
    )


def main() -> int:
    """``python -m rempart.station.boot``: started by systemd before the network, or by hand to try it."""
    parser = argparse.ArgumentParser(prog="rempart boot", description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--state", type=Path, default=STATE)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="boot: %(message)s", stream=sys.stderr)
    places = Places(site=arguments.site, state=arguments.state, run=Path("/run/rempart"), rules=())
    try:
        return int(load(places, SystemClock().now(), trusted=has_clock()))
    except RempartError as fault:
        _log.error("%s", fault.diagnostics())
        return int(fault.exit_code)


if __name__ == "__main__":
    sys.exit(main())
