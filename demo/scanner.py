"""An unrelated scanner, such as sweeps the whole internet every day. It has nothing to do with the attack.

Usage: python -m demo.scanner SEED NOTES
"""

import sys
import time
from pathlib import Path

from demo.addresses import plan
from demo.attacker import Notes, knock
from demo.request import ask

_PATHS = ("/", "/robots.txt", "/favicon.ico", "/.well-known/security.txt", "/login", "/manager/html")


def sweep(seed: int, notes: Notes) -> None:
    """Knock at the hospital's address, then read the front page of what answers."""
    day = plan(seed)
    source = day.address("scanner")
    found = knock(source, day.uplink, day.scanner_ports, 0.03, lambda: notes.note("first packet"))
    for path in _PATHS:
        ask((day.uplink, 80), path, host=day.uplink, agent="Mozilla/5.0 zgrab/0.x", source=source)
        time.sleep(0.05)
    notes.note("swept", open=found)


if __name__ == "__main__":
    sweep(int(sys.argv[1]), Notes(Path(sys.argv[2])))
