"""What the site adds to events: sides, doors, destinations, care files, pace."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.surroundings import Surroundings, normal
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds
from rempart.site.description import parse

SITE = """
id = "home"
name = "Home"
template = "nursing-home"
languages = ["en"]
phone = "+32 2 000 00 01"
known_devices = ["02:00:5E:10:00:02"]

[uplink]
interface = "wan"
addresses = ["198.51.100.2/24"]

[[zones]]
id = "wards"
name = "Wards"
interface = "lan"
networks = ["10.0.1.0/24", "2001:db8:1::/64"]

[[openings]]
id = "web-browse"
mark = 1
name = "Browsing"
direction = "out"
zones = ["wards"]
hosts = ["*"]
services = ["tcp/443"]
care = 6
lifeline = false
fallback = { text = "Telephone" }

[[openings]]
id = "backup"
mark = 2
name = "Backup"
direction = "out"
zones = ["wards"]
hosts = ["backup.example", "192.0.2.95"]
services = ["tcp/443"]
care = 5
lifeline = false
fallback = { text = "Disk" }

[care_files]
server = "care"
person = "^/patients/([0-9]+)/"

[[assets]]
id = "care"
name = "Care files"
zone = "wards"
addresses = ["10.0.1.10"]
mac = "02:00:5e:10:00:03"
"""

_SITE = parse(SITE, "site.toml")


@pytest.fixture(scope="module")
def home() -> Surroundings:
    return Surroundings.of(_SITE)


def described(home: Surroundings, **fields: Any) -> dict[str, Any]:
    return dict(home.describe(Event(LogSource(), fields, "log", 1, Instant(seconds(125.5)))).fields)


@pytest.mark.parametrize(
    ("address", "side"),
    [
        ("10.0.1.9", "inside"),
        ("::ffff:10.0.1.9", "inside"),
        ("2001:db8:1::7", "inside"),
        ("127.0.0.1", "inside"),
        ("198.51.100.2", "inside"),
        ("198.51.100.3", "outside"),
        ("203.0.113.9", "outside"),
        ("no address", "unknown"),
    ],
)
def test_the_side_of_an_address(home: Surroundings, address: str, side: str) -> None:
    assert described(home, **{"c-ip": address})["from"] == side


def test_addresses_get_their_shortest_form(home: Surroundings) -> None:
    assert described(home, src_ip="::ffff:192.0.2.7")["src_ip"] == "192.0.2.7"
    assert described(home, src_ip="2001:DB8:0::1")["src_ip"] == "2001:db8::1"


def test_a_flow_through_a_narrow_door_or_to_its_host_goes_to_a_known_place(home: Surroundings) -> None:
    assert described(home, src_ip="10.0.1.9", dst_ip="192.0.2.4", mark=2)["destination"] == "known"
    assert described(home, src_ip="10.0.1.9", dst_ip="192.0.2.95", mark=1)["destination"] == "known"
    browsing = described(home, src_ip="10.0.1.9", dst_ip="192.0.2.4", mark=1)
    assert (browsing["opening"], "destination" in browsing) == ("web-browse", False)


def test_the_pace_is_the_number_of_the_second_and_the_minute(home: Surroundings) -> None:
    fields = described(home, src_ip="10.0.1.9", dst_ip="192.0.2.4")
    assert (fields["slot-1s"], fields["slot-1m"]) == (125, 2)


def test_whose_care_file(home: Surroundings) -> None:
    assert described(home, **{"cs-uri-stem": "/patients/4711/x"})["person"] == "4711"
    assert "person" not in described(home, **{"cs-uri-stem": "/patients/"})


def test_known_devices_are_those_listed_and_the_assets(home: Surroundings) -> None:
    assert set(home.placeholders["known_devices"]) == {"02:00:5e:10:00:02", "02:00:5e:10:00:03"}
    assert "known_devices" not in Surroundings().placeholders


VALUES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from(["c-ip", "src_ip", "dst_ip", "mark", "cs-uri-stem", "x"]), VALUES))
def test_any_fields_can_be_described_and_none_is_lost(fields: dict[str, Any]) -> None:
    home = Surroundings.of(_SITE)
    assert described(home, **fields).keys() >= fields.keys()


@given(st.text(max_size=60))
def test_normal_never_raises(text: str) -> None:
    assert normal(text) is None or str(normal(text))
