"""The way back, as conversations: profiles, machine checks, never-found, partners, paper, overrides, the core."""

from dataclasses import replace

import pytest

from engine.home import ATTACKER, BEACON, NOW, RELAPSE, SITE, WARD_PC, by, finding
from engine.test_step import Talk, attacked, contained, pass_gates, reopen
from rempart.containment.measure import Stand
from rempart.detection.finding import Kind, Outcome
from rempart.engine import facts, orders
from rempart.engine.facts import body_of, read
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Probed
from rempart.engine.orders import GateAnswer
from rempart.engine.returning import outlooks
from rempart.engine.state import initial
from rempart.engine.step import Terms
from rempart.instants import after, hours, minutes, seconds
from rempart.reopening.check import Verdict
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.site.belgian_time import belgian
from rempart.site.opening import OpeningState
from rempart.site.site import Site
from rempart.site.trial import DAY, TrialLength

OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


def at(site: Site, talk: Talk) -> Talk:
    talk.terms = Terms(site, talk.terms.policy)
    return talk


def against(talk: Talk, opening: str, by: str = "Alex") -> list[str]:
    return [each.text for each in outlooks(talk.terms.site, talk.state, talk.now, by)[opening].obstacles]


def answer(talk: Talk, opening: str, gate: Gate, said: GateAnswer, person: str = "Alex") -> Talk:
    return talk.order(
        orders.AnswerGate(by=person, opening=opening, gate=gate.value, answer=said, proof="seen")
    )


def prove(talk: Talk, proves: ProofKind, subject: str, on: int) -> Talk:
    return talk.order(orders.NoteProof(by="Alex", proves=proves, subject=subject, on=on, proof="done"))


# -- profiles ------------------------------------------------------------------------------------------------------


def test_a_vital_way_at_a_home_needs_four_gates_and_the_technician_by_call_back() -> None:
    talk = contained()
    for gate in (Gate.NEED, Gate.CUT_VERIFIED, Gate.FILTER):
        answer(talk, "ehealth", gate, GateAnswer.YES)
    assert against(talk, "ehealth") == ["gate approval has not passed"]
    answer(talk, "ehealth", Gate.APPROVAL, GateAnswer.YES, person="Technician, called back")
    assert not reopen(talk, "ehealth").refusals()
    (started,) = (fact for fact in talk.sealed if isinstance(fact, facts.TrialStarted))
    assert (started.profile, started.confirm_by) == ("vital", None)


def test_without_a_second_person_at_night_the_override_waits_for_the_next_working_day() -> None:
    talk = contained()
    for gate in (Gate.NEED, Gate.CUT_VERIFIED, Gate.FILTER):
        answer(talk, "ehealth", gate, GateAnswer.YES)
    alone = orders.Reopen(
        by="Night nurse", opening="ehealth", state=FILTERED, seconds=3600, override=True, reason="insulin"
    )
    assert not talk.order(alone).refusals()
    made = talk.state.dossier.overrides["ehealth"]
    assert made.by == "Night nurse"
    assert belgian(made.due).startswith(
        "16/11/2023 00:00:00"
    )  # the house of the tests is staffed round the clock
    talk.order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    same = talk.order(orders.ConfirmOverride(by=" night NURSE", opening="ehealth"))
    assert "second person" in same.refusals()[0].what
    talk.order(orders.ConfirmOverride(by="Director", opening="ehealth"))
    assert talk.state.dossier.overrides == {}
    assert talk.order(orders.ConfirmOverride(by="Director", opening="ehealth")).refusals()


def test_containment_does_not_end_over_an_unconfirmed_override() -> None:
    talk = contained()
    for name in ("ehealth", "portal", "website", "browsing"):
        alone = orders.Reopen(by="Alex", opening=name, state=FILTERED, seconds=60, override=True, reason="x")
        talk.order(alone).order(orders.ConfirmTrial(by="Alex", opening=name))
    assert "wait for a second person" in talk.order(orders.Normalise(by="Alex")).refusals()[0].what
    for name in ("ehealth", "portal", "website", "browsing"):
        talk.order(orders.ConfirmOverride(by="Director", opening=name))
    assert not talk.order(orders.Normalise(by="Alex")).refusals()


