"""Whether care goes on, as conversations: rehearsals, wards, troubles, paper, what lies outside, probes."""

from dataclasses import replace

import pytest

from engine.home import BEACON, BROKEN_IN, GUESSING, NOW, RECORDS, SITE
from engine.test_step import Talk, contained
from rempart.care.attestation import Standing, standings
from rempart.care.ledger import CHANGES, papers_waiting
from rempart.care.rehearsal import VALID, Becomes, Question, locked
from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.containment import policy
from rempart.engine import facts, orders
from rempart.engine.facts import MACHINE, body_of, read
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Enforce, PackRead, Probed, Seal
from rempart.engine.state import enforcement, initial
from rempart.engine.step import Terms
from rempart.instants import Instant, after, hours, minutes, seconds
from rempart.site.hours import Hours
from rempart.site.opening import OpeningState
from rempart.site.placement import Placement

OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED
CUTS_BY_ITSELF = '[[rules]]\nkind = "records"\noutcome = "success"\naction = "contain"\nhow = "automatic"\n'


def tick(talk: Talk, ward: str, question: Question, reply: Reply, note: str = "") -> Talk:
    return talk.order(orders.TickWard(by="Ward", ward=ward, question=question, reply=reply, note=note))


def rehearsed(talk: Talk, *, reply: Reply = Reply.YES) -> Talk:
    """A whole rehearsal in which each ward gives the same answer to everything."""
    talk.order(orders.Rehearse(by="Alex"))
    for ward in SITE.wards:
        for question in Question:
            tick(talk, ward.id, question, reply, "it hung")
    return talk.wait(after(talk.now, minutes(10)))


def lock(talk: Talk) -> str:
    why = locked(SITE, talk.state.care.rehearsal, talk.now)
    return why.text if why else ""


# -- the rehearsed cut ---------------------------------------------------------------------------------------------


def test_a_rehearsal_is_a_cut_that_the_kernel_undoes() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex", seconds=600))
    stands = enforcement(talk.state).stands
    assert (stands["browsing"].state, stands["browsing"].then) == (CLOSED, OPEN)
    assert (stands["telephone"].state, stands["telephone"].then) == (FILTERED, OPEN)
    assert stands["maintenance"].until is None  # it was closed before
    assert {stand.until for stand in stands.values() if stand.until} == {after(talk.now, seconds(600))}
    assert not enforcement(talk.state).contained


def test_after_its_time_every_door_stands_as_before() -> None:
    talk = Talk()
    before = enforcement(talk.state).stands
    talk.order(orders.Rehearse(by="Alex")).wait(after(talk.now, minutes(11)))
    assert enforcement(talk.state).stands == before
    assert talk.sealed[-1] == facts.RehearsalEnded(at=talk.now, by=MACHINE, early=False)


def test_ending_it_is_sealed_before_it_is_enforced() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex")).order(orders.EndRehearsal(by="Ward"))
    sealing = next(n for n, c in enumerate(talk.commands) if isinstance(c, Seal) and not c.urgent)
    assert any(isinstance(command, Enforce) for command in talk.commands[sealing:])
    assert "before its time" in lock(talk)


def test_the_cut_in_earnest_takes_over_and_nothing_undoes_it() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex")).order(orders.Contain(by="Night nurse"))
    assert talk.state.contained
    talk.wait(after(talk.now, minutes(20)))
    assert talk.stands("browsing") is CLOSED
    assert talk.stands("telephone") is FILTERED
    assert all(door.stand.until is None for door in talk.state.doors.values())


def test_beside_the_path_no_rehearsal_unlocks_anything() -> None:
    beside = replace(SITE, placement=Placement.OBSERVER)
    why = locked(beside, None, NOW)
    assert why is not None
    assert why.text == "the station only watches: it cuts nothing"


