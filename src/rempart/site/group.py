"""The group's door: where this box hears that the whole group is cut, and from whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDoor:
    """A TLS address of its own. Only who holds one of the trusted certificates is heard, and only to cut."""

    address: str
    """IPv4 or IPv6 address of the gateway on the operators' network; a safeguard must let the port through."""
    port: int
    certificate: str
    """PEM file of this box: its certificate and private key."""
    trusted: str
    """PEM file of the certificates of those who may cut the group."""
