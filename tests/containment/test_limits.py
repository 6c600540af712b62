from dataclasses import replace

import pytest

from rempart.containment.limits import Limits, limited_by_kernel, limited_by_proxy
from rempart.site.opening import Direction, OpeningState
from rempart.site.site import Site

BEDS = Limits(source="198.51.100.7", hosts=("10.2.0.5", "10.2.0.6"))


@pytest.mark.parametrize(
    ("other", "allowed"),
    [
        (BEDS, True),
        (replace(BEDS, hosts=("10.2.0.5",)), True),
        (replace(BEDS, hosts=("10.2.0.7",)), False),
        (replace(BEDS, source="198.51.100.8"), False),
        (replace(BEDS, certificate="a" * 64), False),
        (None, False),
    ],
)
def test_limits_allow_what_is_within_them(other: Limits | None, allowed: bool) -> None:
    assert BEDS.allow(other) is allowed


def test_who_can_limit_a_visit(site: Site) -> None:
    portal = replace(site.opening("gp-portal"), normally=OpeningState.CLOSED)
    house = replace(site, openings=(*(each for each in site.openings if each.id != "gp-portal"), portal))
    assert [each.id for each in limited_by_kernel(house)] == ["vendor"]
    assert [each.id for each in limited_by_proxy(house)] == ["gp-portal"]
    assert not replace(portal, direction=Direction.OUT).takes_visits
