"""Logs: bounds what other programs write into the run folder, which lies in memory on a box."""

import argparse
import contextlib
import logging
import os
import shutil
import sys
from pathlib import Path

from rempart.config import RUN, SITE, STATE, Places

_log = logging.getLogger("rempart.logs")

LONGEST = 64 << 20
"""Bytes of a log beyond which it is begun again."""


def written(places: Places) -> tuple[Path, ...]:
    """The logs that are not ours to write: access lines, packets and flows, and what ulogd says of itself."""
    return (places.proxy_log, places.packets_log, places.packets_diary)


def bound(log: Path, longest: int = LONGEST) -> None:
    """Keep one older part of a log that has grown too long; watch follows a file that was copied and emptied.

    When there is no room for the part it is not kept: a run folder that is full would keep the guard from its maps.
    Raises OSError when the log itself cannot be emptied.
    """
    if not log.exists() or (now := log.stat()).st_size <= longest:
        return
    part = log.with_name(f"{log.name}.1")
    try:
        part.unlink(missing_ok=True)
        shutil.copy2(log, part)
        os.chown(part, now.st_uid, now.st_gid)
    except OSError as fault:
        _log.error("%s: its older part could not be kept: %s", log, fault.strerror)
        with contextlib.suppress(OSError):  # half a part is worth its room to nobody
            part.unlink()
    os.truncate(log, 0)


def main() -> int:
    """``python -m rempart.station.logs``: started by a timer of systemd every minute; `rempart run` looks itself."""
    parser = argparse.ArgumentParser(prog="rempart logs", description=__doc__)
    parser.add_argument("--run", type=Path, default=RUN)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="logs: %(message)s", stream=sys.stderr)
    for log in written(Places(site=SITE, state=STATE, run=arguments.run, rules=())):
        bound(log)
    return 0


if __name__ == "__main__":
    sys.exit(main())
