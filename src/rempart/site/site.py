"""A site: one institution as Rempart knows it, read from ``site.toml`` and never changed at run time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from rempart.instants import Duration, hours
from rempart.site.group import GroupDoor
from rempart.site.hours import Hours
from rempart.site.language import Language as Language
from rempart.site.opening import Opening, Service
from rempart.site.placement import ByHand, Placement
from rempart.site.probe import Probe
from rempart.site.sign_on import SignOn
from rempart.site.staff_page import StaffPage
from rempart.site.telling import NOBODY, Telling
from rempart.site.trial import TrialLength

FILES_KEPT_DAYS = 5 * 365
"""Days for which attached files are kept unless the site says otherwise: a guess, to be decided with an adviser."""


class AssetKind(StrEnum):
    """What a machine inside is for, as far as isolating it goes."""

    WORKSTATION = "workstation"
    SERVER = "server"
    TABLET = "tablet"
    PRINTER = "printer"
    TELEPHONE = "telephone"
    NURSE_CALL = "nurse-call"
    MEDICATION = "medication"
    BIOMEDICAL = "biomedical"
    OTHER = "other"

    @property
    def lives_depend_on_it(self) -> bool:
        """A machine never isolates these; a named person may."""
        return self in _LIFE_CRITICAL


_LIFE_CRITICAL = frozenset(
    {AssetKind.TELEPHONE, AssetKind.NURSE_CALL, AssetKind.MEDICATION, AssetKind.BIOMEDICAL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the inside that keeps running while the site is cut."""

    id: str
    name: str
    interface: str
    """Network interface of the gateway that leads to it."""
    networks: tuple[str, ...]
    """IPv4 and IPv6 networks in CIDR form."""
    stays_on: bool = True
    reaches: tuple[str, ...] = ()
    """Ids of zones that may be reached from this one; guests and dmz reach none by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One machine inside."""

    id: str
    name: str
    zone: str
    addresses: tuple[str, ...]
    kind: AssetKind = AssetKind.OTHER
    mac: str | None = None
    core: bool = False
    """Belongs to the trusted core that is proven before anything reopens: directory, admin stations, backups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A part of the house where people are cared for: it says once a shift whether care goes on."""

    id: str
    name: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimePack:
    """The medication list, allergies and contacts that the care software exports, to be printed before they are needed.

    Rempart looks at the file's age and hash, never at its content.
    """

    path: str
    hours: int = 24
    """How old it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to call."""

    role: str
    name: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideWall:
    """Something the cut does not reach, with what to do about it."""

    name: str
    action: str
    """The first thing to do there, and often the only one."""
    phone: str | None = None
    then: tuple[str, ...] = ()
    """What else to do there, in order."""

    @property
    def actions(self) -> tuple[str, ...]:
        """All that is to be done there, in order."""
        return (self.action, *self.then)


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """A way to the gateway itself that may never be cut or blocked: the operators' way in."""

    id: str
    interface: str
    networks: tuple[str, ...]
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """The gateway's side towards the outside."""

    interface: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CareFiles:
    """How accesses to care files read in the logs, so that persons can be counted without being named."""

    server: str
    """Asset id of the server that holds them."""
    person: str
    """Regular expression on the request path; its first group is the person's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """A log that Rempart follows, and the decoder that reads it."""

    path: str
    decoder: str
    """Name of a decoder of ``events/decode``."""
    name: str = ""
    """What people call it; it may stand in a message."""
    silent_after: int = 0
    """Hours without a line after which somebody is told; 0: by the log's own rhythm."""
    wakes: bool = False
    """Somebody is told at any hour when it falls silent."""

    @property
    def allowed(self) -> Duration | None:
        """How long it may say nothing, as the file says; None: by its own rhythm."""
        return hours(self.silent_after) if self.silent_after else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """The station answers for names itself; openings whose hosts are names exist through its answers alone."""

    opening: str
    """Id of the opening through which it asks outside: its hosts are the resolvers asked, ``*`` the root itself."""
    relays: tuple[str, ...] = ()
    """Ids of machines inside that ask for others (a domain controller)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One institution: its zones, machines, openings and people."""

    id: str
    name: str
    template: str
    languages: tuple[Language, ...]
    phone: str
    uplink: Uplink
    zones: tuple[Zone, ...]
    openings: tuple[Opening, ...]
    assets: tuple[Asset, ...] = ()
    contacts: tuple[Contact, ...] = ()
    outside_wall: tuple[OutsideWall, ...] = ()
    safeguards: tuple[Safeguard, ...] = ()
    logs: tuple[LogSource, ...] = ()
    care_files: CareFiles | None = None
    telling: Telling = NOBODY
    resolver: Resolver | None = None
    """None: the station resolves no names, and openings with names lead nowhere by them."""
    sign_on: SignOn | None = None
    """None: nobody but the station itself says who somebody is."""
    known_devices: tuple[str, ...] = ()
    """MAC addresses that are no news."""
    records_kept: int = 0
    """Persons in the files, as the institution estimates it; 0 unknown."""
    wards: tuple[Ward, ...] = ()
    hours: Hours = field(default_factory=Hours)
    probes: tuple[Probe, ...] = ()
    downtime_pack: DowntimePack | None = None
    group: GroupDoor | None = None
    staff_page: StaffPage | None = None
    """Where the staff page listens; None: there is none."""
    """Where this box hears that its whole group is cut; None: from nobody."""
    quiet_hours: int = 12
    """Hours without a call to a commander that a machine asks for before it agrees that the attack is contained."""
    files_kept_days: int = FILES_KEPT_DAYS
    """Days for which the bytes of a file attached to an incident are kept; 0: until a person erases them."""
    trial: TrialLength = field(default_factory=TrialLength)
    placement: Placement = Placement.GATEWAY
    by_hand: ByHand = field(default_factory=ByHand)
    """What people do by themselves where the station is an observer."""
    _by_id: dict[str, Opening] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {opening.id: opening for opening in self.openings})

    @property
    def enforces(self) -> bool:
        """Whether the station is in the path, so that what it decides holds."""
        return self.placement is Placement.GATEWAY

    def opening(self, opening_id: str) -> Opening:
        """The opening of that id. Raises KeyError when the site has none."""
        return self._by_id[opening_id]

    def called(self) -> dict[str, str]:
        """What openings and machines are called in the house, their ids, by each id and each address of a machine."""
        machines = {address: asset.id for asset in self.assets for address in (*asset.addresses, asset.id)}
        return machines | {opening.id: opening.id for opening in self.openings}

    def lifelines(self) -> Iterator[Opening]:
        """The openings on which residents' safety hangs."""
        return (opening for opening in self.openings if opening.lifeline)

    def published(self) -> Iterator[Opening]:
        """The openings that serve the outside through the proxy."""
        return (opening for opening in self.openings if opening.publication)
