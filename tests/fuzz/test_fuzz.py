"""Some seconds of fuzzing, guided by coverage; ``scripts/bench fuzz`` goes on for as long as one likes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import fuzz

from rempart.events.decode import DECODERS

pytest.importorskip("atheris")
pytestmark = pytest.mark.slow

SECONDS = 2


@pytest.mark.parametrize("target", ["joining", "framing", "rules", "matching", "windows-json"])
def test_nothing_breaks_within_some_seconds(target: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", target, "--seconds", str(SECONDS), "--keep", str(tmp_path)],
        cwd=fuzz.ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    assert "Done" in ended.stdout
    shutil.rmtree(tmp_path)


def test_what_breaks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself: a decoder that fails on a byte is found and named."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(
        "from rempart.events.decode import DECODERS\n"
        "def decode(line, source, record):\n"
        "    if b'!' in line:\n"
        "        raise KeyError('planted')\n"
        "DECODERS['sshd'] = decode\n"
    )
    assert not fuzz.fuzz("sshd", 5, tmp_path / "kept")


def test_every_decoder_is_a_target() -> None:
    assert fuzz.targets().keys() >= DECODERS.keys()
