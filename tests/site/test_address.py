"""IPv4 written inside IPv6 is the IPv4 that it means; everything else is what it was."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from rempart.site.address import meant, meant_network, meant_text

_MAPPED = int(IPv6Address("::ffff:0:0"))


def mapped(address: IPv4Address) -> IPv6Address:
    return IPv6Address(_MAPPED + int(address))


@given(address=st.ip_addresses(v=4))
def test_in_either_family_and_in_any_spelling_it_is_one_address(address: IPv4Address) -> None:
    assert meant(mapped(address)) == meant(address) == address
    spellings = (str(mapped(address)), mapped(address).exploded.upper(), f"::FFFF:{address}")
    assert {meant_text(each) for each in spellings} == {str(address)}


@given(address=st.ip_addresses(v=4), length=st.integers(0, 32))
def test_a_network_keeps_its_addresses(address: IPv4Address, length: int) -> None:
    network = IPv4Network((address, length), strict=False)
    inside = IPv6Network((mapped(network.network_address), 96 + length))
    assert meant_network(inside) == meant_network(network) == network


@given(address=st.ip_addresses(v=6).filter(lambda each: each.ipv4_mapped is None))
def test_an_address_of_its_own_stays(address: IPv6Address) -> None:
    assert meant(address) is address
    assert meant_network(IPv6Network(address)) == IPv6Network(address)
    assert meant_text(str(address)) == str(address)


def test_a_network_wider_than_all_of_ipv4_stays() -> None:
    assert meant_network(IPv6Network("::ffff:0:0/95", strict=False)).version == 6


@given(text=st.text(alphabet=":f0.19g%/ "))
def test_other_text_stays(text: str) -> None:
    assert meant_text(text) == text or IPv4Address(meant_text(text))