def test_a_door_put_back_during_the_rehearsal_stays_so() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex"))
    talk.order(orders.SetOpening(by="Alex", opening="ehealth", state=FILTERED))
    talk.wait(after(talk.now, minutes(11)))
    assert talk.stands("ehealth") is FILTERED
    assert talk.stands("browsing") is OPEN


def test_a_rehearsed_door_is_on_no_trial() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex"))
    talk.order(orders.ConfirmTrial(by="Alex", opening="browsing"))
    assert "is not on trial" in talk.refusals()[0].what
    talk.order(
        orders.Reopen(by="Alex", opening="browsing", state=OPEN, seconds=60, override=True, reason="x")
    )
    assert "undoes itself" in talk.refusals()[0].what


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (contained(), "the site is contained"),
        (Talk().order(orders.Rehearse(by="Alex")), "a rehearsal is under way"),
    ],
)
def test_it_is_refused_when_it_would_be_no_rehearsal(talk: Talk, why: str) -> None:
    assert why in talk.order(orders.Rehearse(by="Alex")).refusals()[0].what


def test_it_is_refused_at_night_and_when_it_would_run_into_the_evening() -> None:
    talk = Talk()
    talk.terms = Terms(replace(SITE, hours=Hours()), talk.terms.policy)  # NOW is a Tuesday, 23:13 in Belgium
    assert "staffed hours" in talk.order(orders.Rehearse(by="Alex")).refusals()[0].what
    talk.now = after(NOW, hours(17) + minutes(41))  # Wednesday 16:54
    assert "staffed hours" in talk.order(orders.Rehearse(by="Alex")).refusals()[0].what
    talk.now = after(NOW, hours(17) + minutes(31))  # Wednesday 16:44
    assert not talk.order(orders.Rehearse(by="Alex")).refusals()


# -- what it unlocks -----------------------------------------------------------------------------------------------


def test_it_passes_when_every_ward_said_yes_to_everything() -> None:
    talk = Talk()
    assert lock(talk) == "no cut was ever rehearsed"
    talk.order(orders.Rehearse(by="Alex"))
    assert lock(talk) == "a rehearsal is under way"
    assert lock(rehearsed(Talk())) == ""


def test_it_does_not_pass_on_a_no_or_on_silence() -> None:
    assert "did not work" in lock(rehearsed(Talk(), reply=Reply.NO))
    assert "unanswered" in lock(rehearsed(Talk(), reply=Reply.UNKNOWN))


def test_a_short_one_proves_nothing() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex", seconds=299))
    for ward in SITE.wards:
        for question in Question:
            tick(talk, ward.id, question, Reply.YES)
    assert "too short" in lock(talk.wait(after(talk.now, minutes(5))))


def test_it_holds_for_six_months() -> None:
    talk = rehearsed(Talk())
    talk.wait(after(talk.now, VALID))
    assert lock(talk) == ""
    talk.wait(after(talk.now, seconds(1)))
    assert "older than six months" in lock(talk)


def test_wards_may_answer_for_a_day_and_a_no_says_what() -> None:
    talk = Talk().order(orders.Rehearse(by="Alex"))
    assert "is not said" in tick(talk, "ground", Question.CALL, Reply.NO).refusals()[0].what
    assert "no ward" in tick(talk, "attic", Question.CALL, Reply.YES).refusals()[0].what
    talk.wait(after(talk.now, hours(25)))
    assert "more than a day" in tick(talk, "ground", Question.CALL, Reply.YES).refusals()[0].what


def test_what_it_corrected_is_kept_with_it() -> None:
    talk = rehearsed(Talk())
    order = orders.CorrectSite(by="Alex", opening="ehealth", becomes=Becomes.LIFELINE)
    assert "needs a reason" in talk.order(order).refusals()[0].what
    talk.order(replace_order(order, reason="the tablets hung"))
    assert talk.state.care.rehearsal
    (correction,) = talk.state.care.rehearsal.corrections
    assert (correction.opening, correction.becomes) == ("ehealth", Becomes.LIFELINE)


