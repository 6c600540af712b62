"""The engine as conversations: what happens, what it commands, how the home stands afterwards."""

from dataclasses import replace

from engine.home import (
    ATTACKER,
    BEACON,
    BROKEN_IN,
    COMMANDER,
    GUESSING,
    NOW,
    OTHER_PROBE,
    OTHER_SCAN,
    RECORDS,
    RELAPSE,
    SCAN,
    SCANNER,
    SITE,
    STOLEN,
    WARD_PC,
    finding,
    terms,
)
from rempart.containment.measure import loosens
from rempart.detection.finding import Finding, Kind
from rempart.engine import facts, orders
from rempart.engine.changed import changed
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import (
    AnyInput,
    Command,
    Count,
    Counted,
    Enforce,
    Found,
    Ordered,
    Refuse,
    Seal,
    Ticked,
)
from rempart.engine.orders import AnyOrder, GateAnswer
from rempart.engine.state import Posture, State, enforcement, initial
from rempart.engine.step import counts, step
from rempart.engine.tally import TALLIES
from rempart.incidents.incident import IncidentState
from rempart.instants import Instant, after, hours, minutes, seconds
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState


class Talk:
    """A conversation with the engine: remembers the state, the sealed facts and the last commands."""

    def __init__(self) -> None:
        self.terms = terms()
        self.state: State = initial(SITE)
        self.now = NOW
        self.sealed: list[facts.AnyFact] = []
        self.commands: tuple[Command, ...] = ()

    def tell(self, happened: AnyInput) -> "Talk":
        self.state, self.commands = step(self.terms, self.state, happened)
        for command in self.commands:
            if isinstance(command, Seal):
                self.sealed += command.facts
        return self

    def find(self, *findings: Finding) -> "Talk":
        """Findings about what happens now, unless they say otherwise."""
        for found in findings:
            self.now = after(self.now, seconds(1))
            self.tell(Found(self.now, replace(found, time=self.now) if found.time == NOW else found))
        return self

    def order(self, order: AnyOrder) -> "Talk":
        self.now = after(self.now, seconds(1))
        return self.tell(Ordered(self.now, order))

    def wait(self, until: Instant) -> "Talk":
        self.now = until
        return self.tell(Ticked(until))

    def stands(self, opening: str) -> OpeningState:
        return self.state.doors[opening].stand.state

    def refusals(self) -> list[Refuse]:
        return [command for command in self.commands if isinstance(command, Refuse)]


def pass_gates(talk: Talk, opening: str, *, second: str = "Dr Peeters") -> Talk:
    for gate in Gate:
        person = second if gate is Gate.APPROVAL else "Alex"
        talk.order(
            orders.AnswerGate(
                by=person, opening=opening, gate=gate.value, answer=GateAnswer.YES, proof="checked by hand"
            )
        )
    return talk


def reopen(talk: Talk, opening: str, state: OpeningState = OpeningState.FILTERED, length: int = 3600) -> Talk:
    return talk.order(orders.Reopen(by="Alex", opening=opening, state=state, seconds=length))


def attacked() -> Talk:
    return Talk().find(SCAN, GUESSING, BROKEN_IN, OTHER_SCAN, OTHER_PROBE, RECORDS, BEACON)


def contained() -> Talk:
    return attacked().order(orders.Contain(by="Night nurse", reason="records are leaving"))


# -- incidents -----------------------------------------------------------------------------------------------------


def test_one_attack_is_one_incident_and_an_unrelated_scanner_another() -> None:
    incidents = attacked().state.incidents.values()
    attack = next(i for i in incidents if ATTACKER in i.actors)
    other = next(i for i in incidents if SCANNER in i.actors)
    assert len(incidents) == 2
    assert attack.assets == {WARD_PC}
    assert attack.accounts == {STOLEN}
    assert attack.actors == {ATTACKER, COMMANDER}
    assert other.actors == {SCANNER}


def test_two_incidents_become_one_when_the_stolen_account_links_them() -> None:
    talk = Talk().find(GUESSING, RECORDS)
    assert len(talk.state.incidents) == 2
    talk.find(BROKEN_IN)
    assert len(talk.state.incidents) == 1
    assert any(isinstance(fact, facts.IncidentsMerged) for fact in talk.sealed)


def test_persons_counted_in_one_of_two_are_not_forgotten_and_are_counted_again_in_the_whole() -> None:
    talk = Talk().find(GUESSING, RECORDS)
    guessed, opened = sorted(talk.state.incidents.values(), key=lambda each: each.kinds == {Kind.RECORDS})
    talk.tell(Counted(talk.now, opened.id, persons=239, records=300)).find(BROKEN_IN)
    (whole,) = talk.state.incidents.values()
    assert whole.id == guessed.id
    assert whole.persons_touched == 239
    assert [each.incident for each in talk.commands if isinstance(each, Count)] == [whole.id]


