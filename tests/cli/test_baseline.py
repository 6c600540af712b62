"""A machine's files before and after, from the command line."""

from pathlib import Path

import pytest

from rempart.__main__ import main


def test_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk, key = tmp_path / "disk", tmp_path / "key"
    (disk / "bin").mkdir(parents=True)
    (disk / "bin/tool").write_text("one")
    (disk / "log").write_text("a")
    make = ["baseline", "make", "ward-pc", str(disk), "--key", str(key), "--out"]
    assert main([*make, str(tmp_path / "1")]) == 0
    verifier = capsys.readouterr().out.split("'")[1]
    assert key.stat().st_mode & 0o777 == 0o600
    assert main([*make, str(tmp_path / "2")]) == 0
    compare = ["baseline", "compare", "ward-pc", str(tmp_path / "1"), "--verifier", verifier]
    capsys.readouterr()
    assert main([*compare, str(tmp_path / "2")]) == 0
    told = capsys.readouterr().out
    assert "checked: 4 paths" in told
    assert "NOT checked: 0" in told
    assert told.endswith("no trace found in what was checked\n")

    (disk / "bin/tool").write_text("two")
    (disk / "bin/new").write_text("x")
    assert main([*make, str(tmp_path / "3"), "--skip", "log"]) == 3
    capsys.readouterr()
    assert main([*compare, str(tmp_path / "3")]) == 1
    told = capsys.readouterr().out
    assert "  bin/tool (content)" in told
    assert "appeared: 1\n  bin/new" in told
    assert "  log: left out" in told
    assert "no trace" not in told

    (tmp_path / "3").write_text((tmp_path / "3").read_text().replace("bin/new", "bin/old"))
    assert main([*compare, str(tmp_path / "3")]) == 2
    assert "its lines are not those that were signed" in capsys.readouterr().err
    assert (
        main(
            ["baseline", "compare", "other", str(tmp_path / "1"), str(tmp_path / "2"), "--verifier", verifier]
        )
        == 2
    )
    assert main(["baseline", "compare", "ward-pc", "x", "y", "--verifier", "nonsense"]) == 2
    assert main([*make, str(tmp_path / "1")]) == 2  # never written over