def replace_order(order: orders.CorrectSite, **fields: str) -> orders.CorrectSite:
    return orders.CorrectSite(by=order.by, opening=order.opening, becomes=order.becomes, **fields)


def automatic(talk: Talk) -> Talk:
    talk.terms = Terms(SITE, policy.parse(CUTS_BY_ITSELF, "policy.toml"))
    return talk


def test_without_a_rehearsal_the_station_asks_instead_of_containing() -> None:
    talk = automatic(Talk()).find(GUESSING, BROKEN_IN, RECORDS)
    assert not talk.state.contained
    assert [proposal.action for proposal in talk.state.proposals.values()] == ["contain"]


def test_after_a_rehearsal_it_contains_by_itself_and_leaves_lifelines() -> None:
    talk = automatic(rehearsed(Talk())).find(GUESSING, BROKEN_IN, RECORDS)
    (cut,) = (fact for fact in talk.sealed if isinstance(fact, facts.Contained))
    assert cut.by == MACHINE
    assert (talk.stands("browsing"), talk.stands("telephone")) == (CLOSED, FILTERED)
    talk.find(replace(RECORDS, id="again"))
    assert sum(isinstance(fact, facts.Contained) for fact in talk.sealed) == 1


@pytest.mark.parametrize("field", ["spoofable", "stale", "alone"])
def test_forged_old_or_lonely_news_never_contains(field: str) -> None:
    talk = automatic(rehearsed(Talk()))
    match field:
        case "spoofable":
            talk.find(GUESSING, BROKEN_IN, replace(RECORDS, spoofable=True))
        case "stale":
            talk.find(GUESSING, BROKEN_IN)
            talk.find(replace(RECORDS, time=after(NOW, -hours(2))))
        case "alone":
            talk.find(RECORDS)
    assert not talk.state.contained
    assert "contain" in {proposal.action for proposal in talk.state.proposals.values()}


# -- the wards -----------------------------------------------------------------------------------------------------


def test_a_ward_attests_once_a_shift() -> None:
    talk = contained().order(orders.AttestCare(by="Nadia", ward="ground", reply=Reply.YES))
    said = talk.state.care.attested
    assert standings(SITE, said, talk.now) == {  # 23:14 on the wall; the shift began at 21:00
        "ground": Standing.GOES_ON,
        "first": Standing.UNHEARD,
    }
    assert standings(SITE, said, after(talk.now, hours(8)))["ground"] is Standing.UNHEARD
    talk.order(orders.AttestCare(by="Nadia", ward="ground", reply=Reply.NO, note="no labels"))
    assert standings(SITE, talk.state.care.attested, talk.now)["ground"] is Standing.TROUBLED


def test_troubles_are_open_until_a_remedy_is_written_down() -> None:
    talk = contained().order(orders.ReportTrouble(by="Nadia", service="printing", ail=Ail.SLOW, ward="first"))
    (trouble,) = talk.state.care.troubles.values()
    assert (trouble.id, trouble.settled) == ("t1", None)
    assert talk.order(orders.SettleTrouble(by="Alex", trouble="t9", remedy="x")).refusals()
    assert talk.order(orders.SettleTrouble(by="Alex", trouble="t1", remedy=" ")).refusals()
    talk.order(orders.SettleTrouble(by="Alex", trouble="t1", remedy="print server by address"))
    assert talk.state.care.troubles["t1"].remedy == "print server by address"
    assert talk.order(orders.SettleTrouble(by="Alex", trouble="t1", remedy="x")).refusals()


