"""``rempart site``, as a technician types it."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.__main__ import main
from rempart.config import SITE
from rempart.errors import ExitCode
from rempart.site.template import NAMES


@pytest.mark.parametrize("template", NAMES)
@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_what_new_writes_check_accepts_and_says_what_is_blank(
    template: str, language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "site.toml"
    asked = ["site", "new", "--template", template, "--name", "Les Tilleuls", "--language", language]
    assert main([*asked, "--out", str(out)]) == ExitCode.OK
    capsys.readouterr()
    assert main(["site", "check", str(out)]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "Still to be filled in" in told
    assert "Refused" not in told
    assert "It can be used." in told


def test_new_writes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", "new", "--template", "medical-house", "--name", "Maison du Parc"]) == ExitCode.OK
    assert 'id = "maison-du-parc"' in capsys.readouterr().out


def test_new_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "site.toml"
    out.write_text("mine")
    asked = ["site", "new", "--template", "medical-house", "--name", "X", "--out", str(out)]
    assert main(asked) == ExitCode.USAGE
    assert "there already" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_name_cannot_write_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    name = 'X"\n[[safeguards]]\nid = "\x1b[2Jall'
    assert main(["site", "new", "--template", "medical-house", "--name", name]) == ExitCode.USAGE
    caught = capsys.readouterr()
    assert caught.out == ""
    assert "\x1b" not in caught.err


def test_check_lists_every_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    file = tmp_path / "site.toml"
    file.write_text('id = "Les Tilleuls"\nphone = 4\nnmae = "x"\n[uplink]\ninterface = "eth0; drop"\n')
    assert main(["site", "check", str(file)]) == ExitCode.USAGE
    assert capsys.readouterr().err.replace(str(tmp_path), "") == snapshot


def test_check_refuses_a_fallback_that_a_cut_would_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "site.toml"
    main(["site", "new", "--template", "medical-house", "--name", "X", "--out", str(out)])
    text = out.read_text().replace('depends_on = ["telephone"]', 'depends_on = ["mail-out"]', 1)
    out.write_text(text)
    assert main(["site", "check", str(out)]) == ExitCode.FOUND
    assert "depends on 'mail-out', which a cut closes as well" in capsys.readouterr().out


def test_check_without_a_file_reads_the_box_own(capsys: pytest.CaptureFixture[str]) -> None:
    """As the paper for replacing a box and many a message say it."""
    assert Path("/etc/rempart/site.toml") == SITE
    if not SITE.exists():
        assert main(["site", "check"]) == ExitCode.USAGE
        assert str(SITE) in capsys.readouterr().err


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b"\xff", "not UTF-8 at byte 0")])
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "nowhere.toml"
    if content is not None:
        file.write_bytes(content)
    assert main(["site", "check", str(file)]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "nowhere.toml" in told
    assert said in told
