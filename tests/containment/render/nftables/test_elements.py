import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.containment.holdings import holdings
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.nftables import changes, differences, ruleset
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site

NOW = Instant(1_000_000_000)
MINUTE = 60_000_000
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


def later(duration: int) -> Instant:
    return Instant(NOW + duration)


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


@pytest.mark.parametrize(
    "hostile", ["fe80::1%eth0 }; flush ruleset", "1.2.3.4 }", "", "website", "1.2.3.4/33"]
)
def test_a_target_that_is_no_address_is_refused(site: Site, hostile: str) -> None:
    with pytest.raises(InputRefused):
        ruleset(site, Enforcement(stands={}, blocked={hostile: None}), NOW)
