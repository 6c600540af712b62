"""What the behaviour detectors look at: contacts, sign-ins, care files opened, files changed, machines."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from rempart.detection.surroundings import Surroundings, normal
from rempart.events.event import Event
from rempart.instants import Instant, seconds
from rempart.site.address import Network

_REMEMBERED = 65_536


def _networks(texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts.split())


_PRIVATE = _networks(
    "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 fc00::/7 fe80::/10 ::1/128"
)
_TO_ALL = _networks("224.0.0.0/4 255.255.255.255/32 0.0.0.0/8 ff00::/8 ::/128")


_STOPPED = frozenset(
    {"closed", "blocked", "unclassified", "drop", "deny", "denied", "reject", "block", "dropped"}
)


class Side(StrEnum):
    """Where an address lies."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    NOWHERE = "nowhere"  # no address, or one that means many


@dataclass(frozen=True, slots=True)
class Contact:
    """One machine talked to another. ``time`` is when it began; ``sent`` is the bytes from source to destination,
    None when the log does not say (yet).
    """

    time: Instant
    source: str
    source_side: Side
    destination: str
    destination_side: Side
    port: int
    sent: int | None = None
    known: bool = False
    """It goes where an opening of its own leads."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """An account was let in from an address."""

    account: str
    address: str
    side: Side


@dataclass(frozen=True, slots=True)
class RecordOpened:
    """A person's care file was opened. ``person`` must be forgotten soon and be told to nobody."""

    account: str
    address: str
    person: str


