"""The downtime pack is looked at from outside: its age and its hash."""

import hashlib
import os
from pathlib import Path

from rempart.adapters.pack import look


def test_age_and_hash(tmp_path: Path) -> None:
    pack = tmp_path / "pack.pdf"
    pack.write_bytes(b"x" * 3_000_000)
    os.utime(pack, ns=(0, 1_700_000_000_000_000_000))
    assert look(pack) == (hashlib.sha256(b"x" * 3_000_000).hexdigest(), 1_700_000_000_000_000)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert look(tmp_path / "none") == ("", 0)
    assert look(Path(__file__) / "below-a-file") == ("", 0)
