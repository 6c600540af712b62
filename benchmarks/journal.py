"""Journal: milliseconds to seal, entries a second sealed and verified, milliseconds to open, beside bare SQLite.

Each size is ten times the one before, so that a cost that grows with the journal shows. Bare SQLite inserts the same
body bytes with the same settings, one transaction each, in turn with the journal on the same disk.
Run: scripts/bench journal [--json] [--sizes 100,1000,10000] [--folder DIR].
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
from rempart.evidence import canonical
from rempart.instants import Instant

ORIGIN = "rempart.example/bench"
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


def _verified(path: Path, entries: int) -> None:
    verdict = verify_file(path)
    if not verdict.ok or verdict.entries != entries:
        raise SystemExit(f"the journal does not verify: {verdict.faults}")


def _at(samples: list[float], part: float) -> float:
    return sorted(samples)[min(int(len(samples) * part), len(samples) - 1)]


def main() -> None:
    """Measure each size and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument(
        "--folder", type=Path, help="on the disk to be measured (default: the temporary folder)"
    )
    arguments = parser.parse_args()
    results = []
    for size in map(int, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="rempart-bench.") as made:
            results.append(measure(size, Path(made)))
    if arguments.json:
        print(json.dumps({"load": os.getloadavg()[0], "sizes": results}, indent=1))
        return
    for result in results:
        print("  ".join(f"{name}={value:.4g}" for name, value in result.items()))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
