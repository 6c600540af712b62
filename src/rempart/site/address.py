"""An address or network as it is meant: IPv4 written inside IPv6 (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) is IPv4.

Windows and programs that listen on both families at once write IPv4 so. No packet ever carries it, so what is written
so would match nothing.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_MAPPED = 96
"""Bits before the IPv4 address."""


def meant(address: Address) -> Address:
    """The address that packets carry."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def meant_network(network: Network) -> Network:
    """The network whose addresses packets carry."""
    if isinstance(network, IPv4Network) or network.prefixlen < _MAPPED:
        return network
    inside = network.network_address.ipv4_mapped
    return network if inside is None else IPv4Network((inside, network.prefixlen - _MAPPED))


def meant_text(text: str) -> str:
    """The same where the text is such an address, and any other text unchanged."""
    if ":" not in text or "ffff" not in text.lower():
        return text
    try:
        address = ip_address(text)
    except ValueError:
        return text
    return text if meant(address) is address else str(meant(address))
