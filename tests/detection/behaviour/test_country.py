"""Countries: a table of ranges, searched; without one the network around the address."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.behaviour.country import Countries
from rempart.errors import InputRefused

TABLE = ["# a table", '"198.51.100.0","198.51.100.255","br"', "203.0.113.0/24,BE", "2001:db8::/32,NL", ""]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.0", "BE"),
        ("203.0.113.255", "BE"),
        ("::ffff:203.0.113.7", "BE"),
        ("198.51.100.7", "BR"),
        ("2001:db8:7::1", "NL"),
        ("203.0.114.0", "203.0.0.0/16"),
        ("2001:db9:7::1", "2001:db9::/32"),
        ("nonsense", "unknown"),
    ],
)
def test_a_place_is_the_country_or_the_network(address: str, place: str) -> None:
    assert Countries.parse(TABLE, "table").place(address) == place


@pytest.mark.parametrize(
    "line", ["203.0.113.0/24", "a,b,c", "203.0.113.0,2001:db8::,BE", "203.0.113.0/24,BEL"]
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(InputRefused, match="table:2"):
        Countries.parse(["203.0.113.0/24,BE", line], "table")


@given(st.ip_addresses())
@settings(max_examples=50)
def test_an_address_is_in_a_range_of_its_own_and_in_none_without_a_table(address: Any) -> None:
    if getattr(address, "ipv4_mapped", None) is None:
        assert Countries.parse([f"{address},{address},BE"], "table").place(str(address)) == "BE"
    assert Countries().country(str(address)) is None
