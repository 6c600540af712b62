"""What every verb shares: how it ends."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_reader_that_goes_away_never_makes_a_success() -> None:
    """``rempart verify bad.db | head -1`` must not answer 0."""
    asked = ["rules", "check", str(ROOT / "rules")]
    process = subprocess.Popen(
        [sys.executable, "-m", "rempart", *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141
    assert said == b""


def test_an_unknown_verb_is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rempart", "hope"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "invalid choice" in done.stderr
