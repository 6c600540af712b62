"""The hospital's description is one that Rempart accepts, and it holds nothing of the attack."""

from pathlib import Path

import pytest
from demo.addresses import plan
from demo.programs import Programs
from demo.site import openings, policy_toml, site_toml
from demo.streams import INSIDE, flows

from rempart.containment import policy
from rempart.site import description
from rempart.site.soundness import check


class _Wired:
    """What `Programs` needs to name its files."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.plan = plan(seed)
        self.folder = folder


@pytest.fixture(params=[1, 2, 3])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    wired = _Wired(request.param, tmp_path)
    return site_toml(wired.plan, Programs(wired))  # type: ignore[arg-type]  # no wires are needed to name files


def test_rempart_accepts_it(written: str) -> None:
    assert check(description.parse(written, "site.toml")) == ()


def test_it_holds_nothing_of_the_attack(written: str) -> None:
    for seed in (1, 2, 3):
        day = plan(seed)
        if f"for seed {seed} " in written:
            for secret in (*day.host("attacker").addresses, day.address("command"), day.address("scanner")):
                assert secret not in written
            assert day.guessed.name not in written


def test_every_opening_is_measured() -> None:
    measured = {flow.opening for flow in flows(plan(1))} - {INSIDE} | {"website", "gp-portal"}
    by_name = {"name-resolution", "prescriptions"}  # tried in `demo.names`
    assert measured | by_name == {opening["id"] for opening in openings(plan(1))}


def test_the_policy_is_one_that_rempart_accepts() -> None:
    policy.parse(policy_toml(), "policy.toml")
