"""The rules are documented, and what is documented exists."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "rules").rglob("*.yml"))


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rules_page", Path(__file__).with_name("rules_page.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_says_what_the_rules_say(writer: ModuleType) -> None:
    told = (ROOT / "docs" / "rules.md").read_text()
    assert told == writer.page(), "run: python tests/detection/rules_page.py > docs/rules.md"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_says_who_wrote_it_and_when_it_errs(path: Path) -> None:
    for rule in yaml.safe_load_all(path.read_text()):
        assert rule["author"] == "Rempart"
        assert rule["license"] == "EUPL-1.2"
        assert rule["description"]
        assert rule["falsepositives"]
        assert rule["rempart"]["kind"]
