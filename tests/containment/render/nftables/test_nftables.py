import re
from dataclasses import replace
from ipaddress import ip_network

from hypothesis import assume, given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.nftables import layout, ruleset
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site

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


def test_openings_by_name_lead_to_what_was_leased(resolving: Site, snapshot: SnapshotAssertion) -> None:
    lines = ruleset(resolving, Enforcement(stands={}), NOW).splitlines()
    told = ("leased", "common", "past_the_resolver", "dport { 53", "proto-dst 443")
    assert [line.strip() for line in lines if any(word in line for word in told)] == snapshot


def test_the_layout_does_not_depend_on_what_is_wanted(site: Site) -> None:
    other = replace(site, zones=site.zones[:2])
    assert layout(site) == layout(site) != layout(other)


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
