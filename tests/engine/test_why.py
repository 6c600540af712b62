"""What stops packets of an address: each cause, with who, since when and until when."""

import pytest

from engine.home import NOW, SITE, WARD_PC
from engine.test_step import Talk
from engine.test_visit import HOUSE, SUPPLIER
from engine.test_visit import TERMS as VISITED
from rempart.engine import orders
from rempart.engine.inputs import Ordered
from rempart.engine.state import initial
from rempart.engine.step import step
from rempart.engine.why import Cause, Reason, why
from rempart.errors import InputRefused
from rempart.instants import after, seconds
from rempart.site.opening import OpeningState

COUNTED = {"blocked": 7, "isolated": 1, "closed_5": 9, "limited_1": 2, "between_zones": 4, "unclassified": 3}


def told(talk: Talk, address: str) -> dict[tuple[Cause, str], Reason]:
    return {(each.cause, each.what): each for each in why(SITE, talk.state, address, COUNTED)}


def test_on_an_ordinary_day_nothing_stops_a_peer_outside_but_what_is_always_closed() -> None:
    reasons = told(Talk(), "198.51.100.66")
    assert set(reasons) == {(Cause.CLOSED, "maintenance")}
    assert reasons[Cause.CLOSED, "maintenance"].since is None
    assert reasons[Cause.CLOSED, "maintenance"].by == ""


def test_a_block_is_attributable_by_address_and_by_network() -> None:
    talk = Talk().order(orders.Block(by="Alex", target="198.51.100.0/24", seconds=3600, reason="scans"))
    reason = told(talk, "198.51.100.66")[Cause.BLOCKED, "198.51.100.0/24"]
    assert (reason.by, reason.since, reason.reason, reason.refused) == ("Alex", talk.now, "scans", 7)
    assert reason.until == after(talk.now, seconds(3600))
    assert (Cause.BLOCKED, "198.51.100.0/24") not in told(talk, "192.0.2.1")
    assert (Cause.BLOCKED, "198.51.100.0/24") not in told(talk, "2001:db8::1")


def test_the_cut_names_who_cut_and_lifelines_are_said_to_be_filtered() -> None:
    talk = Talk().order(orders.Contain(by="Night nurse", reason="records are leaving", confirm_within=60))
    reasons = told(talk, "203.0.113.40")
    cut = reasons[Cause.CONTAINED, "browsing"]
    assert (cut.by, cut.reason, cut.refused, cut.waits) == ("Night nurse", "records are leaving", 9, True)
    assert cut.until == after(talk.now, seconds(60))
    assert reasons[Cause.LIMITED, "telephone"].refused == 2


def test_a_door_closed_alone_is_not_called_contained() -> None:
    talk = Talk().order(orders.SetOpening(by="Alex", opening="browsing", state=OpeningState.CLOSED))
    assert told(talk, "192.0.2.1")[Cause.CLOSED, "browsing"].by == "Alex"


def test_inside_isolation_barriers_and_zones_are_told() -> None:
    talk = Talk().order(orders.Isolate(by="Alex", asset="ward-pc", reason="beacon"))
    talk.order(orders.Bar(by="Marc", passage="wards>servers"))
    reasons = told(talk, WARD_PC)
    assert reasons[Cause.ISOLATED, "ward-pc"].by == "Alex"
    assert reasons[Cause.BARRED, "wards>servers"].by == "Marc"
    assert reasons[Cause.ZONES, "wards>dmz"].refused == 4
    assert (Cause.ISOLATED, "ward-pc") not in told(talk, "10.1.0.22")


def test_who_is_no_part_of_a_limited_visit_is_told_whose_it_is() -> None:
    order = orders.OpenVisit(
        by="Anne",
        reason="bed sensors",
        opening="maintenance",
        visitor="J. Peeters",
        minutes=30,
        source=SUPPLIER,
        hosts=["files"],
    )
    state, _ = step(VISITED, initial(HOUSE), Ordered(NOW, order))

    def causes(address: str) -> dict[Cause, Reason]:
        return {each.cause: each for each in why(HOUSE, state, address, {"closed_6": 5})}

    colleague = causes("198.51.100.6")[Cause.VISIT]
    assert (colleague.by, colleague.reason, colleague.refused) == ("Anne", "bed sensors", 5)
    assert colleague.until == after(NOW, seconds(1800))
    assert Cause.VISIT in causes("10.2.0.77")
    assert Cause.VISIT not in causes(SUPPLIER)
    assert Cause.VISIT not in causes("10.2.0.10")


def test_what_has_no_opening_is_said_to_have_none() -> None:
    from dataclasses import replace

    narrow = replace(SITE, openings=tuple(o for o in SITE.openings if "*" not in o.hosts))
    (reason,) = why(narrow, Talk().state, "198.51.100.9", COUNTED)
    assert (reason.cause, reason.refused) == (Cause.UNCLASSIFIED, 3)


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0/8", "fe80::1%eth0\n", "1" * 90])
def test_only_an_address_can_be_asked_about(text: str) -> None:
    with pytest.raises(InputRefused):
        why(SITE, Talk().state, text, {})