# -- what a machine checks -----------------------------------------------------------------------------------------


def test_a_call_to_a_commander_within_the_quiet_hours_stands_against_a_yes() -> None:
    talk = pass_gates(at(replace(SITE, quiet_hours=12), contained()), "ehealth")
    assert against(talk, "ehealth") == [
        "gate cut-verified: a machine inside called its commander 0 h ago, less than 12 h"
    ]
    talk.wait(after(talk.now, hours(11)))
    talk.find(replace(BEACON, id="one-more", time=talk.now))  # a repeat that is not sealed
    assert talk.state.last_beacon == talk.now
    talk.wait(after(talk.now, hours(11)))
    assert "called its commander 11 h ago" in against(talk, "ehealth")[0]
    talk.wait(after(talk.now, hours(2)))
    assert against(talk, "ehealth") == []


def test_an_answer_through_the_cut_stands_against_a_yes() -> None:
    talk = pass_gates(contained(), "ehealth")
    talk.tell(Probed(talk.now, "cut", True, "connected", asked=talk.now))
    assert against(talk, "ehealth") == ["gate cut-verified: answered through the cut: cut"]
    later = after(talk.now, minutes(1))
    talk.tell(Probed(later, "cut", False, "refused", asked=later))
    verdicts = {
        check.detail.text: check.verdict for check in outlooks(SITE, talk.state, talk.now)["ehealth"].checks
    }
    assert verdicts["1 probes got no answer through the cut"] is Verdict.YES
    assert against(talk, "ehealth") == []


def test_secrets_renewed_before_the_attack_prove_nothing() -> None:
    talk = pass_gates(contained(), "portal")
    prove(talk, ProofKind.SECRETS, "domain admins", NOW - hours(30))
    assert "gate eviction: renewed before the attack began: domain admins" in against(talk, "portal")
    assert (
        "that day has not come yet"
        in prove(talk, ProofKind.SECRETS, "x", talk.now + hours(1)).refusals()[0].what
    )
    prove(talk, ProofKind.SECRETS, "domain admins", talk.now)
    assert not [each for each in against(talk, "portal") if "eviction" in each]


def test_the_machine_behind_a_published_service_must_not_be_isolated() -> None:
    behind = replace(SITE.assets[1], id="web", addresses=("10.3.0.11",), zone="dmz")
    talk = pass_gates(at(replace(SITE, assets=(*SITE.assets, behind)), contained()), "portal")
    talk.order(orders.Isolate(by="Alex", asset="web"))
    assert "gate asset: web stands behind it and is isolated" in against(talk, "portal")
    talk.order(orders.Release(by="Alex", asset="web"))
    prove(talk, ProofKind.SCAN, "web", talk.now)
    said = [c.detail.text for c in outlooks(talk.terms.site, talk.state, talk.now)["portal"].checks]
    assert "web was checked since the attack began" in said
    assert "no restore was tested since the attack began" in said


def test_a_machines_yes_passes_no_gate() -> None:
    talk = at(replace(SITE, quiet_hours=1), contained()).wait(after(NOW, hours(20)))
    assert "gate cut-verified has not passed" in against(talk, "ehealth")


# -- the way in was never found ------------------------------------------------------------------------------------


