"""The way back by hand: the plan, its picture, proofs, partners, and what an order would do."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cli.test_orders import posture, say, station  # noqa: F401  the fixture
from rempart.__main__ import main


def plan(station: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:  # noqa: F811
    capsys.readouterr()
    assert main(["reopen", "plan", "--run", str(station), *more]) == 0
    return capsys.readouterr().out


def test_the_plan_says_where_we_are_and_what_stands_against(
    station: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    say(station, "contain")
    told = plan(station, capsys, "--svg", str(tmp_path / "plan.svg"))
    assert "→ stage 1\n    ○ Ehealth: gates 0 of 4 (vital)" in told
    assert "ehealth: gate need has not passed" in told
    assert "portal: earlier stages are still closed: ehealth" in told
    ET.fromstring((tmp_path / "plan.svg").read_text())
    lab = ["reopen", "partner", "ehealth", "unmet", "an antivirus report"]
    assert say(station, *lab) == 0
    assert say(station, "reopen", "stage", "website", "1", "--reason", "families call all day") == 0
    assert say(station, "reopen", "proof", "secrets", "domain admins", "--proof", "all reset") == 0
    told = plan(station, capsys)
    assert "the partner's condition: an antivirus report" in told
    assert "→ stage 1\n    ○ Ehealth" in told
    assert "○ Website" in told.partition("stage 2")[0]


def test_an_order_is_simulated_and_nothing_happens(
    station: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert say(station, "contain", "--simulate") == 0
    told = capsys.readouterr().out
    assert "it would seal: Contained" in told
    assert "browsing: open → closed" in told
    assert "telephone: open → filtered" in told
    assert posture(station, capsys)["posture"] == "watchful"
    say(station, "contain")
    capsys.readouterr()
    words = ["reopen", "trial", "ehealth", "--for", "24h"]
    assert say(station, *words, "--simulate") == 5
    assert "it would be refused: ehealth cannot be tried yet" in capsys.readouterr().out
    override = [*words, "--override", "--reason", "insulin", "--simulate"]
    assert say(station, *override) == 0
    told = capsys.readouterr().out
    assert "ehealth: closed → filtered until " in told
    assert ", then closed" in told
    assert "it would wait for its seal" in told
    assert posture(station, capsys)["posture"] == "contained"


def test_a_second_person_confirms_afterwards(
    station: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(station, "contain")
    assert say(station, "reopen", "trial", "ehealth", "--override", "--reason", "insulin") == 0
    assert "reopened by Alex alone; a second person confirms until" in plan(station, capsys)
    assert say(station, "reopen", "confirm-override", "ehealth") == 5
    agreed = ["reopen", "confirm-override", "ehealth", "--by", "Director", "--run", str(station)]
    assert main(agreed) == 0
    assert "alone" not in plan(station, capsys)


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "12"])
def test_a_moment_that_is_none(station: Path, moment: str) -> None:  # noqa: F811
    with pytest.raises(SystemExit):
        say(station, "reopen", "proof", "scan", "x", "--on", moment, "--proof", "y")
