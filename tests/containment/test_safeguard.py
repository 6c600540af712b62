from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.containment.safeguard import protects
from rempart.phrase import phrase
from rempart.site.site import Site

V4 = st.builds(
    lambda address, length: str(ip_network((address, length), strict=False)),
    st.one_of(
        st.integers(0, 2**32 - 1),
        st.sampled_from([0xC0000200, 0x0A010000, 0x0A090000, 0xCB007102, 0xC6336400]).flatmap(
            lambda base: st.integers(base, base + 255)
        ),
    ),
    st.integers(0, 32),
)
V6 = st.builds(
    lambda address, length: str(ip_network((address, length), strict=False)),
    st.one_of(
        st.integers(0, 2**128 - 1),
        st.sampled_from(["2001:db8:1::2", "2001:db8:f::20", "fd00:9::1", "fd00:1::7"]).map(
            lambda text: int(ip_network(text).network_address)
        ),
    ),
    st.integers(0, 128),
)
NOBODY = (
    "10.9.0.0/24",
    "fd00:9::/64",
    "203.0.113.2",
    "2001:db8:1::2",
    "10.1.0.0/24",
    "10.2.0.5",
    "10.3.0.0/24",
)
NO_MACHINE = (*NOBODY, "192.0.2.10", "192.0.2.20", "2001:db8:f::20")


def meets(one: str, other: str) -> bool:
    first, second = ip_network(one), ip_network(other)
    return first.version == second.version and first.overlaps(second)  # type: ignore[arg-type]


@given(target=st.one_of(V4, V6), by_machine=st.booleans())
def test_nothing_that_passes_covers_a_protected_flow(site: Site, target: str, by_machine: bool) -> None:
    if protects(site, target, by_machine=by_machine) is None:
        kept = NO_MACHINE if by_machine else NOBODY
        assert not [flow for flow in kept if meets(target, flow)]


@given(target=st.text(max_size=60))
def test_no_text_gets_through_as_a_target(site: Site, target: str) -> None:
    if target not in {asset.id for asset in site.assets} and protects(site, target, by_machine=False) is None:
        ip_network(target, strict=False)


@pytest.mark.parametrize(
    ("target", "by_machine", "reason"),
    [
        ("192.0.2.66", True, None),
        ("192.0.2.10", True, "lifeline telephone"),
        ("192.0.2.10", False, None),  # a named person may
        ("::ffff:192.0.2.10", True, "lifeline telephone"),
        ("192.0.2.20", True, "e-health needs it for care"),
        ("198.51.100.1", True, None),  # the vendor's way in is normally closed
        ("198.51.0.0/16", True, "more addresses"),
        ("198.51.0.0/16", False, None),
        ("0.0.0.0/0", False, "operators"),
        ("96.0.0.0/6", False, "so wide"),
        ("10.1.0.7", False, "inside"),
        ("10.9.0.3", False, "operators"),
        ("203.0.113.2", False, "gateway itself"),
        ("127.0.0.1", False, "no address that a peer"),
        ("fe80::1", False, "no address that a peer"),
        ("255.255.255.255", False, "no address that a peer"),
        ("pc-7", True, None),
        ("pump", True, "lives may depend"),
        ("pump", False, None),
        ("care", True, "care files"),
        ("tablet", False, "no address of it is known"),
        ("nobody", False, "no address, network or machine"),
    ],
)
def test_who_may_touch_what(site: Site, target: str, by_machine: bool, reason: str | None) -> None:
    answer = protects(site, target, by_machine=by_machine)
    assert answer is None if reason is None else answer is not None and reason in answer.text


def test_no_machine_blocks_where_a_name_that_care_needs_leads(site: Site) -> None:
    named = {ip_address("198.51.100.99")}
    for target in ("198.51.100.99", "198.51.100.96/27"):
        assert protects(site, target, by_machine=True, named=named) == phrase("guards-named")
        assert protects(site, target, by_machine=False, named=named) is None
    assert protects(site, "198.51.100.98", by_machine=True, named=named) is None