def test_never_found_brings_a_tighter_filter_and_a_longer_watch() -> None:
    talk = pass_gates(contained(), "ehealth")
    reopen(talk, "ehealth", length=60).order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    pass_gates(talk, "portal")
    answer(talk, "portal", Gate.EVICTION, GateAnswer.NEVER_FOUND)
    assert against(talk, "portal") == []
    assert "filtered, and watched for 72 hours" in reopen(talk, "portal", OPEN, 400_000).refusals()[0].what
    assert "72 hours" in reopen(talk, "portal", FILTERED, 86_400).refusals()[0].what
    assert not reopen(talk, "portal", FILTERED, 72 * 3600).refusals()
    talk.now = after(talk.now, hours(50))
    early = talk.order(orders.ConfirmTrial(by="Alex", opening="portal"))
    assert "three quarters" in early.refusals()[0].what
    talk.now = after(talk.now, hours(5))
    assert not talk.order(orders.ConfirmTrial(by="Alex", opening="portal")).refusals()


def test_never_found_is_an_answer_to_eviction_only_and_needs_a_proof() -> None:
    talk = contained()
    assert answer(talk, "portal", Gate.ASSET, GateAnswer.NEVER_FOUND).refusals()
    silent = orders.AnswerGate(
        by="Alex", opening="portal", gate="eviction", answer=GateAnswer.NEVER_FOUND, proof=" "
    )
    assert talk.order(silent).refusals()


# -- partners, paper, the core, stages -----------------------------------------------------------------------------


def test_the_partners_own_condition_must_be_met() -> None:
    talk = pass_gates(contained(), "ehealth")
    talk.order(orders.NotePartner(by="Alex", opening="ehealth", condition="an antivirus report", met=False))
    assert against(talk, "ehealth") == ["the partner's own condition is not met: an antivirus report"]
    talk.order(orders.NotePartner(by="Alex", opening="ehealth", condition="an antivirus report", met=True))
    assert against(talk, "ehealth") == []


def test_paper_is_entered_before_the_exchange_resumes() -> None:
    talk = pass_gates(contained(), "ehealth")
    talk.order(orders.KeepPaper(by="Nadia", opening="ehealth", what="sheets"))
    assert against(talk, "ehealth") == ["paper kept meanwhile is not entered: p1"]
    talk.order(orders.EnterPaper(by="Nadia", paper="p1"))
    assert against(talk, "ehealth") == []


def test_the_trusted_core_comes_first_and_lifelines_wait_for_nobody() -> None:
    core = tuple(replace(a, core=True) if a.id == "files" else a for a in SITE.assets)
    talk = pass_gates(at(replace(SITE, assets=core), contained()), "ehealth")
    assert against(talk, "ehealth") == ["the trusted core is not proven: files"]
    pass_gates(talk, "telephone")
    assert against(talk, "telephone") == []
    prove(talk, ProofKind.SCAN, "files", talk.now)
    assert against(talk, "ehealth") == []


def test_what_an_opening_needs_must_be_back() -> None:
    openings = tuple(replace(o, needs=("portal",)) if o.id == "ehealth" else o for o in SITE.openings)
    talk = pass_gates(at(replace(SITE, openings=openings), contained()), "ehealth")
    assert "what it needs is closed: portal" in against(talk, "ehealth")


def test_people_move_stages_with_a_reason() -> None:
    talk = pass_gates(contained(), "portal")
    assert against(talk, "portal") == ["earlier stages are still closed: ehealth"]
    assert talk.order(orders.SetStage(by="Alex", opening="portal", stage=1)).refusals()
    talk.order(orders.SetStage(by="Alex", opening="portal", stage=1, reason="GPs phone all day"))
    assert against(talk, "portal") == []
    sealed = len(talk.sealed)
    talk.order(orders.SetStage(by="Alex", opening="portal", stage=1, reason="again"))
    assert len(talk.sealed) == sealed


# -- watching a trial ----------------------------------------------------------------------------------------------


def on_trial() -> Talk:
    return reopen(pass_gates(contained(), "ehealth"), "ehealth", length=86_400)


STRANGE = finding(
    Kind.EXFILTRATION, outcome=Outcome.ATTEMPT, observables=(by("10.1.0.77"), *(by("203.0.113.50"),))
)


