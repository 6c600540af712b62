from dataclasses import replace
from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from rempart.containment.holdings import cut, enforcement, held_at, holdings, network
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site

NOW = Instant(10_000_000)
DEADLINES = st.one_of(st.none(), st.integers(0, 60_000_000).map(Instant))
STATES = st.sampled_from(OpeningState)
STANDS = st.one_of(
    st.builds(Stand, state=STATES),
    st.builds(Stand, state=STATES, until=st.integers(0, 60_000_000).map(Instant), then=STATES),
)
VISITS = st.builds(
    Stand,
    state=st.just(OpeningState.FILTERED),
    until=st.integers(0, 60_000_000).map(Instant),
    then=st.just(OpeningState.CLOSED),
    limits=st.builds(
        Limits,
        source=st.just("198.51.100.7"),
        hosts=st.sets(st.sampled_from(["10.2.0.5", "10.2.0.6"]), min_size=1).map(
            lambda hosts: tuple(sorted(hosts))
        ),
    ),
)
IDS = ("telephone", "e-health", "browsing", "website", "gp-portal", "vendor", "updates")
TARGETS = st.one_of(
    st.integers(0, 255).map(lambda host: f"192.0.2.{host}"),
    st.tuples(st.integers(0, 255), st.integers(22, 31)).map(
        lambda pair: str(ip_network((f"192.0.2.{pair[0]}", pair[1]), strict=False))
    ),
    st.integers(0, 9).map(lambda host: f"2001:db8::{host}"),
    st.integers(0, 9).map(lambda host: f"::ffff:192.0.2.{host}"),
)
WANTED = st.builds(
    Enforcement,
    stands=st.fixed_dictionaries(dict.fromkeys(IDS, STANDS) | {"vendor": STANDS | VISITS}),
    contained=st.booleans(),
    blocked=st.dictionaries(TARGETS, DEADLINES, max_size=8),
    isolated=st.dictionaries(st.sampled_from(["pc-7", "pump", "care"]), DEADLINES),
)


@given(wanted=WANTED)
def test_what_is_held_reads_back_as_what_was_wanted(site: Site, wanted: Enforcement) -> None:
    held = enforcement(site, holdings(site, wanted, NOW), wanted.blocked)
    assert disagreements(wanted, held, NOW) == ()


def test_a_block_in_a_wider_one_that_ends_sooner_is_no_drift(site: Site) -> None:
    """The kernel holds the wider until the later end; both are told as they were decided, and neither for longer."""
    soon, late = Instant(NOW + 60_000_000), Instant(NOW + 3_600_000_000)
    wanted = Enforcement(stands={}, blocked={"192.0.2.0/24": soon, "192.0.2.64/26": late, "192.0.2.66": None})
    held = holdings(site, wanted, NOW)
    assert held.blocked == {"192.0.2.0/24": late, "192.0.2.66": None}
    assert enforcement(site, held, wanted.blocked).blocked == wanted.blocked
    changed = replace(held, blocked={"192.0.2.0/24": soon})
    assert enforcement(site, changed, wanted.blocked).blocked == {"192.0.2.0/24": soon, "192.0.2.64/26": soon}
    after_it = holdings(site, wanted, soon)
    assert after_it.blocked == {"192.0.2.64/26": late, "192.0.2.66": None}


@given(blocked=st.dictionaries(TARGETS, st.none(), max_size=30))
def test_no_block_lies_in_another_and_none_is_lost(site: Site, blocked: dict[str, None]) -> None:
    held = [network(text) for text in holdings(site, Enforcement(stands={}, blocked=blocked), NOW).blocked]
    wide = [each for each in held if each.num_addresses > 1]
    assert all(
        one is other or one.version != other.version or not one.overlaps(other)
        for one in wide
        for other in wide
    )
    for target in map(network, blocked):
        assert any(each.version == target.version and target.subnet_of(each) for each in held)  # type: ignore[arg-type]


def test_very_many_networks_do_not_keep_anybody_waiting(site: Site) -> None:
    """Compared each with each, as they once were, these would take ten minutes."""
    nets = dict.fromkeys(f"{10 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24" for n in range(30_000))
    held = holdings(site, Enforcement(stands={}, blocked=nets), NOW)
    within = {"10.0.7.9/32": None, "10.0.7.128/25": None, "9.255.255.0/24": None}
    found = enforcement(site, held, nets | within).blocked
    assert found.keys() == nets.keys() | {"10.0.7.128/25"}


@given(wanted=WANTED, later=st.integers(NOW, 70_000_000).map(Instant))
def test_what_is_remembered_ends_as_what_is_held(site: Site, wanted: Enforcement, later: Instant) -> None:
    held = enforcement(site, held_at(holdings(site, wanted, NOW), later))
    assert disagreements(replace(wanted, blocked={}), replace(held, blocked={}), later) == ()
    assert all(until is None or until > later for until in held.blocked.values())


@given(wanted=WANTED)
def test_every_wanted_block_is_covered_for_as_long(site: Site, wanted: Enforcement) -> None:
    held = holdings(site, wanted, NOW).blocked
    read = enforcement(site, holdings(site, wanted, NOW), wanted.blocked).blocked
    for target, until in wanted.blocked.items():
        if until is None or until > NOW:
            end = read[target]
            assert end is None or (until is not None and end >= until)
    networks = [ip_network(text) for text in held if "/" in text]
    assert not [one for one in networks for two in networks if one is not two and one.overlaps(two)]


@given(wanted=WANTED)
def test_containment_cuts_what_is_closed_and_nothing_else(site: Site, wanted: Enforcement) -> None:
    done = cut(site, wanted, NOW)
    held = enforcement(site, holdings(site, wanted, NOW))
    for opening in site.openings:
        if done and opening.mark in done.closed:
            assert wanted.contained
            assert held.stands[opening.id] == Stand(state=OpeningState.CLOSED)


def test_an_opening_nobody_spoke_of_is_closed(site: Site) -> None:
    held = enforcement(site, holdings(site, Enforcement(stands={}), NOW))
    assert set(held.stands.values()) == {Stand(state=OpeningState.CLOSED)}


def test_limits_that_nobody_can_keep_leave_the_door_shut(site: Site) -> None:
    limits = Limits(source="198.51.100.7", hosts=("10.2.0.5",))
    visit = Stand(
        state=OpeningState.FILTERED, until=Instant(60_000_000), then=OpeningState.CLOSED, limits=limits
    )
    for name, stand in (("browsing", visit), ("vendor", replace(visit, until=None))):
        held = holdings(site, Enforcement(stands={name: stand}), NOW)
        assert enforcement(site, held).stands[name] == Stand(state=OpeningState.CLOSED)