def test_an_account_that_was_only_tried_links_nothing() -> None:
    talk = Talk().find(
        GUESSING, replace(GUESSING, id="x", observables=OTHER_PROBE.observables + GUESSING.observables[2:])
    )
    assert len(talk.state.incidents) == 2


def test_a_sign_in_is_no_news_by_itself() -> None:
    talk = Talk().find(RELAPSE)
    assert talk.state.incidents == {}
    assert talk.commands == ()


def test_a_finding_sent_again_changes_nothing() -> None:
    talk = Talk().find(GUESSING)
    before = talk.state
    talk.find(GUESSING)
    assert talk.state == before
    assert talk.commands == ()


def test_a_flood_of_the_same_sort_is_sealed_at_powers_of_ten() -> None:
    talk = Talk().find(*(replace(GUESSING, id=f"f{n}") for n in range(1000)))
    joined = [fact.tally for fact in talk.sealed if isinstance(fact, facts.FindingJoined)]
    assert joined == [1, 10, 100, 1000]


def test_an_incident_unseen_for_a_day_is_closed_and_the_house_is_calm() -> None:
    talk = attacked()
    assert talk.state.posture is Posture.WATCHFUL
    talk.wait(after(talk.now, hours(25)))
    (attack,) = talk.state.incidents.values()  # the scanner is in the journal, no longer in the state
    assert attack.state is IncidentState.CLOSED
    assert ATTACKER in attack.actors
    assert talk.state.posture is Posture.NORMAL


def test_counting_noise_costs_no_memory_without_end() -> None:
    talk = Talk()
    talk.state = changed(talk.state, tallies={f"sort-{n}": 1 for n in range(TALLIES)})
    talk.find(GUESSING)
    assert len(talk.state.tallies) == TALLIES
    assert "sort-0" not in talk.state.tallies


def test_persons_are_counted_from_the_machines_of_the_incident() -> None:
    talk = Talk().find(RECORDS)
    (count,) = (c for c in talk.commands if isinstance(c, Count))
    assert count.addresses == (WARD_PC,)
    assert count.accounts == (STOLEN,)
    talk.tell(Counted(talk.now, count.incident, 312, 640))
    assert talk.state.incidents[count.incident].persons_touched == 312
    talk.tell(Counted(talk.now, count.incident, 312, 700))
    assert talk.commands == ()  # the number of persons is the same: nothing to seal


# -- automatic measures ----------------------------------------------------------------------------------------------


def test_guessing_blocks_the_address_for_an_hour_by_itself() -> None:
    talk = Talk().find(GUESSING)
    assert talk.state.blocked[ATTACKER].until == after(talk.now, hours(1))
    assert talk.state.blocked[ATTACKER].by == facts.MACHINE
    talk.wait(after(talk.now, hours(2)))
    assert talk.state.blocked == {}


def test_one_forged_packet_blocks_nobody() -> None:
    talk = Talk().find(replace(GUESSING, spoofable=True), SCAN, OTHER_SCAN)
    assert talk.state.blocked == {}


def test_old_news_blocks_nobody() -> None:
    talk = Talk()
    talk.now = after(NOW, hours(2))
    talk.find(replace(GUESSING, time=after(NOW, minutes(30))))
    assert talk.state.incidents
    assert talk.state.blocked == {}


def test_a_watch_that_comes_back_is_asked_again() -> None:
    talk = Talk().find(SCAN, RECORDS)
    (count,) = counts(talk.state)
    assert count.addresses == (WARD_PC,)


def guess(n: int) -> Finding:
    """One of many neighbours guesses passwords."""
    return replace(
        GUESSING, id=f"g{n}", observables=(replace(GUESSING.observables[0], value=f"192.0.2.{n}"),)
    )


def test_the_machine_stays_within_its_budget() -> None:
    talk = Talk().find(*(guess(n) for n in range(1, 40)))
    assert len(talk.state.blocked) == talk.terms.policy.budget.measures_per_prefix


def test_what_was_spent_more_than_an_hour_ago_is_no_longer_counted() -> None:
    talk = Talk().find(*(guess(n) for n in range(1, 40)))
    talk.wait(after(talk.now, hours(1))).find(guess(40))
    assert talk.state.blocked.keys() == {"192.0.2.40"}


def test_the_machine_never_blocks_a_lifeline() -> None:
    telephone = replace(GUESSING.observables[0], value="203.0.113.40")
    talk = Talk().find(replace(GUESSING, observables=(telephone,)))
    assert talk.state.blocked == {}


