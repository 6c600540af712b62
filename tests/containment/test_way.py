import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rempart.containment.way import port_ranges, ways
from rempart.site.opening import Service, Transport
from rempart.site.site import Site


def test_the_narrowest_first_and_what_is_published_not_at_all(site: Site) -> None:
    found = [(way.opening.id, way.outward, way.transport.value) for way in ways(site)]
    assert found.index(("e-health", True, "tcp")) < found.index(("browsing", True, "tcp"))
    assert {name for name, _, _ in found} == {"telephone", "e-health", "browsing", "vendor"}
    assert ("telephone", True, "udp") in found
    assert ("telephone", False, "udp") in found


def test_a_longer_prefix_wins(site: Site) -> None:
    wide = replace(site.opening("e-health"), id="wide", mark=9, hosts=("192.0.2.0/24",))
    narrow = replace(site.opening("e-health"), id="narrow", mark=10, hosts=("192.0.2.0/28",))
    found = [way.opening.id for way in ways(replace(site, openings=(wide, narrow)))]
    assert found == ["narrow", "wide"]


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 50)), max_size=8))
def test_ranges_hold_the_same_ports_without_touching(spans: list[tuple[int, int]]) -> None:
    services = [Service(Transport.TCP, first, first + more) for first, more in spans]
    ranges = port_ranges(services, Transport.TCP)
    ports = {port for first, last in ranges for port in range(first, last + 1)}
    assert ports == {port for first, more in spans for port in range(first, first + more + 1)}
    assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(ranges))
    assert port_ranges(services, Transport.UDP) == ()
