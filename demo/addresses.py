"""Everything that the seed changes: addresses, ports, records, accounts and timing."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from random import Random

OUTSIDE = IPv4Network("198.18.0.0/15")
"""The whole internet of the demo: the benchmarking network of RFC 2544, routed nowhere."""

INSIDE_SWITCHES = ("wards", "servers", "technique", "dmz", "guests", "mgmt")
OUTSIDE_SWITCH = "wan"


@dataclass(frozen=True, slots=True)
class Host:
    """One machine of the demo: its name, the switch it hangs on, its addresses (first one speaks by default)."""

    name: str
    switch: str
    addresses: tuple[str, ...]

    @property
    def address(self) -> str:
        """The first address."""
        return self.addresses[0]

    @property
    def mac(self) -> str:
        """The machine's hardware address: locally administered, made from its first IPv4 address."""
        return "02:00:" + IPv4Address(self.address).packed.hex(":")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. Generated; nobody's real password."""

    name: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports that change from run to run."""

    care: int
    """The care-file server."""
    website: int
    portal: int
    """The web servers in the dmz, behind the proxy."""
    command: int
    """The command server of the malware: one that browsing lets through."""
    media_first: int
    media_last: int
    """The telephone's media range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What the attacker will do. Known to the attacker's programs only: Rempart never reads any of this."""

    passwords: tuple[str, ...]
    """Tried in this order; the last one is right."""
    guess_pause: float
    """Seconds between two guesses."""
    scanned_ports: tuple[int, ...]
    beacon_pause: float
    """Seconds between two beacons, give or take ``beacon_jitter``."""
    beacon_jitter: float
    beacons: int
    """Beacons before the command to take records arrives."""
    stolen: tuple[str, ...]
    """Numbers that the malware asks for, in this order: some twice, some that nobody has."""
    batch: int
    """Records sent out in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One hospital and one attack, decided by the seed alone."""

    seed: int
    name: str
    domain: str
    phone: str
    fallback_phone: str
    hosts: tuple[Host, ...]
    gateway: dict[str, str]
    """The gateway's address on each switch."""
    networks: dict[str, IPv4Network]
    ports: Ports
    staff: tuple[Account, ...]
    practitioners: tuple[Account, ...]
    """General practitioners with an account on the portal; the first one's password is guessed."""
    patients: tuple[str, ...]
    """The numbers of the generated care files."""
    scanner_ports: tuple[int, ...]
    attack: Attack

    def host(self, name: str) -> Host:
        """The machine of that name. Raises KeyError when there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def address(self, name: str, which: int = 0) -> str:
        """One address of a machine."""
        return self.host(name).addresses[which]

    @property
    def uplink(self) -> str:
        """The gateway's address outside."""
        return self.gateway[OUTSIDE_SWITCH]

    @property
    def website(self) -> str:
        """The name that visitors ask for."""
        return f"www.{self.domain}"

    @property
    def portal(self) -> str:
        """The name that general practitioners ask for."""
        return f"gp.{self.domain}"

    @property
    def prescriptions(self) -> str:
        """The name of the hosted prescriptions: the one opening that exists by name alone."""
        return f"ordonnances-{self.domain}"

    @property
    def name_server(self) -> str:
        """The provider's name server, which the station asks."""
        return self.address("internet", 2)

    @property
    def guessed(self) -> Account:
        """The account whose password the attacker guesses."""
        return self.practitioners[0]


# Machine: how many addresses. One machine may stand for several: each address is then another service.
_INSIDE_HOSTS = (
    ("ward-pc", "wards", 1),
    ("ward-staff", "wards", 3),
    ("servers", "servers", 2),
    ("exchange", "technique", 2),
    ("dmz", "dmz", 1),
    ("guest", "guests", 1),
    ("technician", "mgmt", 1),
)
_OUTSIDE_HOSTS = (
    ("operator", 1),
    ("ehealth", 2),
    ("suppliers", 4),
    ("internet", 3),
    ("gp", 2),
    ("visitor", 1),
    ("command", 1),
    ("attacker", 2),
    ("scanner", 1),
    ("prescriptions", 1),
)
_TREES = ("tilleuls", "charmes", "noisetiers", "aulnes", "sorbiers", "merisiers", "ormes")
_SYLLABLES = ("ba", "co", "di", "fa", "ga", "li", "mo", "na", "pe", "ra", "si", "to", "vu", "ze")
_SCANNABLE = (
    21,
    22,
    23,
    25,
    53,
    81,
    110,
    111,
    135,
    139,
    143,
    389,
    443,
    445,
    465,
    587,
    631,
    993,
    995,
    1433,
    1521,
)
_SCANNABLE_HIGH = (
    1723,
    2049,
    2375,
    3306,
    3389,
    5432,
    5900,
    5985,
    6379,
    7001,
    8000,
    8008,
    8081,
    8443,
    8888,
    9200,
    27017,
)