def test_containing_waits_for_a_person() -> None:
    talk = Talk().find(RECORDS)
    assert not talk.state.contained
    (proposal,) = (p for p in talk.state.proposals.values() if p.action == "contain")
    talk.order(orders.ApproveMeasure(by="Director", proposal=proposal.id))
    assert talk.state.contained
    assert proposal.id not in talk.state.proposals


# -- the cut ---------------------------------------------------------------------------------------------------------


def test_the_cut_closes_everything_but_filters_lifelines() -> None:
    talk = contained()
    assert talk.state.posture is Posture.CONTAINED
    assert talk.stands("telephone") is OpeningState.FILTERED
    assert {talk.stands(o.id) for o in SITE.openings if not o.lifeline} == {OpeningState.CLOSED}
    seal, enforce = (c for c in talk.commands if isinstance(c, Seal | Enforce))
    assert isinstance(seal, Seal)
    assert seal.urgent
    assert isinstance(enforce, Enforce)
    assert enforce.wanted.contained


def test_repeating_the_cut_changes_nothing() -> None:
    talk = contained()
    before = talk.state
    talk.order(orders.Contain(by="Night nurse"))
    assert talk.state == before
    assert talk.commands == ()


def test_a_lifeline_closes_only_by_name_and_with_its_fallback_confirmed() -> None:
    talk = contained()
    talk.order(orders.CloseLifeline(by="Director", opening="telephone", fallback_confirmed=False))
    assert talk.refusals()
    assert talk.stands("telephone") is OpeningState.FILTERED
    talk.order(orders.CloseLifeline(by="Director", opening="telephone", fallback_confirmed=True))
    assert talk.stands("telephone") is OpeningState.CLOSED


def test_closing_the_portal_alone_leaves_the_rest() -> None:
    talk = Talk().order(orders.SetOpening(by="Alex", opening="portal", state=OpeningState.CLOSED))
    assert talk.stands("portal") is OpeningState.CLOSED
    assert talk.stands("website") is OpeningState.OPEN
    talk.order(orders.SetOpening(by="Alex", opening="portal", state=OpeningState.OPEN))
    assert talk.stands("portal") is OpeningState.OPEN


def test_an_order_without_a_name_is_refused_and_the_refusal_is_sealed() -> None:
    talk = Talk().order(orders.Contain(by=" "))
    assert talk.refusals()
    assert not talk.state.contained
    assert isinstance(talk.sealed[-1], facts.OrderDeclined)


def test_safeguards_refuse_blocks_and_isolation_of_life_critical_machines_by_a_machine() -> None:
    talk = Talk().order(orders.Block(by="Alex", target="10.9.0.5"))
    assert talk.refusals()
    talk.order(orders.Block(by="Alex", target="203.0.113.1"))
    assert talk.refusals()
    talk.order(orders.Isolate(by="Dr Peeters", asset="pump", reason="it scans the ward"))
    assert "pump" in talk.state.isolated  # a named person may
    pump_beacons = replace(BEACON, observables=(replace(BEACON.observables[0], value="10.1.0.90"),))
    assert "pump" not in Talk().find(pump_beacons).state.isolated


# -- reopening -------------------------------------------------------------------------------------------------------


def test_reopening_needs_every_gate_and_a_second_person() -> None:
    talk = reopen(contained(), "ehealth")
    assert "gate need has not passed" in talk.refusals()[0].what
    pass_gates(talk, "ehealth", second="Alex")
    assert "second person" in reopen(talk, "ehealth").refusals()[0].what
    pass_gates(talk, "ehealth", second=" ALEX ")
    assert "second person" in reopen(talk, "ehealth").refusals()[0].what
    pass_gates(talk, "ehealth")
    assert not reopen(talk, "ehealth").refusals()
    assert talk.stands("ehealth") is OpeningState.FILTERED
    assert talk.state.posture is Posture.REOPENING


def test_do_not_know_never_passes_but_a_named_person_may_override_with_a_reason() -> None:
    talk = pass_gates(contained(), "ehealth")
    talk.order(
        orders.AnswerGate(by="Alex", opening="ehealth", gate="filter", answer=GateAnswer.UNKNOWN, proof="")
    )
    assert reopen(talk, "ehealth").refusals()
    override = orders.Reopen(
        by="Alex", opening="ehealth", state=OpeningState.FILTERED, seconds=3600, override=True
    )
    assert talk.order(override).refusals()[0].what == "an override needs a reason"
    talk.order(orders.Reopen(**{**_fields(override), "reason": "insulin orders"}))
    assert talk.stands("ehealth") is OpeningState.FILTERED
    started = [fact for fact in talk.sealed if isinstance(fact, facts.TrialStarted)]
    assert started[-1].overridden == ["gate filter has not passed"]


def _fields(order: orders.Reopen) -> dict[str, object]:
    return {name: getattr(order, name) for name in order.__struct_fields__}


