import json
from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.errors import ExitCode

NISS = ["85073003328", "17073003384", "98472899765"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rows = [f"R{n};{niss};BE68 5390 0754 7034;0475 12 34 5{n}" for n, niss in enumerate(NISS)]
    (tmp_path / "a" / "r.csv").write_text("\n".join(["Nom;NISS;IBAN;GSM", *rows]))
    (tmp_path / "b" / "lettre.txt").write_text("NISS 85.07.30-033.28, allergie connue. Tél. 04/224.71.11")
    return tmp_path


def test_persons_per_folder_and_together(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stakes", "scan", str(home), str(home / "a"), "--json", "--runs", "1000"]) == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert [(folder["persons"], folder["files"]) for folder in said["folders"]] == [(3, 1), (1, 1)]
    assert said["persons"] == 3
    assert said["kinds"] == {"national-number": 3, "bank-account": 1, "phone": 4, "health": 1}
    assert said["thief_price_eur"] == 120
    assert said["files"] == 2


def test_the_price_is_the_users_and_never_part_of_the_loss(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    losses = []
    for price in ("40", "400"):
        main(["stakes", "scan", str(home), "--json", "--runs", "1000", "--price", price])
        said = json.loads(capsys.readouterr().out)
        assert said["thief_price_eur"] == 3 * float(price)
        losses.append(said["loss"])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_no_datum_is_ever_shown(
    home: Path, option: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["stakes", "scan", str(home), "--runs", "1000", *option])
    shown = "".join(capsys.readouterr())
    digits = "".join(character for character in shown if character.isdigit() or character == "\n")
    for secret in (*NISS, "539007547034", "475123450", "42247111"):
        assert secret not in digits


def test_what_cannot_be_read_is_named_and_the_rest_is_counted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "b" / "scan\x1b[31m.pdf").write_bytes(b"%PDF-broken")
    assert main(["stakes", "scan", str(home), "--runs", "1000"]) == ExitCode.PARTIAL
    shown = capsys.readouterr().out
    assert "not read:" in shown
    assert "\x1b[31m" not in shown
    assert "3 persons x 40 EUR = 120 EUR" in shown


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert main(["stakes", "scan", str(tmp_path / "nothing")]) == ExitCode.USAGE
