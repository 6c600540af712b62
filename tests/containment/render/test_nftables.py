import re
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.containment.holdings import holdings
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.nftables import changes, differences, layout, ruleset
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site
from rempart.site.staff_page import StaffPage

NOW = Instant(1_000_000_000)
MINUTE = 60_000_000
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


def later(duration: int) -> Instant:
    return Instant(NOW + duration)


def test_a_house_that_is_contained(site: Site, snapshot: SnapshotAssertion) -> None:
    wanted = Enforcement(
        stands={
            "telephone": Stand(state=FILTERED),
            "e-health": Stand(state=FILTERED, until=later(5 * MINUTE), then=CLOSED),
        },
        contained=True,
        blocked={"198.51.100.66": later(MINUTE), "198.51.100.0/24": None, "2001:db8:bad::/48": None},
        isolated={"pc-7": None},
    )
    assert ruleset(site, wanted, NOW) == snapshot


def test_the_staff_page_is_read_from_inside_only(site: Site) -> None:
    page = replace(site, staff_page=StaffPage(address="10.1.0.1"))
    before, after = (ruleset(each, Enforcement(stands={}), NOW).splitlines() for each in (site, page))
    (rule,) = (line.strip() for line in after if line not in before and "chain layout" not in line)
    assert rule == "iifname @inside ip daddr 10.1.0.1 tcp dport 8421 accept"


def test_openings_by_name_lead_to_what_was_leased(resolving: Site, snapshot: SnapshotAssertion) -> None:
    lines = ruleset(resolving, Enforcement(stands={}), NOW).splitlines()
    told = ("leased", "common", "past_the_resolver", "dport { 53", "proto-dst 443")
    assert [line.strip() for line in lines if any(word in line for word in told)] == snapshot


def test_nothing_changes_when_nothing_differs(site: Site) -> None:
    held = holdings(site, Enforcement(stands={"telephone": Stand(state=OPEN)}), NOW)
    assert changes(differences(held, held), NOW) == ""


def test_the_same_deadline_read_back_with_rounding_is_no_change(site: Site) -> None:
    trial = Enforcement(stands={"website": Stand(state=OPEN, until=later(MINUTE), then=CLOSED)})
    rounded = Enforcement(stands={"website": Stand(state=OPEN, until=later(MINUTE - 900_000), then=CLOSED)})
    assert changes(differences(holdings(site, rounded, NOW), holdings(site, trial, NOW)), NOW) == ""


def test_a_trial_that_is_confirmed_loses_its_timeout(site: Site, snapshot: SnapshotAssertion) -> None:
    trial = Enforcement(stands={"website": Stand(state=OPEN, until=later(MINUTE), then=CLOSED)})
    confirmed = Enforcement(stands={"website": Stand(state=OPEN)})
    assert changes(differences(holdings(site, trial, NOW), holdings(site, confirmed, NOW)), NOW) == snapshot


def test_a_visit_reaches_the_machines_it_is_for(site: Site, snapshot: SnapshotAssertion) -> None:
    def visit(*hosts: str) -> Enforcement:
        limits = Limits(source="198.51.100.7", hosts=hosts)
        return Enforcement(
            stands={"vendor": Stand(state=FILTERED, until=later(MINUTE), then=CLOSED, limits=limits)}
        )

    lines = ruleset(site, visit("10.2.0.5"), NOW).splitlines()
    assert [line.strip() for line in lines if "visit" in line] == snapshot
    before, after = holdings(site, visit("10.2.0.5"), NOW), holdings(site, visit("10.2.0.6"), NOW)
    assert changes(differences(before, after), NOW) == snapshot


def test_the_layout_does_not_depend_on_what_is_wanted(site: Site) -> None:
    other = replace(site, zones=site.zones[:2])
    assert layout(site) == layout(site) != layout(other)


@pytest.mark.parametrize("hostile", ['a"; flush ruleset; "', "wan\n", "a b", "", "x" * 16, "*"])
def test_an_interface_that_is_no_name_is_refused(site: Site, hostile: str) -> None:
    with pytest.raises(InputRefused):
        layout(replace(site, uplink=replace(site.uplink, interface=hostile)))


@pytest.mark.parametrize(
    "hostile", ["fe80::1%eth0 }; flush ruleset", "1.2.3.4 }", "", "website", "1.2.3.4/33"]
)
def test_a_target_that_is_no_address_is_refused(site: Site, hostile: str) -> None:
    with pytest.raises(InputRefused):
        ruleset(site, Enforcement(stands={}, blocked={hostile: None}), NOW)


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            '"; flush ruleset; "',
            "x\n}\nflush ruleset",
            "a' }} # $(reboot)",
            "\x1b[31m",
            "\u202eevil",
            "; delete table ip neighbour",
        ]
    ),
)


@given(text=HOSTILE)
def test_words_of_the_site_appear_in_log_prefixes_alone(site: Site, text: str) -> None:
    first, *rest = site.openings
    spoken = replace(
        site,
        id=text,
        name=text,
        openings=(replace(first, id=text, name=text, hosts=(*first.hosts, text)), *rest),
        zones=tuple(replace(zone, name=text) for zone in site.zones),
    )
    everything_closed = Enforcement(stands={})

    def unworded(house: Site) -> str:
        rendered = ruleset(house, everything_closed, NOW)
        return re.sub(r'log prefix "[A-Za-z0-9:._-]{1,80}"|layout_[0-9a-f]+', "", rendered)

    assume("*" not in text and not is_network(text))
    assert unworded(spoken) == unworded(site)


def is_network(text: str) -> bool:
    try:
        ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return False
    return True
