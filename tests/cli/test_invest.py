import csv
import io
import json

import pytest

from rempart.__main__ import main
from rempart.errors import ExitCode

OFFER = ("invest", "loan", "--principal", "60000", "--rate", "3.5", "--months", "60")


def test_the_instalments_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(OFFER) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "each month from month 1: 1 091.50 EUR" in shown
    assert "interest in all: 5 490.28 EUR" in shown
    assert "EXAMPLE" not in shown


@pytest.mark.parametrize("rate", ["3.5", "3.5%", "3,5 %"])
def test_json_and_csv_say_the_same(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    offer = ("invest", "loan", "--principal", "60 000", "--rate", rate, "--months", "60", "--grace", "12")
    main([*offer, "--format", "json"])
    whole = json.loads(capsys.readouterr().out)
    assert whole["instalment_during_grace"] == "175.00"
    assert whole["first_instalment"] == "1341.36"
    main([*offer, "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [{**row, "month": int(row["month"])} for row in rows] == whole["rows"]


def test_what_was_not_entered_is_called_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    main(["invest", "loan", "--principal", "25000"])
    assert "EXAMPLE: rate, months not entered" in capsys.readouterr().out
    main(["invest", "loan", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["example"] == ["principal", "rate", "months"]


@pytest.mark.parametrize("rate", ["0.035", "x"])
def test_a_rate_that_could_mean_two_things_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["invest", "loan", "--rate", rate])
    assert ended.value.code == ExitCode.USAGE


def test_a_loan_that_cannot_be_is_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*OFFER, "--grace", "60"]) == ExitCode.USAGE
    assert "grace: no months left to repay" in capsys.readouterr().err
