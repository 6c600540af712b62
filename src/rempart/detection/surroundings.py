"""What the site adds to an event: which side each address is on, through which opening, whose care file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Self

import msgspec

from rempart.events.event import Event
from rempart.instants import Instant
from rempart.site.address import Address, Network, meant
from rempart.site.site import Site

TOUCHED = frozenset({"c-ip", "src_ip", "dst_ip", "mark", "cs-uri-stem"})
"""An event with none of these fields is described as it is."""
_REMEMBERED = 65_536
_NOWHERE = ("*", "0.0.0.0/0", "::/0")
_PACES = {"slot-1s": 1_000_000, "slot-1m": 60_000_000}


def normal(text: str) -> Address | None:
    """The address that the text names, an IPv4 address inside IPv6 as what it is; None when it names none."""
    try:
        address = ip_address(text.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    return meant(address)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The site as rules may speak of it. Fields added to events:

    ``from`` and ``to`` are *inside* or *outside*; ``opening`` is the door's id; ``destination: known`` says that the
    flow goes where an opening of its own leads (backup, hosted care file), not just anywhere; ``person`` is the number
    in the path of a care file; ``slot-1s`` and ``slot-1m`` number the time, so that a steady pace can be counted.
    """

    inside: tuple[Network, ...] = ()
    doors: Mapping[int, str] = field(default_factory=dict)
    """Connection mark -> opening id."""
    narrow: frozenset[str] = frozenset()
    """Ids of openings that lead to named hosts only."""
    destinations: tuple[Network, ...] = ()
    """The addresses among those hosts."""
    person: re.Pattern[str] | None = None
    known_devices: tuple[str, ...] = ()
    _seen: dict[str, tuple[str, str, bool]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, site: Site) -> Self:
        """What the description of the site says. Its expressions were checked when it was read."""
        narrow = [each for each in site.openings if each.hosts and not set(each.hosts) & set(_NOWHERE)]
        ours = [network for zone in site.zones for network in zone.networks]
        ours += [address.partition("/")[0] for address in site.uplink.addresses]  # not the network it lies in
        devices = [asset.mac for asset in site.assets if asset.mac]
        return cls(
            inside=_networks([*ours, "127.0.0.0/8", "::1/128"]),
            doors={opening.mark: opening.id for opening in site.openings},
            narrow=frozenset(opening.id for opening in narrow),
            destinations=_networks([host for opening in narrow for host in opening.hosts]),
            person=re.compile(site.care_files.person) if site.care_files else None,
            known_devices=tuple(mac.lower() for mac in (*site.known_devices, *devices)),
        )

    @property
    def placeholders(self) -> Mapping[str, tuple[str, ...]]:
        """Values for ``|expand`` in rules. Without known devices every device would be new: the rule then waits."""
        return {"known_devices": self.known_devices} if self.known_devices else {}

    def describe(self, event: Event) -> Event:
        """The event with what the site knows about it; addresses in their shortest form."""
        fields = event.fields
        added: dict[str, Any] = {}
        for name, side in (("c-ip", "from"), ("src_ip", "from"), ("dst_ip", "to")):
            if isinstance(said := fields.get(name), str):
                added[name], added[side], known = self._place(said)
                if known and name == "dst_ip":
                    added["destination"] = "known"
        if isinstance(mark := fields.get("mark"), int) and (door := self.doors.get(mark)):
            added["opening"] = fields.get("opening") or door
            if door in self.narrow:
                added["destination"] = "known"
        if (
            self.person
            and isinstance(stem := fields.get("cs-uri-stem"), str)
            and (hit := self.person.search(stem))
        ):
            added["person"] = hit[1]
        if event.time is not None and "to" in added:
            added |= _pace(event.time)
        return msgspec.structs.replace(event, fields={**fields, **added}, raw=None) if added else event

    def inside_of(self, text: str) -> bool:
        """Whether the text is an address of the site's own."""
        return self._place(text)[1] == "inside"

    def _place(self, text: str) -> tuple[str, str, bool]:
        """The address in its shortest form, its side, and whether it is a known destination."""
        if (place := self._seen.get(text)) is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            place = self._seen[text] = self._look(text)
        return place

    def _look(self, text: str) -> tuple[str, str, bool]:
        address = normal(text)
        if address is None:
            return text, "unknown", False
        inside = any(address in network for network in self.inside)
        return (
            str(address),
            "inside" if inside else "outside",
            any(address in each for each in self.destinations),
        )


def _pace(time: Instant) -> dict[str, int]:
    return {name: time // length for name, length in _PACES.items()}


def _networks(texts: list[str]) -> tuple[Network, ...]:
    """The networks among the texts; names are left out."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text, strict=False))
        except ValueError:
            continue
    return tuple(found)
