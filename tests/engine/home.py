"""A small home, its policy, and findings about it."""

import hashlib
from collections.abc import Iterable
from importlib import resources

from rempart.containment import policy
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.engine.facts import AnyFact
from rempart.engine.inputs import Command, Seal
from rempart.engine.step import Terms
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant
from rempart.site.hours import Hours
from rempart.site.opening import Direction, Fallback, Opening, OpeningState, Publication, Service, Transport
from rempart.site.probe import Probe, ProbeKind
from rempart.site.site import (
    Asset,
    AssetKind,
    CareFiles,
    Language,
    OutsideWall,
    Safeguard,
    Site,
    Uplink,
    Ward,
    Zone,
)
from rempart.site.trial import DAY, TrialLength

NOW = Instant(1_700_000_000_000_000)
HTTPS = (Service(Transport.TCP, 443, 443),)
ATTACKER = "198.51.100.66"
SCANNER = "198.51.100.99"
COMMANDER = "198.51.100.77"
WARD_PC = "10.1.0.21"
STOLEN = "dr.lambert"


def opening(name: str, mark: int, **fields: object) -> Opening:
    """An opening with ordinary values where none are given."""
    values: dict[str, object] = {
        "id": name,
        "mark": mark,
        "name": name.title(),
        "direction": Direction.OUT,
        "zones": ("wards",),
        "hosts": ("*",),
        "services": HTTPS,
        "care": 3,
        "lifeline": False,
        "fallback": Fallback(text="telephone", phone="04 000 00 10"),
    }
    return Opening(**{**values, **fields})  # type: ignore[arg-type]  # the fields are checked by Opening's users


SITE = Site(
    id="les-tilleuls",
    name="Les Tilleuls",
    template="nursing-home",
    languages=(Language.FRENCH,),
    phone="04 000 00 10",
    uplink=Uplink(interface="wan", addresses=("203.0.113.1/24",)),
    zones=(
        Zone(id="wards", name="Wards", interface="wards", networks=("10.1.0.0/24",), reaches=("servers",)),
        Zone(id="servers", name="Servers", interface="servers", networks=("10.2.0.0/24",)),
        Zone(id="dmz", name="DMZ", interface="dmz", networks=("10.3.0.0/24",)),
    ),
    openings=(
        opening("telephone", 1, lifeline=True, care=1, hosts=("203.0.113.40",), direction=Direction.BOTH),
        opening("ehealth", 2, care=1, hosts=("203.0.113.50",)),
        opening(
            "portal",
            3,
            care=2,
            direction=Direction.IN,
            publication=Publication(host="portal.example", zone="dmz", address="10.3.0.11", port=8080),
        ),
        opening(
            "website",
            4,
            care=5,
            direction=Direction.IN,
            publication=Publication(host="www.example", zone="dmz", address="10.3.0.10", port=8080),
        ),
        opening("browsing", 5, care=6),
        opening("maintenance", 6, direction=Direction.IN, normally=OpeningState.CLOSED),
    ),
    assets=(
        Asset(id="ward-pc", name="PC", zone="wards", addresses=(WARD_PC,), kind=AssetKind.WORKSTATION),
        Asset(id="files", name="Care files", zone="servers", addresses=("10.2.0.10",), kind=AssetKind.SERVER),
        Asset(id="pump", name="Pump", zone="wards", addresses=("10.1.0.90",), kind=AssetKind.BIOMEDICAL),
    ),
    safeguards=(
        Safeguard(
            id="operators",
            interface="mgmt",
            networks=("10.9.0.0/24",),
            services=(Service(Transport.TCP, 22, 22),),
        ),
    ),
    hours=Hours(days=(1, 2, 3, 4, 5, 6, 7), begins=0, ends=24 * 60),
    wards=(
        Ward(id="ground", name="Ground floor"),
        Ward(id="first", name="First floor", phone="04 000 00 21"),
    ),
    outside_wall=(
        OutsideWall(name="Microsoft 365", action="end all sessions", then=("reset the passwords",)),
        OutsideWall(name="Hosted care file", action="ask for the sign-ins", phone="04 000 00 99"),
    ),
    probes=(
        Probe(id="care-file", name="Care file", kind=ProbeKind.TCP, address="10.2.0.10", port=443),
        Probe(
            id="cut",
            name="Through the cut",
            kind=ProbeKind.TCP,
            address="198.51.100.1",
            port=443,
            opening="browsing",
        ),
    ),
    quiet_hours=0,
    trial=TrialLength(shortest=0, longest=14 * DAY),  # clocks are short here
    care_files=CareFiles(server="files", person=r"^/patients/(\d+)/"),
)


def shipped_policy() -> policy.Policy:
    """The policy that ships with Rempart."""
    text = resources.files("rempart.containment").joinpath("policy.toml").read_text(encoding="utf-8")
    return policy.parse(text, "policy.toml")


def finding(kind: Kind, **fields: object) -> Finding:
    """A finding; its id follows from its content."""
    values: dict[str, object] = {
        "rule": f"rule-{kind.value}",
        "title": kind.value.title(),
        "level": Level.HIGH,
        "kind": kind,
        "outcome": Outcome.ATTEMPT,
        "time": NOW,
        "source": "/var/log/x",
        "record": 1,
        "spoofable": False,
        **fields,
    }
    digest = hashlib.sha256(repr(sorted(values.items(), key=str)).encode()).hexdigest()
    return Finding(**{"id": digest, **values})  # type: ignore[arg-type]


def sealed(commands: Iterable[Command]) -> list[AnyFact]:
    """The facts that these commands seal, in order."""
    return [fact for command in commands if isinstance(command, Seal) for fact in command.facts]


def seen(role: Role, kind: ObservableKind, value: str) -> Observable:
    """An observable, its kind first."""
    return Observable(kind, role, value)


def by(address: str) -> Observable:
    """An address that acts."""
    return Observable(ObservableKind.ADDRESS, Role.ACTOR, address)


def at(address: str) -> Observable:
    """An address that something is done to."""
    return Observable(ObservableKind.ADDRESS, Role.VICTIM, address)


def account(name: str) -> Observable:
    """An account that takes part."""
    return Observable(ObservableKind.ACCOUNT, Role.RELATED, name)


GUESSING = finding(Kind.GUESSING, observables=(by(ATTACKER), at("10.3.0.11"), account(STOLEN)))
BROKEN_IN = finding(
    Kind.INTRUSION,
    outcome=Outcome.SUCCESS,
    observables=(by(ATTACKER), at("10.3.0.11"), account(STOLEN)),
)
RECORDS = finding(
    Kind.RECORDS, outcome=Outcome.SUCCESS, observables=(by(WARD_PC), at("10.2.0.10"), account(STOLEN))
)
BEACON = finding(Kind.COMMAND, observables=(by(WARD_PC), at(COMMANDER)))
SCAN = finding(Kind.SCAN, level=Level.LOW, spoofable=True, observables=(by(ATTACKER), at("203.0.113.1")))
OTHER_SCAN = finding(Kind.SCAN, level=Level.LOW, spoofable=True, observables=(by(SCANNER), at("203.0.113.1")))
OTHER_PROBE = finding(Kind.PROBE, level=Level.MEDIUM, observables=(by(SCANNER), at("10.3.0.10")))
RELAPSE = finding(
    Kind.SIGN_IN,
    level=Level.INFORMATIONAL,
    outcome=Outcome.SUCCESS,
    observables=(by("198.51.100.67"), at("10.3.0.11"), account(STOLEN)),
)


def terms() -> Terms:
    """The home and the shipped policy."""
    return Terms(SITE, shipped_policy())
