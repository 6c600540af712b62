"""Every attack directory goes through the real decoders and rules; its benign twin stays silent.

An attack is a directory of ``tests/attacks``: a README, logs named after their decoder, ``expected.json``, the benign
twin in ``benign/``, and where it is about them a list, ``indicators.json``. Adding one needs no Python.
``expected.json`` is what should be found, rule by rule in order of first appearance; write it by hand or take what the
failing test shows, after having understood it.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from rempart.adapters.indicators import read as read_indicators
from rempart.cli._samples import summary
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Level
from rempart.detection.indicator import Indicators
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load
from rempart.detection.surroundings import Surroundings
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.site.description import parse

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = ROOT / "tests" / "attacks"
NAMES = sorted(path.name for path in ATTACKS.iterdir() if path.is_dir())
Found = Callable[[Path], list[Finding]]
TWINS = [name for name in NAMES if (ATTACKS / name / "benign").is_dir()]


@pytest.fixture(scope="module")
def surroundings() -> Surroundings:
    return Surroundings.of(parse((ATTACKS / "site.toml").read_text(), "site.toml"))


@pytest.fixture(scope="module")
def rules(surroundings: Surroundings) -> RuleSet:
    files = sorted((ROOT / "rules").rglob("*.yml"))
    loaded = load(
        [(str(path.relative_to(ROOT)), path.read_text()) for path in files], surroundings.placeholders
    )
    assert not loaded.refused
    assert not loaded.waiting
    return loaded


def events(folder: Path) -> list[Event]:
    """The events of all logs of a folder in the order of their times."""
    decoded = (event for path in sorted(folder.glob("*.log")) for event in _read(path))
    return sorted(decoded, key=lambda event: event.time or 0)


def _read(path: Path) -> Iterator[Event]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if event := DECODERS[path.stem](line, path.name, number):
            yield event


@pytest.fixture(scope="module")
def found(rules: RuleSet, surroundings: Surroundings) -> Found:
    """The findings of a folder, made once, by rules, indicators and behaviour."""
    lists = read_indicators([str(path) for path in sorted(ATTACKS.glob("*/indicators.json"))])
    listed, behaviour = Indicators.of(lists.rows()), Behaviour(surroundings)
    compiled = Detection(rules, surroundings, indicators=listed, behaviour=behaviour)

    @cache
    def find(folder: Path) -> list[Finding]:
        detection = compiled.afresh()
        return [finding for event in events(folder) for finding in detection.feed(event)]

    return find


@pytest.mark.parametrize("name", [name for name in NAMES if (ATTACKS / name / "expected.json").exists()])
def test_the_attack_is_found(name: str, found: Found) -> None:
    expected = json.loads((ATTACKS / name / "expected.json").read_text())
    assert summary(found(ATTACKS / name)) == expected


@pytest.mark.parametrize("name", TWINS)
def test_its_benign_twin_is_silent(name: str, found: Found) -> None:
    loud = [each for each in found(ATTACKS / name / "benign") if each.level >= Level.LOW]
    assert summary(loud) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_directory_is_whole(name: str) -> None:
    folder = ATTACKS / name
    assert (folder / "README.md").read_text().startswith("# ")
    assert (folder / "benign").is_dir()
    assert (folder / "expected.json").exists() == bool(list(folder.glob("*.log")))


def test_every_rule_that_reports_is_shown_by_an_attack(rules: RuleSet, found: Found) -> None:
    seen = {finding.rule for name in NAMES for finding in found(ATTACKS / name)}
    cards = [each.card for each in (*rules.rules, *rules.correlations)]
    unseen = [card.title for card in cards if card.id not in seen and card.level >= Level.LOW]
    assert unseen == []


def test_no_finding_tells_whose_care_file_was_opened(found: Found) -> None:
    findings = found(ATTACKS / "care-files-taken")
    paths = (ATTACKS / "care-files-taken" / "nginx.log").read_text().split("/patients/")[1:]
    numbers = {path.split("/")[0] for path in paths}
    assert findings
    assert not [number for number in numbers if number in str(findings)]
