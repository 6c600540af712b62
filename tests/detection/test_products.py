"""For every product rules fire on its events as its maker documents them, and no rule on those of another product."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rempart.adapters.collect.files import LogFile, Shape
from rempart.cli._search import recognised
from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event

CASES: list[Mapping[str, Any]] = yaml.safe_load(Path(__file__).with_name("products.yml").read_text())


def event_of(case: Mapping[str, Any]) -> Event:
    """What `rempart detect` makes of the line."""
    line = case["line"].encode() if "line" in case else json.dumps(case["event"]).encode()
    for name in recognised(LogFile("a.log", Shape.LINES, len(line), (line,))):
        try:
            event = DECODERS[name](line, "a.log", 1)
        except DecodeError:
            continue
        assert event is not None
        return event
    raise AssertionError("no decoder reads it")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    texts = [
        json.dumps({"title": each["title"], "logsource": each["logsource"], "detection": each["detection"]})
        for each in CASES
    ]
    rules = load((f"{number}.yml", text) for number, text in enumerate(texts))
    assert not rules.refused
    return Matcher(rules.rules)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["title"]))
def test_a_rule_fires_on_its_products_event_and_on_no_other(
    matcher: Matcher, case: Mapping[str, Any]
) -> None:
    event = event_of(case)
    fired = matcher.matches(event)
    assert (case["title"] in {rule.card.title for rule in fired}) is case.get("fires", True)
    assert {rule.logsource.product for rule in fired} <= {None, event.logsource.product}
