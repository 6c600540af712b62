"""A small house to render and to protect: documentation addresses, both families, one opening of each kind."""

from dataclasses import replace

import pytest

from rempart.site.opening import (
    Direction,
    Fallback,
    Opening,
    OpeningState,
    Publication,
    Service,
    Transport,
)
from rempart.site.site import (
    Asset,
    AssetKind,
    CareFiles,
    Language,
    Resolver,
    Safeguard,
    Site,
    Uplink,
    Zone,
)


def service(text: str) -> Service:
    transport, ports = text.split("/")
    first, _, last = ports.partition("-")
    return Service(Transport(transport), int(first), int(last or first))


def opening(identity: str, mark: int, direction: str, hosts: str, services: str, **more: object) -> Opening:
    values = {
        "zones": ("wards", "servers"),
        "care": 4,
        "lifeline": False,
        "fallback": Fallback(text="paper", phone="04 000 00 12"),
        **more,
    }
    return Opening(
        id=identity,
        mark=mark,
        name=identity.capitalize(),
        direction=Direction(direction),
        hosts=tuple(hosts.split()),
        services=tuple(map(service, services.split())),
        **values,  # type: ignore[arg-type]
    )


OPENINGS = (
    opening(
        "telephone", 1, "both", "192.0.2.10", "udp/5060 udp/10000-20000 tcp/5060-5061", care=1, lifeline=True
    ),
    opening("e-health", 2, "out", "192.0.2.20 2001:db8:f::20", "tcp/443", care=1),
    opening("browsing", 3, "out", "*", "tcp/80 tcp/443 udp/443", care=6),
    opening(
        "website",
        4,
        "in",
        "*",
        "tcp/80",
        care=5,
        zones=("dmz",),
        publication=Publication(host="www.tilleuls.example", zone="dmz", address="10.3.0.2", port=8080),
    ),
    opening(
        "gp-portal",
        5,
        "in",
        "*",
        "tcp/80",
        care=3,
        zones=("dmz",),
        publication=Publication(host="portail.tilleuls.example", zone="dmz", address="10.3.0.3", port=8080),
    ),
    opening(
        "vendor",
        6,
        "in",
        "198.51.100.0/28",
        "udp/1194",
        care=3,
        normally=OpeningState.CLOSED,
        zones=("servers",),
    ),
    opening("updates", 7, "out", "updates.example", "tcp/443", care=2),
)


@pytest.fixture(scope="session")
def site() -> Site:
    return Site(
        id="tilleuls",
        name="Les Tilleuls",
        template="nursing-home",
        languages=(Language.FRENCH, Language.DUTCH),
        phone="04 000 00 00",
        uplink=Uplink(interface="wan", addresses=("203.0.113.2/24", "2001:db8:1::2/64")),
        zones=(
            Zone(
                id="wards",
                name="Wards",
                interface="wards",
                networks=("10.1.0.0/24", "fd00:1::/64"),
                reaches=("servers",),
            ),
            Zone(id="servers", name="Servers", interface="servers", networks=("10.2.0.0/24", "fd00:2::/64")),
            Zone(id="dmz", name="DMZ", interface="dmz", networks=("10.3.0.0/24",)),
        ),
        openings=OPENINGS,
        assets=(
            Asset(id="pc-7", name="PC", zone="wards", addresses=("10.1.0.7", "fd00:1::7")),
            Asset(
                id="pump",
                name="Pump",
                zone="wards",
                addresses=("10.1.0.9",),
                kind=AssetKind.BIOMEDICAL,
            ),
            Asset(
                id="care", name="Care files", zone="servers", addresses=("10.2.0.5",), kind=AssetKind.SERVER
            ),
            Asset(id="tablet", name="Tablet", zone="wards", addresses=()),
        ),
        safeguards=(
            Safeguard(
                id="operators",
                interface="mgmt",
                networks=("10.9.0.0/24", "10.9.0.0/25", "fd00:9::/64"),
                services=(service("tcp/22"),),
            ),
        ),
        care_files=CareFiles(server="care", person="/file/([0-9]+)"),
    )


@pytest.fixture(scope="session")
def resolving(site: Site) -> Site:
    """The same house with a resolver of its own, and a hosted care file on a content network."""
    return replace(
        site,
        openings=(
            *site.openings,
            opening("names", 8, "out", "192.0.2.53 2001:db8:f::53", "udp/53 tcp/53", care=0, lifeline=True),
            opening(
                "care-file", 9, "out", "care.example", "tcp/443", care=1, lifeline=True, shared_addresses=True
            ),
        ),
        resolver=Resolver(opening="names", relays=("care",)),
    )
