"""What a new box finds around it without asking anybody: interfaces, machines it heard of, where names are asked."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface of the box."""

    name: str
    addresses: tuple[str, ...] = ()
    """With their prefix: ``10.0.1.1/24``. Those of the link alone (fe80::) are left out."""
    outward: bool = False
    """The default route leaves by it."""

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it stands in."""
        return tuple(
            dict.fromkeys(str(ipaddress.ip_interface(address).network) for address in self.addresses)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A machine that the box has heard of."""

    address: str
    interface: str
    mac: str = ""
    name: str = ""
    """As it called itself when it asked for its address: a stranger's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All of it, as it was found at one moment."""

    interfaces: tuple[Interface, ...] = ()
    devices: tuple[Device, ...] = ()
    resolvers: tuple[str, ...] = ()
    """Addresses that the box itself asks for names."""
    operator: str = ""
    """The address of whoever installs, when they come over the network."""

    @property
    def only(self) -> Interface | None:
        """The one interface, where there is no second: a box in the path of others would have two."""
        return self.interfaces[0] if len(self.interfaces) == 1 else None

    def interface(self, name: str) -> Interface | None:
        """The interface of that name, when it is there."""
        return next((each for each in self.interfaces if each.name == name), None)