def test_a_trial_is_watched_with_a_lower_threshold_than_what_has_proven_itself() -> None:
    assert on_trial().find(STRANGE).stands("ehealth") is CLOSED
    confirmed = on_trial().order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    assert confirmed.find(STRANGE).stands("ehealth") is FILTERED


def test_who_knocks_from_outside_does_not_hold_the_door_shut() -> None:
    knocking = finding(Kind.RECORDS, observables=(by("198.51.100.200"), by("203.0.113.50")))
    assert on_trial().find(knocking).stands("ehealth") is FILTERED


def test_the_source_is_held_before_the_door_closes() -> None:
    talk = pass_gates(contained(), "ehealth")
    reopen(talk, "ehealth", length=60).order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    reopen(pass_gates(talk, "portal"), "portal", OPEN)
    before = len(talk.sealed)
    talk.find(RELAPSE)
    kinds = [type(fact).__name__ for fact in talk.sealed[before:]]
    assert kinds.index("Blocked") < kinds.index("OpeningReclosed")
    assert talk.state.blocked["198.51.100.67"].until is not None


def test_the_machine_inside_that_caused_a_relapse_is_isolated_for_a_day() -> None:
    talk = on_trial()
    talk.find(replace(STRANGE, id="ward", observables=(by(WARD_PC), by("203.0.113.50"))))
    assert talk.stands("ehealth") is CLOSED
    assert talk.state.isolated["ward-pc"].until == after(talk.now, seconds(86_400))


@pytest.mark.parametrize("order", [orders.SetStage(by="A", opening="nowhere", stage=1, reason="x")])
def test_an_opening_that_is_not_there_is_refused(order: orders.SetStage) -> None:
    assert "has no opening" in contained().order(order).refusals()[0].what


def test_what_was_lived_is_what_the_journal_folds_to() -> None:
    talk = on_trial()
    prove(talk, ProofKind.RESTORE, "monday's backup", talk.now)
    talk.order(orders.NotePartner(by="Alex", opening="portal", condition="x", met=False))
    talk.order(orders.SetStage(by="Alex", opening="website", stage=2, reason="x"))
    talk.order(
        orders.Reopen(by="Alex", opening="portal", state=FILTERED, seconds=60, override=True, reason="x")
    )
    assert talk.state.dossier.overrides
    assert folded(initial(SITE), SITE, [read(body_of(fact)) for fact in talk.sealed]) == talk.state
    assert attacked().state.cut_since == 0
    assert ATTACKER in {actor for incident in talk.state.incidents.values() for actor in incident.actors}


def test_the_attackers_own_are_known_again_after_weeks_of_containment() -> None:
    talk = pass_gates(contained(), "ehealth")
    reopen(talk, "ehealth", length=60).order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    talk.wait(after(talk.now, hours(24 * 20)))
    reopen(pass_gates(talk, "portal"), "portal", OPEN)
    assert talk.find(RELAPSE).stands("portal") is CLOSED


def test_what_a_probe_heard_before_the_cut_says_nothing_and_a_leak_after_it_is_told() -> None:
    talk = attacked().tell(Probed(NOW, "cut", True, "connected", asked=NOW))
    talk.order(orders.Contain(by="Night nurse"))
    pass_gates(talk, "ehealth")
    assert against(talk, "ehealth") == []
    later = after(talk.now, minutes(1))
    talk.tell(Probed(later, "cut", True, "connected", asked=later))  # the same answer, but now it is a leak
    assert against(talk, "ehealth") == ["gate cut-verified: answered through the cut: cut"]