class Change(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    REMOVED = "removed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file changed on a machine by a program; ``before`` is its old path when renamed."""

    machine: str
    program: str
    path: str
    change: Change
    before: str = ""


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """A machine showed itself on the network, by its hardware address."""

    device: str
    name: str = ""


Sighting = Contact | SignIn | RecordOpened | FileChange | MachineSeen


@dataclass(slots=True)
class Eyes:
    """Reads sightings from events. ``inside``: the site's networks; without any, private addresses are inside."""

    inside: tuple[Network, ...] = _PRIVATE
    known_devices: frozenset[str] = frozenset()
    _sides: dict[str, Side] = field(default_factory=dict)

    @classmethod
    def of(cls, surroundings: Surroundings) -> "Eyes":
        """Eyes that know the site."""
        return cls(surroundings.inside or _PRIVATE, frozenset(surroundings.known_devices))

    def sightings(self, event: Event, time: Instant) -> Iterable[Sighting]:
        """What one event shows, mostly nothing: then it must cost nothing."""
        number = event.fields.get("EventID")
        if number is None:
            return self._shown(event.fields, time)
        look = _WINDOWS.get(number if isinstance(number, int) else str(number))
        return look(self, event.fields, time) if look else ()

    @staticmethod
    def pass_over(event: Event) -> bool:
        """Whether no event of this EventID shows anything, whatever its other fields."""
        number = event.fields.get("EventID")
        return number is not None and (number if isinstance(number, int) else str(number)) not in _WINDOWS

    def _shown(self, fields: Mapping[str, Any], time: Instant) -> Iterator[Sighting]:
        for name, look in _BY_FIELD:
            if name in fields:
                yield from look(self, fields, time)

    def side(self, address: str) -> Side:
        """Where an address lies."""
        side = self._sides.get(address)
        if side is None:
            if len(self._sides) >= _REMEMBERED:
                self._sides.clear()
            side = self._sides[address] = self._look(address)
        return side

    def _look(self, text: str) -> Side:
        address = normal(text)
        if address is None or any(address in network for network in _TO_ALL):
            return Side.NOWHERE
        inside = any(address in network for network in self.inside)
        return Side.INSIDE if inside else Side.OUTSIDE

    def _contact(
        self, time: Instant, source: object, destination: object, port: object, **more: Any
    ) -> Iterator[Contact]:
        number = _whole(port)
        if isinstance(source, str) and isinstance(destination, str) and number is not None:
            sides = self.side(source), self.side(destination)
            if Side.NOWHERE not in sides and source != destination:
                yield Contact(time, source[:64], sides[0], destination[:64], sides[1], number, **more)

    # -- gateways and sensors --------------------------------------------------------------------------------------

    def _flow(self, fields: Mapping[str, Any], time: Instant) -> Iterator[Sighting]:
        """A firewall's packets and flows. What was stopped is a rule's business; a flow's time is its end."""
        if str(fields.get("action")) in _STOPPED or fields.get("protocol") == "icmp":
            return
        took = fields.get("duration")
        began = Instant(time - seconds(took)) if isinstance(took, float) and 0 <= took < 1e9 else time
        yield from self._contact(
            began,
            fields.get("src_ip"),
            fields.get("dst_ip"),
            fields.get("dst_port"),
            sent=_whole(fields.get("bytes_out", fields.get("sentbyte"))),
            known=fields.get("destination") == "known",
        )

    def _device(self, fields: Mapping[str, Any], _: Instant) -> Iterator[Sighting]:
        """A lease: the one moment at which a machine says who it is."""
        device = fields.get("mac")
        if isinstance(device, str) and device.lower() not in self.known_devices:
            yield MachineSeen(device[:64].lower(), str(fields.get("host", ""))[:200])

    def _zeek(self, fields: Mapping[str, Any], time: Instant) -> Iterator[Sighting]:
        """Any log of Zeek that names a connection; those of one connection fall together in every detector."""
        dot = "." if "id.orig_h" in fields else "_"
        ends = (fields.get(f"id{dot}{end}") for end in ("orig_h", "resp_h", "resp_p"))
        yield from self._contact(time, *ends, sent=_whole(fields.get("orig_bytes")))

    def _suricata(self, fields: Mapping[str, Any], time: Instant) -> Iterator[Sighting]:
        """Suricata's EVE flow records."""
        if fields.get("event_type") == "flow":
            flow = fields.get("flow")
            said = flow.get("bytes_toserver") if isinstance(flow, dict) else fields.get("flow.bytes_toserver")
            ends = (fields.get(name) for name in ("src_ip", "dest_ip", "dest_port"))
            yield from self._contact(time, *ends, sent=_whole(said))

    def _sshd(self, fields: Mapping[str, Any], _: Instant) -> Iterator[Sighting]:
        if fields.get("outcome") == "success":
            yield from self._sign_in(fields.get("user"), fields.get("src_ip"))

    def _web(self, fields: Mapping[str, Any], _: Instant) -> Iterator[Sighting]:
        """A request that was answered, by an account: a sign-in, and a care file opened when it names a person."""
        status = fields.get("sc-status")
        if not isinstance(status, int) or not 200 <= status < 400:
            return
        account, address, person = fields.get("cs-username"), fields.get("c-ip"), fields.get("person")
        if isinstance(person, str) and isinstance(address, str):
            yield RecordOpened(str(account or address)[:200], address[:64], person[:200])
        yield from self._sign_in(account, address)

    def _sign_in(self, account: object, address: object) -> Iterator[SignIn]:
        if isinstance(account, str) and isinstance(address, str) and account not in ("", "-"):
            side = self.side(address)
            if side is not Side.NOWHERE:
                yield SignIn(account[:200].lower(), address[:64], side)

    # -- Windows ---------------------------------------------------------------------------------------------------

    def _sysmon_connection(self, fields: Mapping[str, Any], time: Instant) -> Iterator[Sighting]:
        if str(fields.get("Initiated", "true")).lower() == "true" and "DestinationIp" in fields:
            ends = (fields.get(name) for name in ("SourceIp", "DestinationIp", "DestinationPort"))
            yield from self._contact(time, *ends)

    def _filtering_platform(self, fields: Mapping[str, Any], time: Instant) -> Iterator[Sighting]:
        """Security 5156; %%14593 is "outbound" in every language of Windows."""
        if fields.get("Direction") == "%%14593":
            ends = (fields.get(name) for name in ("SourceAddress", "DestAddress", "DestPort"))
            yield from self._contact(time, *ends)

    def _logon(self, fields: Mapping[str, Any], _: Instant) -> Iterator[Sighting]:
        """Security 4624 over the network or by remote desktop; machines' own accounts end in a dollar."""
        name = fields.get("TargetUserName")
        if str(fields.get("LogonType")) in ("3", "10") and isinstance(name, str) and not name.endswith("$"):
            yield from self._sign_in(name, fields.get("IpAddress"))

    def _file(self, change: Change, fields: Mapping[str, Any]) -> Iterator[Sighting]:
        path, machine = fields.get("TargetFilename"), fields.get("Computer") or fields.get("Hostname")
        if isinstance(path, str) and isinstance(machine, str):
            program = str(fields.get("Image", ""))
            before = fields.get("SourceFilename")
            renamed = isinstance(before, str) and before not in ("", path)
            yield FileChange(
                machine[:200],
                program[:300],
                path[:1024],
                Change.RENAMED if renamed else change,
                str(before)[:1024] if renamed else "",
            )

    def _written(self, fields: Mapping[str, Any], _: Instant) -> Iterator[Sighting]:
        yield from self._file(Change.WRITTEN, fields)

    def _removed(self, fields: Mapping[str, Any], _: Instant) -> Iterator[Sighting]:
        yield from self._file(Change.REMOVED, fields)


Look = Callable[[Eyes, Mapping[str, Any], Instant], Iterator[Sighting]]
_NUMBERS: Mapping[str, Look] = {
    "3": Eyes._sysmon_connection,
    "5156": Eyes._filtering_platform,
    "4624": Eyes._logon,
    "11": Eyes._written,
    "23": Eyes._removed,
    "26": Eyes._removed,
    "27": Eyes._written,
}
_WINDOWS: Mapping[str | int, Look] = dict(
    [*_NUMBERS.items(), *((int(number), look) for number, look in _NUMBERS.items())]
)
"""By event number. Each look asks for fields that only its own provider's events have."""
_BY_FIELD: tuple[tuple[str, Look], ...] = (
    ("sc-status", Eyes._web),
    ("dst_ip", Eyes._flow),
    ("outcome", Eyes._sshd),
    ("mac", Eyes._device),
    ("id.orig_h", Eyes._zeek),
    ("id_orig_h", Eyes._zeek),
    ("event_type", Eyes._suricata),
    ("TargetFilename", Eyes._written),
)
"""By the field that shows which log it is."""


def _whole(value: object) -> int | None:
    """A number of ports or bytes, as a number or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1 << 62 else None
    if isinstance(value, float):
        return int(value) if 0 <= value < 1e18 else None
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
        else None
    )
