"""``rempart public-page``, as a technician types it."""

from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.errors import ExitCode

SITE = Path(__file__).parents[1] / "console" / "tilleuls.toml"


def test_a_page_for_each_published_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pages"
    asked = ["public-page", "--site", str(SITE), "--planned", "--out", str(out)]
    assert main(asked) == ExitCode.OK
    assert sorted(file.name for file in out.iterdir()) == ["gp-portal.html", "website.html"]
    assert "04 000 00 10" in (out / "website.html").read_text()
    assert "website.html" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    asked = ["public-page", "--site", str(SITE), "--planned", "--out", str(tmp_path / "file")]
    assert main(asked) == ExitCode.USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_without_a_station_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["public-page", "--site", str(SITE), "--run", str(tmp_path), "--out", str(tmp_path / "pages")]
    assert main(asked) == ExitCode.UNREACHABLE
    assert not (tmp_path / "pages").exists()
    assert capsys.readouterr().err
