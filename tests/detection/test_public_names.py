"""Detection as a library: the names that others may use, and the example that shows how."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rempart.detection as detection

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "detect.md").read_text(encoding="utf-8")

PUBLIC = [
    "Behaviour",
    "Correlation",
    "Detection",
    "Exceptions",
    "Explanation",
    "Finding",
    "Indicators",
    "Kind",
    "Level",
    "Matcher",
    "Meaning",
    "Outcome",
    "Plain",
    "Proof",
    "Report",
    "Rule",
    "RuleCard",
    "RuleSet",
    "Surroundings",
    "Tactic",
    "Tally",
    "load",
    "tactics",
    "techniques",
]
"""Whoever takes one away breaks the programs of others: remove it here too, and say so in the changelog."""


def test_these_names_are_public_and_no_others() -> None:
    assert detection.__all__ == PUBLIC == sorted(detection._MODULES)
    assert dir(detection) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_is_what_its_module_says_and_is_documented(name: str) -> None:
    named = getattr(detection, name)
    assert named.__module__ == f"rempart.detection.{detection._MODULES[name]}"
    assert named.__doc__
    table = PAGE[PAGE.index("`rempart.detection.__all__`") :]
    assert f"`{name}`" in table


def test_the_page_names_nothing_that_is_not_there() -> None:
    table = PAGE[PAGE.index("| name | is |") :]
    first = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first))) == PUBLIC


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="no public name 'Detector'"):
        _ = detection.Detector


def test_who_needs_a_finding_does_not_load_the_rule_reader() -> None:
    code = "import sys; from rempart.detection import Finding, Level, Tactic; print('sigma' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_example_runs_as_it_stands_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shadow.yml").write_text(
        "title: Shadow Copies Deletion\nid: c947b146-0abc-4c87-9c64-b17e9d7274a2\nlevel: high\n"
        "tags: [attack.impact, attack.t1490]\nlogsource: {product: windows, category: process_creation}\n"
        "detection: {wipe: {CommandLine|contains: delete shadows}, condition: wipe}\n"
    )
    event = {
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "EventID": 1,
        "Computer": "PC-07",
        "User": "anna",
        "CommandLine": "vssadmin delete shadows /all",
        "UtcTime": "2026-11-20 17:02:11.000",
    }
    (tmp_path / "events.ndjson").write_text(json.dumps(event))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/detect.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith(
        "HIGH A program was started that attackers use too: “Shadow Copies Deletion”. It happened"
    )
    told_on_page = " ".join(line.removeprefix("> ") for line in PAGE.splitlines() if line.startswith("> "))
    assert said.removeprefix("HIGH ").strip() == told_on_page
