"""What stops if we cut, from yesterday's flows."""

from dataclasses import replace

from engine.home import SITE, WARD_PC
from rempart.care.forecast import Fate, Flow, forecast
from rempart.site.site import Asset, AssetKind

TABLETS = tuple(
    Asset(id=f"t{n}", name="Tablet", zone="wards", addresses=(f"10.1.0.{40 + n}",), kind=AssetKind.TABLET)
    for n in range(4)
)
HOUSE = replace(SITE, assets=(*SITE.assets, *TABLETS))


def flow(source: str, destination: str, port: int = 443, transport: str = "tcp", mark: int = 0) -> Flow:
    return Flow(source=source, destination=destination, transport=transport, port=port, mark=mark)


def test_machines_are_counted_by_kind_and_opening() -> None:
    flows = [flow(tablet.addresses[0], "203.0.113.50") for tablet in TABLETS for _ in range(3)]
    found = forecast(HOUSE, [*flows, flow(WARD_PC, "203.0.113.40"), flow("10.1.0.99", "198.51.100.1")])
    by_name = {line.opening: line for line in found.lines}
    assert by_name["ehealth"].machines == {"tablet": 4}
    assert (by_name["ehealth"].flows, by_name["ehealth"].fate) == (12, Fate.STOPS)
    assert by_name["telephone"].fate is Fate.GOES_ON
    assert by_name["browsing"].machines == {"unlisted": 1}
    assert (found.unknown, found.flows) == ((), 14)


def test_what_no_opening_is_for_is_unknown_the_most_used_first() -> None:
    flows = [flow(WARD_PC, "198.51.100.7", 9000)] * 5 + [flow(WARD_PC, "198.51.100.8", 123, "udp")] * 2
    found = forecast(HOUSE, flows)
    assert found.unknown_flows == 7
    assert [(each.destination, each.flows) for each in found.unknown] == [
        ("198.51.100.7", 5),
        ("198.51.100.8", 2),
    ]
    assert found.unknown[0].machines == {"workstation": 1}


def test_the_kernels_name_for_a_connection_wins() -> None:
    found = forecast(HOUSE, [flow(WARD_PC, "198.51.100.7", 9000, mark=0x10002)])
    assert [line.opening for line in found.lines] == ["ehealth"]


def test_visits_from_outside_are_counted_by_their_opening() -> None:
    found = forecast(HOUSE, [flow("198.51.100.66", "10.3.0.11", 8080, mark=3)])
    assert [(line.opening, line.flows, dict(line.machines)) for line in found.lines] == [("portal", 1, {})]


def test_what_stays_inside_or_goes_to_everybody_says_nothing() -> None:
    flows = [flow(WARD_PC, "10.2.0.10"), flow(WARD_PC, "224.0.0.251", 5353, "udp"), flow("bad", "worse")]
    assert forecast(HOUSE, flows).flows == 0


def test_a_scan_of_the_whole_internet_is_counted_in_bounded_memory() -> None:
    flows = (flow(WARD_PC, f"198.{n >> 16}.{n >> 8 & 255}.{n & 255}", 9) for n in range(30_000))
    found = forecast(HOUSE, flows)
    assert found.unknown_flows == 30_000
    assert len(found.unknown) == 10_001