def test_paper_waits_until_it_is_entered() -> None:
    talk = contained().order(orders.KeepPaper(by="Nadia", opening="ehealth", what="sheets, first floor"))
    assert [pile.id for pile in papers_waiting(talk.state.care, "ehealth")] == ["p1"]
    assert talk.order(orders.KeepPaper(by="Nadia", opening="nowhere", what="x")).refusals()
    talk.order(orders.EnterPaper(by="Nadia", paper="p1"))
    assert papers_waiting(talk.state.care, "ehealth") == ()
    assert talk.order(orders.EnterPaper(by="Nadia", paper="p1")).refusals()


def test_what_lies_outside_is_ticked_with_a_proof() -> None:
    talk = contained()
    assert talk.order(orders.TickOutside(by="Alex", item="Fax", reply=Reply.YES, proof="x")).refusals()
    assert talk.order(orders.TickOutside(by="Alex", item="Microsoft 365", reply=Reply.YES)).refusals()
    assert talk.order(
        orders.TickOutside(by="Alex", item="Microsoft 365", action=3, reply=Reply.NO)
    ).refusals()
    talk.order(
        orders.TickOutside(by="Alex", item="Microsoft 365", action=2, reply=Reply.YES, proof="212 reset")
    )
    ticks = talk.state.care.outside["Microsoft 365"]
    assert ticks["reset the passwords"].proof == "212 reset"


# -- probes and the pack -------------------------------------------------------------------------------------------


def probed(now: Instant, *, answered: bool) -> Probed:
    """An answer that is heard as it is given."""
    return Probed(now, "care-file", answered, "x", asked=now)


def test_a_probe_is_news_when_it_turns() -> None:
    talk = Talk()
    for second, answered in enumerate([True, True, False, False, True]):
        talk.tell(probed(after(NOW, seconds(10 * second)), answered=answered))
    assert [fact.answered for fact in talk.sealed if isinstance(fact, facts.ProbeTurned)] == [
        True,
        False,
        True,
    ]
    talk.tell(Probed(NOW, "nobody", True, "x", asked=NOW))
    assert "nobody" not in talk.state.care.probes
    for second in range(100):
        talk.tell(probed(after(NOW, seconds(100 + 10 * second)), answered=second % 2 == 0))
    assert len(talk.state.care.probes["care-file"]) == CHANGES


@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_a_prober_gone_mad_does_not_fill_the_journal(late: int) -> None:
    """Whatever it says of when it asked."""
    talk = Talk()
    for tenth in range(200):
        now = after(NOW, seconds(tenth / 10))
        asked = Instant(now - 200 * late + tenth * late)
        talk.tell(Probed(now, "care-file", tenth % 2 == 0, "x", asked=asked))
    assert sum(isinstance(fact, facts.ProbeTurned) for fact in talk.sealed) <= 5


def test_an_answer_from_the_future_is_one_of_now() -> None:
    talk = Talk().tell(Probed(NOW, "care-file", True, "x", asked=after(NOW, hours(1))))
    assert talk.state.care.probes["care-file"][-1].asked == NOW


def test_the_pack_is_news_when_it_is_another() -> None:
    talk = Talk().tell(PackRead(NOW, "aa", NOW)).tell(PackRead(after(NOW, hours(1)), "aa", NOW))
    talk.tell(PackRead(after(NOW, hours(2)), "", NOW))
    assert [fact.sha256 for fact in talk.sealed if isinstance(fact, facts.PackChanged)] == ["aa", ""]


def test_what_was_lived_is_what_the_journal_folds_to() -> None:
    talk = automatic(rehearsed(Talk())).find(GUESSING, BROKEN_IN, RECORDS, BEACON)
    talk.order(orders.AttestCare(by="Nadia", ward="ground", reply=Reply.YES))
    talk.order(orders.ReportTrouble(by="Nadia", service="printing", ail=Ail.SLOW))
    talk.order(orders.KeepPaper(by="Nadia", opening="ehealth", what="sheets"))
    talk.tell(probed(talk.now, answered=True))
    through_the_journal = [read(body_of(fact)) for fact in talk.sealed]
    assert folded(initial(SITE), SITE, through_the_journal) == talk.state
