"""Journal: milliseconds to seal, entries a second sealed and verified, milliseconds to open, beside bare SQLite; and
seconds to recall the state from facts alone, as after an erasure that took the snapshots with it.

Each size is ten times the one before, so that a cost that grows with the journal shows. Bare SQLite inserts the same
body bytes with the same settings, one transaction each, in turn with the journal on the same disk.
The facts recalled are blocks: the state holds one more after each. The user CPU time of their fold stands beside.
Run: scripts/bench journal [--json] [--sizes 100,1000,10000] [--blocks 10000,100000] [--folder DIR].
"""

import argparse
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rempart.adapters.journal import Journal, verify_file
from rempart.engine.facts import Blocked, body_of, kind_of
from rempart.engine.fold.fold import folded
from rempart.engine.state import initial
from rempart.evidence import canonical
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.station.recall import recall

ORIGIN = "rempart.example/bench"
SITE = parse((Path(__file__).parents[1] / "tests/attacks/site.toml").read_text(encoding="utf-8"), "site.toml")
BODY = {"type": "FindingJoined", "incident": "i-0123456789ab", "actors": ["203.0.113.7"], "text": "x" * 240}
"""About what a joined finding weighs."""


def body(number: int) -> dict[str, Any]:
    """One body, each a little different."""
    return {**BODY, "count": number}


def timed(work: Callable[[], object]) -> float:
    """Seconds the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def opened(folder: Path) -> Journal:
    """The journal in ``folder``."""
    return Journal.open(folder / "journal.db", folder / "keys", origin=ORIGIN, now=Instant(1))


def bare(folder: Path) -> sqlite3.Connection:
    """SQLite with the journal's settings and one table."""
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 512"):
        db.execute(f"PRAGMA {setting}")
    db.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, body BLOB)")
    return db


def measure(size: int, folder: Path) -> dict[str, float]:
    """One size, in a folder of its own."""
    journal, db = opened(folder), bare(folder)
    sealing, inserting = [], []
    for number in range(size):
        said = body(number)
        sealing.append(timed(lambda said=said: journal.seal("FindingJoined", said, at=Instant(1))))  # type: ignore[misc]
        row = (number, canonical.encode(said))
        inserting.append(timed(lambda row=row: db.execute("INSERT INTO rows VALUES (?, ?)", row)))  # type: ignore[misc]
    journal.close()
    db.close()
    bytes_each = (folder / "journal.db").stat().st_size / size
    opening = timed(lambda: opened(folder).close())
    verifying = timed(lambda: _verified(folder / "journal.db", size + 1))
    return {
        "entries": size,
        "seal_p50_ms": _at(sealing, 0.5) * 1e3,
        "seal_p99_ms": _at(sealing, 0.99) * 1e3,
        "seal_max_ms": max(sealing) * 1e3,
        "sealed_per_s": size / sum(sealing),
        "verified_per_s": size / verifying,
        "open_ms": opening * 1e3,
        "bytes_per_entry": bytes_each,
        "bare_p50_ms": _at(inserting, 0.5) * 1e3,
        "ratio_p50_to_bare": _at(sealing, 0.5) / _at(inserting, 0.5),
    }


def block(number: int) -> Blocked:
    """One of as many addresses as are asked for, blocked by a person until they are let go."""
    address = f"11.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return Blocked(
        at=Instant(number + 2), target=address, until=None, by="anne", reason="a list of addresses"
    )


def recalled(blocks: int, folder: Path) -> dict[str, float]:
    """The state recalled from so many blocks, and their fold alone."""
    journal = opened(folder)
    these = [block(number) for number in range(blocks)]
    for begin in range(0, blocks, 500):
        bunch = these[begin : begin + 500]
        journal.seal_all([(kind_of(each), body_of(each)) for each in bunch], at=bunch[-1].at)
    recalling = timed(lambda: recall(journal, SITE))
    journal.close()
    begun = os.times().user
    state = folded(initial(SITE), SITE, these)
    folding = os.times().user - begun
    if len(state.blocked) != blocks:
        raise SystemExit("the fold lost blocks")
    return {
        "blocks": blocks,
        "recall_s": recalling,
        "fold_user_s": folding,
        "fold_us_each": folding / blocks * 1e6,
    }


def _verified(path: Path, entries: int) -> None:
    verdict = verify_file(path)
    if not verdict.ok or verdict.entries != entries:
        raise SystemExit(f"the journal does not verify: {verdict.faults}")


def _at(samples: list[float], part: float) -> float:
    return sorted(samples)[min(int(len(samples) * part), len(samples) - 1)]


def _in_a_folder(
    work: Callable[[int, Path], dict[str, float]], size: int, on: Path | None
) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=on, prefix="rempart-bench.") as made:
        return work(size, Path(made))


def main() -> None:
    """Measure each size and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--blocks", default="10000,100000")
    parser.add_argument(
        "--folder", type=Path, help="on the disk to be measured (default: the temporary folder)"
    )
    arguments = parser.parse_args()
    sizes, recalls = (
        [_in_a_folder(work, int(size), arguments.folder) for size in asked.split(",") if size]
        for work, asked in ((measure, arguments.sizes), (recalled, arguments.blocks))
    )
    if arguments.json:
        print(json.dumps({"load": os.getloadavg()[0], "sizes": sizes, "recalls": recalls}, indent=1))
        return
    for result in (*sizes, *recalls):
        print("  ".join(f"{name}={value:.4g}" for name, value in result.items()))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
