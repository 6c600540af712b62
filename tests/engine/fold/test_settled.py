"""What was approved is forgotten with its incident, and no decision is another for it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.home import NOW, OTHER_PROBE, RECORDS, SITE, at, by, finding, sealed, terms
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.engine import facts, orders
from rempart.engine.changed import changed
from rempart.engine.facts import MeasureProposed
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import AnyInput, Command, Found, Ordered, Ticked
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.instants import Instant, after, hours

TERMS = terms()
ELSEWHERE = finding(Kind.RECORDS, outcome=Outcome.SUCCESS, observables=(by("10.1.0.22"), at("10.2.0.11")))
KINDS = (RECORDS, ELSEWHERE, OTHER_PROBE)
FINDINGS = st.builds(
    lambda kind, number, level: replace(kind, id=f"{number:012x}", level=level),
    st.sampled_from(KINDS),
    st.integers(0, 1 << 40),
    st.sampled_from([Level.MEDIUM, Level.HIGH]),
)
DEEDS = st.one_of(FINDINGS, st.sampled_from(["approve", "merge", "split", "wait"]))


def happening(state: State, deed: Finding | str, now: Instant) -> AnyInput:
    """What the deed is in this state."""
    incidents = [*state.incidents]
    match deed:
        case Finding():
            return Found(now, replace(deed, time=now))
        case "approve" if state.proposals:
            return Ordered(now, orders.ApproveMeasure(by="Anne", proposal=next(iter(state.proposals))))
        case "approve":  # and what was approved has ended, so that it could be proposed again
            return Ordered(now, orders.Normalise(by="Anne"))
        case "merge" if len(incidents) > 1:
            into, merged, *_ = incidents
            return Ordered(
                now, orders.MergeIncidents(by="Anne", into=into, merged=merged, reason="one attack")
            )
        case "split" if incidents:
            findings = [seen.finding for seen in state.cases[incidents[0]].seen[:1]]
            order = orders.SplitIncident(by="Anne", incident=incidents[0], findings=findings, reason="two")
            return Ordered(now, order)
        case _:
            return Ticked(now)


def proposed(commands: tuple[Command, ...]) -> list[str]:
    return [fact.proposal for fact in sealed(commands) if isinstance(fact, MeasureProposed)]


@settings(max_examples=200, deadline=None)
@given(st.lists(DEEDS, min_size=5, max_size=40))
def test_no_decision_is_another_for_what_was_forgotten(deeds: list[Finding | str]) -> None:
    state, now, ever = initial(SITE), NOW, dict[str, str]()
    for deed in deeds:
        now = after(now, hours(30 if deed == "wait" else 0.1))
        happened = happening(state, deed, now)
        ever |= state.settled
        remembering, told = step(TERMS, changed(state, settled=ever), happened)
        state, commands = step(TERMS, state, happened)
        assert commands == told
        assert changed(remembering, settled=state.settled) == state
        assert set(state.settled.values()) <= state.incidents.keys()


def test_what_was_approved_is_not_proposed_again_while_its_incident_is_kept_in_mind() -> None:
    state, now = initial(SITE), NOW
    state, commands = step(TERMS, state, Found(now, RECORDS))
    (proposal,) = proposed(commands)
    state, _ = step(TERMS, state, Ordered(now, orders.ApproveMeasure(by="Anne", proposal=proposal)))
    state, _ = step(TERMS, state, Ordered(now, orders.Normalise(by="Anne")))
    again = replace(RECORDS, id="again")
    state, commands = step(TERMS, state, Found(now, again))
    assert proposed(commands) == []
    assert [*state.settled] == [proposal]


def test_what_was_approved_goes_with_its_incident() -> None:
    state, commands = step(TERMS, initial(SITE), Found(NOW, RECORDS))
    (proposal,) = proposed(commands)
    state, _ = step(TERMS, state, Ordered(NOW, orders.ApproveMeasure(by="Anne", proposal=proposal)))
    state, _ = step(TERMS, state, Ordered(NOW, orders.Normalise(by="Anne")))
    quiet = facts.QuietReturned(at=NOW, incidents=[*state.incidents])
    closed = folded(state, SITE, (quiet,))
    assert closed.incidents
    assert [*closed.settled] == [proposal]
    gone = folded(closed, SITE, (quiet,))
    assert not gone.incidents
    assert not gone.settled


def test_a_merged_incident_takes_what_was_approved_for_it_along_and_nothing_else() -> None:
    state, now = initial(SITE), NOW
    for found in (RECORDS, ELSEWHERE):
        state, _ = step(TERMS, state, Found(now, found))
    into, merged = state.incidents
    for proposal in [*state.proposals]:
        state, _ = step(TERMS, state, Ordered(now, orders.ApproveMeasure(by="Anne", proposal=proposal)))
    merging = orders.MergeIncidents(by="Anne", into=into, merged=merged, reason="one attack")
    assert {*state.settled.values()} == {into, merged}
    state, _ = step(TERMS, state, Ordered(now, merging))
    assert {*state.settled.values()} == {into}
