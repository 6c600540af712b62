"""Whether `rempart run` runs on a folder: known by a lock that a killed process cannot leave behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rempart.errors import InputRefused
from rempart.station.running import alone, process

pytestmark = pytest.mark.edge

HOLDS = """
import sys, time
from pathlib import Path
from rempart.station.running import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_it_is_known_while_it_runs_and_not_after(tmp_path: Path) -> None:
    assert process(tmp_path) is None
    with alone(tmp_path):
        assert process(tmp_path) == os.getpid()
    assert process(tmp_path) is None
    with alone(tmp_path):
        assert process(tmp_path) == os.getpid()


def test_no_second_one_runs_on_the_same_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(InputRefused, match="already"), alone(tmp_path):
        raise AssertionError("two run")


def test_a_killed_one_leaves_nothing_that_looks_like_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert process(tmp_path) == other.pid
        other.kill()
        other.wait()
        assert process(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"-1", b"7 and more", b"\xff"])
def test_what_is_no_process_is_none(tmp_path: Path, content: bytes) -> None:
    with alone(tmp_path):
        (tmp_path / "station.pid").write_bytes(content)
        assert process(tmp_path) is None
