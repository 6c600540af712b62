"""``rempart deploy``, as certbot starts it."""

from pathlib import Path

import pytest

from lab.signer import Signer
from rempart.__main__ import main
from rempart.errors import ExitCode

WEBSITE = "www.tilleuls.example"


def test_the_first_one_and_its_renewal(
    described: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signer, live = Signer("Lab"), described.with_name("live")
    monkeypatch.setenv("RENEWED_LINEAGE", str(signer.write_lineage(live, WEBSITE)))
    assert main(["deploy", "--site", str(described)]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "takes it up" in said
    assert "restart" not in said
    signer.write_lineage(live, WEBSITE)
    assert main(["deploy", "--site", str(described)]) == ExitCode.OK
    assert "www.pem.previous" in capsys.readouterr().out
    assert main(["deploy", str(live), "--site", str(described)]) == ExitCode.OK
    assert capsys.readouterr().out.count("\n") == 1
    assert main(["expiry", "--site", str(described)]) == ExitCode.OK


def test_what_is_for_nobody_is_refused(
    described: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = Signer("Lab").write_lineage(described.with_name("live"), "www.elsewhere.example")
    assert main(["deploy", str(live), "--site", str(described)]) == ExitCode.USAGE
    assert "www.elsewhere.example" in capsys.readouterr().err
    monkeypatch.delenv("RENEWED_LINEAGE", raising=False)
    assert main(["deploy", "--site", str(described)]) == ExitCode.USAGE
    assert "no folder is named" in capsys.readouterr().err
    assert not described.with_name("www.pem").exists()
