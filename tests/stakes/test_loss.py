import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from rempart.adapters import shipped
from rempart.errors import InputRefused
from rempart.stakes import loss
from rempart.stakes.loss import Assumptions, Settings

VECTORS = tomllib.loads(Path(__file__).with_name("loss_vectors.toml").read_text())["cases"]
FIVE, FOUR, TWO = 0.000_006, 0.000_06, 0.006
DIGITS = {
    "p_year": FIVE,
    "in_ten_years": FOUR,
    "shares": FOUR,
    "no_loss": FIVE,
    "over_50k": 1e-9,
    "over_100k": 1e-9,
}
"""Half of the last printed digit; euros are printed to the cent."""


@pytest.fixture(scope="session")
def given() -> Assumptions:
    return loss.parse(shipped.text("stakes/loss.toml"), "loss.toml")


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_the_vectors_are_met_to_the_printed_digits(case: dict[str, Any], given: Assumptions) -> None:
    reckoned = asdict(loss.reckon(given, Settings(**case["settings"])))
    for name in reckoned:
        value = reckoned[name]
        got = list(value.values()) if isinstance(value, dict) else [value]
        wanted = case[name]
        wanted = list(wanted.values()) if isinstance(wanted, dict) else wanted
        wanted = wanted if isinstance(wanted, list) else [wanted]
        assert got == pytest.approx(wanted, abs=DIGITS.get(name, TWO), rel=0), name


def test_every_input_says_whence_it_comes_and_who_answers_for_it(given: Assumptions) -> None:
    for source, owner, mark in given.sources.values():
        assert source
        assert owner
        assert mark in {"S", "G", "I"}


def test_all_mistakes_are_told_at_once() -> None:
    text = (
        shipped.text("stakes/loss.toml")
        .replace("p05 = 0.015", "p05 = 0")
        .replace("chance = 0.6", "chance = 6")
    )
    text = text.replace('owner = "Rempart\'s authors"', 'owner = ""', 1) + "\n[weather]\np05 = 1\n"
    with pytest.raises(InputRefused) as refused:
        loss.parse(text, "mine.toml")
    said = str(refused.value)
    for place in (
        "[p_year]: no range",
        "[disruption]: no chance",
        "[p_year]: nobody answers",
        "[weather]: no such",
    ):
        assert place in said
