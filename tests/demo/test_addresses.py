"""The seed decides everything, and nothing else does."""

import pytest
from demo.addresses import OUTSIDE, plan
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_plan(seed: int) -> None:
    assert plan(seed) == plan(seed)


@given(st.integers(0, 2**32))
def test_no_two_machines_share_an_address(seed: int) -> None:
    day = plan(seed)
    addresses = [a for host in day.hosts for a in host.addresses] + list(day.gateway.values())
    assert len(set(addresses)) == len(addresses)


@given(st.integers(0, 2**32))
def test_the_inside_does_not_overlap_the_outside(seed: int) -> None:
    day = plan(seed)
    inside = [network for switch, network in day.networks.items() if switch != "wan"]
    assert not any(network.overlaps(OUTSIDE) for network in inside)
    assert len(set(inside)) == len(inside)


@given(st.integers(0, 2**32))
def test_the_attack_takes_hundreds_some_twice_and_asks_for_some_that_nobody_has(seed: int) -> None:
    day = plan(seed)
    asked = day.attack.stolen
    assert 200 <= len(set(asked) & set(day.patients)) < len(day.patients)
    assert len(asked) > len(set(asked))
    assert set(asked) - set(day.patients)
    assert day.attack.passwords[-1] == day.guessed.password


def test_another_seed_changes_addresses_ports_records_and_timing() -> None:
    one, other = plan(1), plan(2)
    assert one.hosts != other.hosts
    assert one.ports != other.ports
    assert one.patients != other.patients
    assert one.attack.beacon_pause != other.attack.beacon_pause


def test_a_machine_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        plan(1).host("nowhere")
