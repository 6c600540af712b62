"""The report says what is wrong, and every key of it is explained."""

import json
from dataclasses import fields
from pathlib import Path

from demo.report import Report


def test_every_key_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "demo.md").read_text()
    assert [field.name for field in fields(Report) if f"`{field.name}`" not in page] == []


def test_a_report_without_measurements_is_not_a_good_one() -> None:
    assert len(list(Report(seed=1, root=True).shortfalls())) > 20


def test_a_wrong_number_of_persons_is_said() -> None:
    report = Report(seed=1, root=True, persons_touched=3, persons_truth=4)
    assert "3 persons touched are told, 4 were" in list(report.shortfalls())


def test_a_machine_that_is_too_busy_is_blamed_and_not_the_station() -> None:
    [said] = [
        each
        for each in Report(seed=1, root=True, slowest_stream_per_second=967.6).shortfalls()
        if each.startswith("slowest_stream")
    ]
    assert "this machine was too busy" in said


def test_it_is_written_whole(tmp_path: Path) -> None:
    Report(seed=7, root=False).write(tmp_path / "demo.json")
    assert json.loads((tmp_path / "demo.json").read_text())["seed"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]