def test_later_stages_wait_for_earlier_ones() -> None:
    talk = reopen(pass_gates(contained(), "portal"), "portal")
    assert "earlier stages are still closed: ehealth" in talk.refusals()[0].what


def test_a_trial_ends_closed_unless_confirmed() -> None:
    talk = reopen(pass_gates(contained(), "ehealth"), "ehealth", length=600)
    talk.wait(after(talk.now, minutes(11)))
    assert talk.stands("ehealth") is OpeningState.CLOSED
    assert reopen(talk, "ehealth").refusals()  # the gates must be passed anew


def test_a_confirmed_trial_stays() -> None:
    talk = reopen(pass_gates(contained(), "ehealth"), "ehealth", length=600)
    talk.order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    talk.wait(after(talk.now, hours(1)))
    assert talk.stands("ehealth") is OpeningState.FILTERED


def portal_on_trial() -> Talk:
    talk = reopen(pass_gates(contained(), "ehealth"), "ehealth")
    return reopen(pass_gates(talk, "portal"), "portal", OpeningState.OPEN)


def test_a_relapse_through_the_portal_closes_it_at_once_and_only_it() -> None:
    talk = portal_on_trial().find(RELAPSE)
    assert talk.stands("portal") is OpeningState.CLOSED
    assert talk.stands("ehealth") is OpeningState.FILTERED
    assert any(isinstance(fact, facts.OpeningReclosed) for fact in talk.sealed)


def test_background_noise_is_only_counted_for_a_day() -> None:
    talk = portal_on_trial()
    for hour in range(24):
        talk.now = after(talk.now, hours(1)) if hour else talk.now
        noise = (replace(OTHER_SCAN, id=f"s{hour}"), replace(OTHER_PROBE, id=f"p{hour}"))
        talk.find(*noise, finding(Kind.GUESSING, observables=OTHER_PROBE.observables, record=hour))
    trial_ended = any(isinstance(fact, facts.TrialEnded) for fact in talk.sealed)
    assert not any(isinstance(fact, facts.OpeningReclosed) for fact in talk.sealed)
    assert not trial_ended  # nothing ticked: the kernel ends trials, noise does not


def test_what_is_told_late_of_the_time_before_reopening_closes_nothing() -> None:
    talk = portal_on_trial()
    before = talk.state.doors["portal"].since
    talk.find(replace(RECORDS, id="late", time=Instant(before - minutes(1))))
    assert talk.stands("portal") is OpeningState.OPEN


def test_success_through_an_unknown_way_closes_every_reopened_door() -> None:
    talk = portal_on_trial().find(replace(RECORDS, id="again"))
    assert talk.stands("portal") is OpeningState.CLOSED
    assert talk.stands("ehealth") is OpeningState.CLOSED


def test_a_reopened_lifeline_falls_to_filtered_never_closed() -> None:
    talk = contained().order(
        orders.CloseLifeline(by="Director", opening="telephone", fallback_confirmed=True)
    )
    reopen(pass_gates(talk, "telephone"), "telephone")
    assert talk.stands("telephone") is OpeningState.FILTERED
    talk.find(replace(RECORDS, id="again"))
    assert talk.stands("telephone") is OpeningState.FILTERED


def test_the_site_is_normal_only_when_every_door_is_stable() -> None:
    talk = contained()
    assert talk.order(orders.Normalise(by="Director")).refusals()
    for name in ("ehealth", "portal", "website", "browsing"):
        reopen(pass_gates(talk, name), name, OpeningState.OPEN)
        talk.order(orders.ConfirmTrial(by="Alex", opening=name))
    talk.order(orders.Normalise(by="Director"))
    assert talk.state.posture is Posture.NORMAL
    assert talk.stands("maintenance") is OpeningState.CLOSED
    assert talk.stands("telephone") is OpeningState.OPEN
    assert talk.state.reopened == ("ehealth", "portal", "website", "browsing")


def test_a_second_cut_during_reopening_closes_what_was_reopened() -> None:
    talk = portal_on_trial().order(orders.Contain(by="Night nurse"))
    assert talk.stands("portal") is OpeningState.CLOSED
    assert talk.state.posture is Posture.CONTAINED


def test_what_was_lived_is_what_the_journal_folds_to() -> None:
    talk = portal_on_trial().find(RELAPSE)
    assert folded(initial(SITE), SITE, talk.sealed) == talk.state


def test_confirming_a_trial_is_sealed_before_it_is_enforced() -> None:
    talk = reopen(pass_gates(contained(), "ehealth"), "ehealth")
    before = enforcement(talk.state)
    talk.order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    assert loosens(before, enforcement(talk.state))
    first = talk.commands[0]
    assert isinstance(first, Seal)
    assert not first.urgent
