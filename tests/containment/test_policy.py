"""The policy: read with its mistakes named, asked, and kept within its budget."""

import pytest

from engine.home import BROKEN_IN, GUESSING, OTHER_PROBE, RECORDS, SCAN, shipped_policy
from rempart.containment.policy import Action, Budget, How, parse, prefix
from rempart.errors import InputRefused


def test_the_shipped_policy_contains_only_after_approval() -> None:
    policy = shipped_policy()
    for finding in (BROKEN_IN, RECORDS):
        response = policy.response(finding)
        assert (response.action, response.how) == (Action.CONTAIN, How.APPROVAL)
    assert policy.response(GUESSING).action is Action.BLOCK
    assert policy.response(OTHER_PROBE).action is Action.BLOCK
    assert policy.response(SCAN).action is Action.WATCH


def test_a_policy_that_contains_before_harm_was_done_is_refused() -> None:
    with pytest.raises(InputRefused, match="contains the site by itself before harm was done"):
        parse('[[rules]]\naction = "contain"\nhow = "automatic"\n', "policy.toml")


def test_a_policy_may_contain_by_itself_after_success_and_without_an_end() -> None:
    read = parse('[[rules]]\naction = "contain"\nhow = "automatic"\noutcome = "success"\n', "policy.toml")
    assert read.rules[0].how is How.AUTOMATIC


def test_an_automatic_measure_without_an_end_is_refused() -> None:
    with pytest.raises(InputRefused, match="without an end"):
        parse('[[rules]]\naction = "block"\nhow = "automatic"\n', "policy.toml")


@pytest.mark.parametrize(
    "text", ["[[rules]]\naction = 'explode'", "[[rules]]\nacton = 'block'", "x = [", "budget = 3"]
)
def test_a_broken_policy_names_its_file(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse(text, "policy.toml")
    assert "policy.toml" in str(refused.value)


def test_the_budget_counts_neighbours() -> None:
    budget = Budget(measures_per_hour=10, measures_per_prefix=2)
    assert budget.allows(["192.0.2.1"], "192.0.2.2")
    assert not budget.allows(["192.0.2.1", "192.0.2.9"], "192.0.2.2")
    assert budget.allows(["192.0.2.1", "192.0.2.9"], "198.51.100.1")
    assert not budget.allows([f"10.0.{n}.1" for n in range(10)], "198.51.100.1")


def test_neighbourhoods() -> None:
    assert prefix("192.0.2.7") == "192.0.2.0/24"
    assert prefix("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert prefix("ward-pc") == "ward-pc"