@pytest.mark.parametrize("answered", [True, False])
def test_what_was_asked_before_the_cut_proves_nothing_of_it_however_late_it_is_heard(answered: bool) -> None:
    """The guard was restarted, or its disk was slow: the prober tells it then what it found before."""
    talk = attacked()
    asked = talk.now
    talk.order(orders.Contain(by="Night nurse"))
    pass_gates(talk, "ehealth").tell(Probed(talk.now, "cut", answered, "x", asked=asked))
    known = outlooks(SITE, talk.state, talk.now)["ehealth"].checks
    assert Verdict.UNKNOWN in {check.verdict for check in known if check.detail.key == "found-no-probe"}
    later = after(talk.now, minutes(1))
    talk.tell(Probed(later, "cut", answered, "x", asked=later))
    told = {check.detail.key for check in outlooks(SITE, talk.state, talk.now)["ehealth"].checks}
    assert ("found-leaks" if answered else "found-silent") in told


def usual() -> Talk:
    """A contained home whose site.toml says nothing of trials, its gates passed."""
    return pass_gates(at(replace(SITE, trial=TrialLength()), contained()), "ehealth")


@pytest.mark.parametrize("length", [600, DAY - 1, 3 * DAY + 1, 14 * DAY])
def test_a_trial_is_neither_shorter_than_a_day_nor_longer_than_three(length: int) -> None:
    refused = reopen(usual(), "ehealth", length=length).refusals()[0]
    assert refused.what.startswith("a trial lasts from 24 h to 72 h, not ")
    assert "Choose a length between them" in refused.now


@pytest.mark.parametrize("length", [DAY, 3 * DAY])
def test_its_bounds_belong_to_it(length: int) -> None:
    talk = reopen(usual(), "ehealth", length=length)
    assert not talk.refusals()
    assert talk.stands("ehealth") is FILTERED


def test_a_trial_is_watched_before_it_is_confirmed() -> None:
    talk = reopen(usual(), "ehealth", length=DAY)
    confirm = orders.ConfirmTrial(by="Alex", opening="ehealth")
    assert talk.order(confirm).refusals()[0].what == "ehealth was not watched for 18 h yet"
    talk.wait(after(talk.now, hours(18)))
    assert not talk.order(confirm).refusals()
    assert talk.state.doors["ehealth"].stand.until is None


def test_in_peace_an_opening_may_be_tried_for_an_hour() -> None:
    talk = at(replace(SITE, trial=TrialLength()), Talk())
    talk.order(orders.SetOpening(by="Alex", opening="ehealth", state=OpeningState.CLOSED))
    trial = orders.Reopen(
        by="Alex", opening="ehealth", state=FILTERED, seconds=3600, override=True, reason="an hour"
    )
    assert not talk.order(trial).refusals()


# -- the cut, ordered again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_door_that_was_reopened_and_then_filtered_is_shut_by_the_next_cut(confirmed: bool) -> None:
    talk = contained()
    talk.order(
        orders.Reopen(by="Alex", opening="ehealth", state=OPEN, seconds=600, override=True, reason="vital")
    )
    if confirmed:
        talk.order(orders.ConfirmTrial(by="Alex", opening="ehealth"))
    talk.order(orders.SetOpening(by="Alex", opening="ehealth", state=FILTERED))
    assert talk.state.doors["ehealth"].reopened
    talk.order(orders.Contain(by="Night nurse", reason="it began again"))
    assert talk.stands("ehealth") is CLOSED


def test_a_trial_that_becomes_stricter_ends_when_it_would_have() -> None:
    talk = contained()
    talk.order(
        orders.Reopen(by="Alex", opening="ehealth", state=OPEN, seconds=600, override=True, reason="vital")
    )
    ends = talk.state.doors["ehealth"].stand.until
    talk.order(orders.SetOpening(by="Alex", opening="ehealth", state=FILTERED))
    assert talk.state.doors["ehealth"].stand == Stand(state=FILTERED, until=ends, then=CLOSED)
    assert ends
    assert talk.wait(ends).stands("ehealth") is CLOSED
    assert any(isinstance(fact, facts.TrialEnded) for fact in talk.sealed)
