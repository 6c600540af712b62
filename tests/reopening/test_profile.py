"""Which openings take the short profile."""

from dataclasses import replace

import pytest

from engine.home import SITE
from rempart.reopening.gate import Gate
from rempart.reopening.profile import Profile, gates, profile
from rempart.site.opening import Direction, Opening, Service, Transport

EHEALTH = SITE.opening("ehealth")


def test_a_vital_way_out_to_exact_hosts_at_a_home_takes_four_gates() -> None:
    assert profile(SITE, EHEALTH) is Profile.VITAL
    assert gates(Profile.VITAL) == (Gate.NEED, Gate.CUT_VERIFIED, Gate.FILTER, Gate.APPROVAL)
    assert gates(Profile.FULL) == tuple(Gate)


@pytest.mark.parametrize(
    "opening",
    [
        replace(EHEALTH, hosts=("*",)),
        replace(EHEALTH, hosts=("203.0.113.0/24",)),
        replace(EHEALTH, direction=Direction.IN),
        replace(EHEALTH, direction=Direction.BOTH),
        replace(EHEALTH, care=3),
        replace(EHEALTH, services=(Service(Transport.UDP, 10000, 20000),)),
        SITE.opening("portal"),
        SITE.opening("browsing"),
    ],
)
def test_everything_else_takes_all(opening: Opening) -> None:
    assert profile(SITE, opening) is Profile.FULL


def test_a_hospital_group_always_takes_all() -> None:
    assert profile(replace(SITE, template="hospital-group"), EHEALTH) is Profile.FULL
