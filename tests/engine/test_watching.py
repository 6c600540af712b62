"""A station beside the path, as conversations: it sees, proposes and reports, and says what a person does by hand."""

from dataclasses import replace

import pytest

from engine.home import ATTACKER, BROKEN_IN, GUESSING, NOW, RECORDS, SITE, WARD_PC, sealed, terms
from rempart.detection.finding import Finding
from rempart.engine import facts, orders
from rempart.engine.fold.fitted import fitted
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Command, Enforce, Found, Ordered, Refuse, Ticked
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, enforcement, initial
from rempart.engine.step import step
from rempart.instants import after, minutes
from rempart.phrase import advice
from rempart.site.opening import OpeningState
from rempart.site.placement import ByHand, Placement

PLAN = ByHand(cut=("FortiGate in the cellar: unplug port 1, the red cable",), isolate=("Switch in room 012",))
BESIDE = replace(SITE, placement=Placement.OBSERVER, by_hand=PLAN)
TERMS = replace(terms(), site=BESIDE)


def told(state: State, order: AnyOrder) -> tuple[State, tuple[Command, ...]]:
    return step(TERMS, state, Ordered(NOW, order))


def seen(*findings: Finding) -> tuple[State, list[facts.AnyFact], list[Command]]:
    state, everything, done = initial(BESIDE), [], []
    for number, finding in enumerate(findings):
        now = after(NOW, minutes(number))
        state, commands = step(TERMS, state, Found(now, replace(finding, time=now)))
        everything += sealed(commands)
        done += commands
    return state, everything, done


@pytest.mark.parametrize(
    ("order", "by_hand"),
    [
        (orders.Contain(by="Anne"), "FortiGate in the cellar"),
        (orders.Contain(by="Anne"), "unplug the cable"),
        (orders.Block(by="Anne", target=ATTACKER), f"block {ATTACKER} at your firewall"),
        (orders.Isolate(by="Anne", asset="ward-pc"), "Switch in room 012"),
        (orders.Isolate(by="Anne", asset="ward-pc"), "network cable of ward-pc"),
        (orders.CloseLifeline(by="Anne", opening="telephone", fallback_confirmed=True), "at your firewall"),
        (orders.SetOpening(by="Anne", opening="website", state=OpeningState.CLOSED), "at your firewall"),
        (orders.Bar(by="Anne", passage="wards>servers"), "at your firewall"),
        (orders.Rehearse(by="Anne", seconds=600), "at your firewall"),
        (
            orders.OpenVisit(
                by="Anne", opening="maintenance", visitor="J. Peeters", minutes=30, source="198.51.100.7"
            ),
            "at your firewall",
        ),
    ],
)
def test_an_order_of_cutting_is_refused_with_what_a_person_does_by_hand(
    order: AnyOrder, by_hand: str
) -> None:
    state, commands = told(initial(BESIDE), order)
    refusal = next(command for command in commands if isinstance(command, Refuse))
    assert refusal.what == "this station only watches: it stops nothing, and this was not done"
    assert by_hand in advice(refusal.said)
    (declined,) = sealed(commands)
    assert isinstance(declined, facts.OrderDeclined)
    assert not any(isinstance(command, Enforce) for command in commands)
    assert enforcement(state) == enforcement(initial(BESIDE))


def test_without_a_plan_the_site_is_told_what_is_true_everywhere() -> None:
    bare = replace(BESIDE, by_hand=ByHand())
    _, commands = step(replace(TERMS, site=bare), initial(bare), Ordered(NOW, orders.Contain(by="Anne")))
    refusal = next(command for command in commands if isinstance(command, Refuse))
    assert advice(refusal.said).startswith("By hand: switch off the way out at your firewall")


def test_what_changes_no_packet_is_done_as_anywhere() -> None:
    state, commands = told(initial(BESIDE), orders.AnnounceNews(by="Anne", at=after(NOW, minutes(9))))
    assert state.news_at == after(NOW, minutes(9))
    assert not any(isinstance(command, Refuse) for command in commands)


def test_an_attack_is_seen_and_proposed_but_nothing_is_done() -> None:
    state, everything, done = seen(GUESSING, BROKEN_IN, RECORDS)
    assert [type(fact) for fact in everything if isinstance(fact, facts.FindingJoined)]
    measures = facts.Blocked | facts.Isolated | facts.Contained
    assert not any(isinstance(fact, measures) for fact in everything)
    assert not any(isinstance(command, Enforce) for command in done)
    proposed = {(each.action, each.target) for each in state.proposals.values()}
    assert ("contain", BESIDE.id) in proposed
    assert {action for action, _ in proposed} <= {"contain", "isolate"}
    contain = next(each for each in state.proposals.values() if each.action == "contain")
    after_it, commands = told(state, orders.ApproveMeasure(by="Anne", proposal=contain.id))
    refusal = next(command for command in commands if isinstance(command, Refuse))
    assert "FortiGate" in advice(refusal.said)
    assert after_it.proposals == state.proposals
    in_path = step(terms(), initial(SITE), Found(NOW, replace(BROKEN_IN, time=NOW)))[1]
    assert any(isinstance(fact, measures) for fact in sealed(in_path))


def test_what_was_held_in_the_path_is_not_told_beside_it_and_comes_back() -> None:
    state, lived = initial(SITE), []
    for order in (
        orders.Block(by="Anne", target=ATTACKER),
        orders.Isolate(by="Anne", asset="ward-pc"),
        orders.SetOpening(by="Anne", opening="website", state=OpeningState.CLOSED),
    ):
        state, commands = step(terms(), state, Ordered(NOW, order))
        lived += sealed(commands)
    recalled = folded(initial(BESIDE), BESIDE, lived)
    beside = fitted(recalled, BESIDE)
    assert (beside.blocked, beside.isolated) == ({}, {})
    assert enforcement(beside) == enforcement(initial(BESIDE))
    assert enforcement(fitted(recalled, SITE)) == enforcement(state)
    assert step(TERMS, beside, Ticked(after(NOW, minutes(1))))[0].blocked == {}


def test_a_machine_named_by_its_address_is_isolated_by_hand_under_that_name() -> None:
    _, commands = told(initial(BESIDE), orders.Isolate(by="Anne", asset=WARD_PC))
    refusal = next(command for command in commands if isinstance(command, Refuse))
    assert WARD_PC in advice(refusal.said)