def plan(seed: int) -> Plan:
    """The hospital and the attack of this seed: the same seed always gives the same plan."""
    dice = Random(seed)
    networks = _networks(dice)
    gateway = {switch: str(network[1]) for switch, network in networks.items() if switch != OUTSIDE_SWITCH}
    outside = _outside_addresses(dice)
    gateway[OUTSIDE_SWITCH] = next(outside)
    tree = dice.choice(_TREES)
    patients = tuple(
        str(number) for number in sorted(dice.sample(range(100_000, 999_999), dice.randint(800, 1200)))
    )
    practitioners = tuple(Account(f"dr.{_word(dice)}{n}", _password(dice)) for n in range(3))
    return Plan(
        seed=seed,
        name=f"Clinique des {tree.capitalize()}",
        domain=f"{tree}.example",
        phone=_phone(dice),
        fallback_phone=_phone(dice),
        hosts=(
            *_inside(dice, networks),
            *(Host(n, OUTSIDE_SWITCH, _take(outside, k)) for n, k in _OUTSIDE_HOSTS),
        ),
        gateway=gateway,
        networks=networks,
        ports=_ports(dice),
        staff=tuple(Account(f"nurse.{_word(dice)}{n}", _password(dice)) for n in range(3)),
        practitioners=practitioners,
        patients=patients,
        scanner_ports=tuple(dice.sample(_SCANNABLE + _SCANNABLE_HIGH, 28)),
        attack=_attack(dice, practitioners[0], patients),
    )


def _networks(dice: Random) -> dict[str, IPv4Network]:
    block = dice.choice((f"10.{dice.randint(1, 250)}", f"172.{dice.randint(16, 31)}", "192.168"))
    thirds = dice.sample(range(2, 250), len(INSIDE_SWITCHES))
    inside = {
        switch: IPv4Network(f"{block}.{third}.0/24")
        for switch, third in zip(INSIDE_SWITCHES, thirds, strict=True)
    }
    return {**inside, OUTSIDE_SWITCH: OUTSIDE}


def _outside_addresses(dice: Random) -> Iterator[str]:
    seen: set[int] = set()
    while True:
        offset = dice.randint(0x0201, OUTSIDE.num_addresses - 0x0201)
        if offset not in seen and offset & 0xFF not in (0, 255):
            seen.add(offset)
            yield str(OUTSIDE[offset])


def _take(addresses: Iterator[str], count: int) -> tuple[str, ...]:
    return tuple(next(addresses) for _ in range(count))


def _inside(dice: Random, networks: dict[str, IPv4Network]) -> list[Host]:
    hosts = []
    for switch in INSIDE_SWITCHES:
        free = iter(dice.sample(range(10, 250), 12))
        for name, where, count in _INSIDE_HOSTS:
            if where == switch:
                hosts.append(
                    Host(name, switch, tuple(str(networks[switch][next(free)]) for _ in range(count)))
                )
    return hosts


def _ports(dice: Random) -> Ports:
    care, website, portal = dice.sample(range(8001, 8990), 3)
    media = dice.randrange(10_000, 30_000, 100)
    return Ports(
        care=care,
        website=website,
        portal=portal,
        command=dice.choice((80, 443)),
        media_first=media,
        media_last=media + dice.choice((199, 499, 999)),
    )


def _attack(dice: Random, victim: Account, patients: tuple[str, ...]) -> Attack:
    wrong = [_password(dice) for _ in range(dice.randint(24, 36))]
    taken = dice.sample(patients, dice.randint(220, 480))
    absent = [str(dice.randint(1_000_000, 1_999_999)) for _ in range(dice.randint(5, 15))]
    again = dice.sample(taken, dice.randint(5, 25))
    asked = [*taken, *absent, *again]
    dice.shuffle(asked)
    return Attack(
        passwords=(*wrong, victim.password),
        guess_pause=dice.uniform(0.06, 0.12),
        scanned_ports=tuple(dice.sample(_SCANNABLE + _SCANNABLE_HIGH, 34)),
        beacon_pause=dice.uniform(0.45, 0.7),
        beacon_jitter=dice.uniform(0.0, 0.06),
        beacons=dice.randint(14, 20),
        stolen=tuple(asked),
        batch=dice.randint(15, 30),
    )


def _word(dice: Random) -> str:
    return "".join(dice.choice(_SYLLABLES) for _ in range(3))


def _password(dice: Random) -> str:
    return f"{_word(dice).capitalize()}-{dice.randint(10, 99)}"


def _phone(dice: Random) -> str:
    """A Belgian-looking number that cannot be anybody's: no subscriber number starts with 00."""
    return f"+32 2 00{dice.randint(0, 9)} {dice.randint(10, 99)} {dice.randint(10, 99)}"
