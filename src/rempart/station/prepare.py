"""Prepare: writes what the packet log and the recursor read when they start, and makes the kernel count flows.

The guard writes what changes with its decisions. This does not change while site.toml does not, and needs root once.
"""

import argparse
import logging
import sys
from pathlib import Path

from rempart.adapters.site_file import read_site
from rempart.config import RUN, SITE, Places
from rempart.containment.render import ulogd, unbound
from rempart.errors import InputRefused, PrivilegeMissing, RempartError
from rempart.site.site import Site

_log = logging.getLogger("rempart.prepare")


def prepare(places: Places, site: Site) -> None:
    """Write both configurations and set the kernel; for an observer nothing.

    Raises PrivilegeMissing, InputRefused, OSError.
    """
    if not site.enforces:
        return
    places.packets_config.write_text(ulogd.config(places, plugins=_plugins()), encoding="ascii")
    places.unbound_config.write_text(unbound.config(site), encoding="ascii")
    for name, value in ulogd.SYSCTLS.items():
        _set_kernel(name, value)


def _set_kernel(name: str, value: str) -> None:
    """Set a sysctl of our network namespace."""
    path = Path("/proc/sys", *name.split("."))
    try:
        if path.read_text(encoding="ascii").strip() != value:
            path.write_text(value, encoding="ascii")
    except OSError as fault:
        raise PrivilegeMissing(
            f"{name} cannot be set to {value}: {fault.strerror}",
            now="Start as root, or within a network namespace of your own.",
        ) from fault


def _plugins() -> str:
    """Where Debian puts ulogd's plugins on this architecture."""
    found = sorted(Path("/usr/lib").glob("*/ulogd/ulogd_output_JSON.so"))
    if not found:
        raise PrivilegeMissing("ulogd cannot write JSON", now="As root: apt-get install ulogd2 ulogd2-json")
    return str(found[0].parent)


def main() -> int:
    """``python -m rempart.station.prepare``: started by systemd before the programs that read what it writes."""
    parser = argparse.ArgumentParser(prog="rempart prepare", description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--run", type=Path, default=RUN)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="prepare: %(message)s", stream=sys.stderr)
    places = Places(site=arguments.site, state=Path("/var/lib/rempart"), run=arguments.run, rules=())
    try:
        prepare(places, read_site(places.site))
    except OSError as fault:
        refused = InputRefused(f"it cannot be written: {fault}", where=str(places.run))
        _log.error("%s", refused.diagnostics())
        return int(refused.exit_code)
    except RempartError as fault:
        _log.error("%s", fault.diagnostics())
        return int(fault.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
