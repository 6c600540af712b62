"""The whole story with a seed of its own, and what an interruption leaves."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo.report import Report
from demo.world import traces

pytestmark = [pytest.mark.lab, pytest.mark.slow]

_TOP = Path(__file__).parent.parent.parent
_DEMO = [sys.executable, "-B", "-m", "demo", "--headless"]


@pytest.mark.timed
def test_it_happens_from_beginning_to_end(tmp_path: Path) -> None:
    report = tmp_path / "demo.json"
    done = subprocess.run(
        [*_DEMO, "--report", str(report), "--seed", "11"],
        cwd=_TOP,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    said = json.loads(report.read_text())
    # How fast the streams run is this machine's affair: a busy one makes the demo itself say that it was too slow.
    wrong = [each for each in Report(**said).shortfalls() if not each.startswith("slowest_stream")]
    assert wrong == [], done.stderr
    assert said["seed"] == 11
    assert said["reopened"][0] == "ehealth-platform"
    assert Path(said["complaint_pdf"]).read_bytes().startswith(b"%PDF-")
    assert (Path(said["evidence_bag"]) / "bagit.txt").exists()


@pytest.mark.parametrize(
    ("number", "when"), [(signal.SIGINT, "scans"), (signal.SIGTERM, "started on the gateway")]
)
def test_an_interruption_leaves_nothing(number: signal.Signals, when: str) -> None:
    demo = subprocess.Popen([*_DEMO, "--seed", "12"], cwd=_TOP, stderr=subprocess.PIPE, text=True)
    assert demo.stderr is not None
    for line in demo.stderr:
        if when in line:
            break
    prefix = f"rempart-demo.{demo.pid}."
    assert traces(prefix).namespaces
    time.sleep(1)
    demo.send_signal(number)
    time.sleep(0.3)
    demo.send_signal(signal.SIGINT)  # impatience changes nothing
    assert demo.wait(120) == 130, demo.stderr.read()
    demo.stderr.close()
    left = traces(prefix)
    assert not left.namespaces
    assert not left.files
