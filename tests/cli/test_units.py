"""The units that a site needs follow from its description."""

from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.errors import ExitCode

NIGHTLY = Path(__file__).parents[2] / "nightly" / "box" / "site.toml"
_GATE, _PROBER = "rempart-gate.service", "rempart-prober.service"


def test_a_box_enables_what_its_site_describes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["units", "--site", str(NIGHTLY)]) == ExitCode.OK
    every = capsys.readouterr().out.split()
    assert every[0] == "rempart-boot.service"
    assert {"rempart-guard.service", _GATE, _PROBER, "rempart-logs.timer"} <= set(every)
    less = tmp_path / "site.toml"
    less.write_text(NIGHTLY.read_text().partition('[[openings]]\nid = "names"')[0])
    assert main(["units", "--site", str(less)]) == ExitCode.OK
    some = capsys.readouterr().out.split()
    assert not {_GATE, _PROBER} & set(some)
    assert set(some) < set(every)


def test_the_keys_are_fetched_where_people_sign_in_with_the_account_of_the_house(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "client-secret"
    secret.touch()
    signing = tmp_path / "site.toml"
    signing.write_text(
        f'{NIGHTLY.read_text()}\n[sign_on]\nissuer = "https://login.example"\nclient = "rempart"\n'
        f'secret_file = "{secret}"\n'
    )
    assert main(["units", "--site", str(NIGHTLY)]) == ExitCode.OK
    assert "rempart-provider.timer" not in capsys.readouterr().out.split()
    assert main(["units", "--site", str(signing)]) == ExitCode.OK
    assert "rempart-provider.timer" in capsys.readouterr().out.split()


def test_an_observer_enables_nothing_that_stops_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = tmp_path / "site.toml"
    beside.write_text('placement = "observer"\n' + NIGHTLY.read_text())
    assert main(["units", "--site", str(beside)]) == ExitCode.OK
    some = capsys.readouterr().out.split()
    assert {"rempart-guard.service", "rempart-watch.service", "rempart-console.service", _PROBER} <= set(some)
    for part in ("proxy", "filter", "packets", "gate", "resolver", "unbound"):
        assert f"rempart-{part}.service" not in some
