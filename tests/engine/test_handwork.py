"""Work by hand beside the path, as conversations: who said what, what probes say to it, and what is never believed."""

from dataclasses import replace

import pytest

from engine.home import ATTACKER, BROKEN_IN, NOW, SITE, terms
from rempart.care.reply import Reply
from rempart.containment.by_hand import Deed
from rempart.containment.policy import Action
from rempart.engine import facts, orders
from rempart.engine.fold.fitted import fitted
from rempart.engine.fold.fold import folded
from rempart.engine.handwork import CUT, MOST_DEEDS, Checked, after_it, checked
from rempart.engine.inputs import AnyInput, Enforce, Found, Ordered, Probed, Refuse, Seal
from rempart.engine.state import Posture, State, initial
from rempart.engine.step import step
from rempart.instants import Instant, after, hours, seconds
from rempart.messages import Status
from rempart.site.placement import ByHand, Placement
from rempart.station.status import status

PLAN = ByHand(cut=("FortiGate in the cellar: unplug port 1", "Tell the switchboard"))
BESIDE = replace(SITE, placement=Placement.OBSERVER, by_hand=PLAN)
TERMS = replace(terms(), site=BESIDE)


class Talk:
    """A station beside the path; each word comes a minute after the last."""

    def __init__(self) -> None:
        self.state: State = initial(BESIDE)
        self.now: Instant = NOW
        self.sealed: list[facts.AnyFact] = []
        self.refused = ""

    def tell(self, said: AnyInput) -> "Talk":
        self.state, commands = step(TERMS, self.state, said)
        assert not any(isinstance(each, Enforce) and each.wanted.contained for each in commands)
        self.sealed += [fact for each in commands if isinstance(each, Seal) for fact in each.facts]
        self.refused = next((each.said.key for each in commands if isinstance(each, Refuse)), "")
        self.now = after(self.now, seconds(60))
        return self

    def tick(
        self,
        number: int = 1,
        *,
        target: str = "",
        action: Action = Action.CONTAIN,
        on: Instant | None = None,
        **said: str,
    ) -> "Talk":
        order = orders.TickByHand(
            by=said.get("by", "Anne"),
            action=action,
            target=target,
            step=number,
            reply=Reply(said.get("reply", "yes")),
            on=on,
        )
        return self.tell(Ordered(self.now, order))

    def probe(self, *, answered: bool) -> "Talk":
        return self.tell(Probed(self.now, "cut", answered, "x", asked=self.now))

    def checked(self) -> Checked:
        return checked(BESIDE, self.state.by_hand, self.state.care)[0]

    def shown(self) -> Status:
        return status(BESIDE, self.state, self.now, head=(1, "00"), verified=None, fault="")


def test_a_step_done_by_hand_is_sealed_as_somebodys_word() -> None:
    talk = Talk().tick(2)
    (fact,) = talk.sealed
    assert isinstance(fact, facts.TickedByHand)
    assert (fact.by, fact.step, fact.at) == ("Anne", PLAN.cut[0], NOW)
    assert talk.state.posture is Posture.NORMAL  # the station cut nothing and claims nothing
    steps = talk.shown().by_hand.steps
    assert [(each.number, each.reply, each.by) for each in steps] == [
        (1, "unknown", ""),
        (2, "yes", "Anne"),
        (3, "unknown", ""),
    ]
    assert folded(initial(BESIDE), BESIDE, talk.sealed).by_hand == talk.state.by_hand


def test_when_it_was_done_is_sealed_beside_when_it_was_said() -> None:
    talk = Talk().tell(Found(NOW, BROKEN_IN))
    done = Instant(NOW - NOW % seconds(60))  # people say minutes, and an incident begins within one
    talk.tick(2, on=done)
    fact = talk.sealed[-1]
    assert isinstance(fact, facts.TickedByHand)
    assert (fact.on, fact.at) == (done, after(NOW, seconds(60)))
    told = talk.shown().by_hand.steps[1]
    assert (told.on, told.at) == (done, fact.at)
    assert facts.read(facts.body_of(fact)) == fact


def test_a_time_that_cannot_be_is_refused() -> None:
    talk = Talk()
    assert talk.tick(2, on=Instant(talk.now + 1)).refused == "done-in-future"
    day = hours(24)
    assert talk.tick(2, on=Instant(talk.now - day - seconds(120))).refused == "done-before-all"
    assert talk.tick(2, on=Instant(talk.now - day)).refused == ""  # no incident yet: the cable came first
    assert talk.tick(2, on=talk.now, reply="no").refused == "undone-at-a-time"
    talk.tell(Found(talk.now, BROKEN_IN))
    begun = min(incident.opened for incident in talk.state.incidents.values())
    assert talk.tick(2, on=Instant(begun - seconds(60))).refused == "done-before-all"
    assert talk.tick(2, on=begun).refused == ""


def test_a_journal_of_before_still_folds() -> None:
    body = dict(facts.body_of(Talk().tick(2).sealed[0]))
    del body["on"]
    fact = facts.read(body)
    assert isinstance(fact, facts.TickedByHand)
    assert fact.on is None
    assert folded(initial(BESIDE), BESIDE, [fact]).by_hand[CUT][PLAN.cut[0]].since == NOW


def test_probes_are_held_against_when_it_was_done() -> None:
    talk = Talk().probe(answered=True)
    done = talk.now
    assert talk.probe(answered=False).tick(2).checked() is Checked.UNCHECKED  # asked before it was said
    assert talk.tick(2, on=done).checked() is Checked.CONFIRMED


def test_silence_confirms_a_cut_only_where_there_was_an_answer_before() -> None:
    talk = Talk().probe(answered=False).tick(2).probe(answered=False)
    assert talk.checked() is Checked.UNCHECKED
    talk = Talk().probe(answered=True).tick(2)
    assert talk.checked() is Checked.UNCHECKED  # nothing was asked since
    talk.probe(answered=False)
    assert talk.checked() is Checked.CONFIRMED
    assert talk.shown().by_hand.probes == ["Through the cut"]


def test_an_answer_contradicts_a_cut_and_is_sealed_though_it_is_the_same_as_before() -> None:
    talk = Talk().probe(answered=True).tick(2).probe(answered=True)
    assert talk.checked() is Checked.CONTRADICTED
    assert sum(isinstance(fact, facts.ProbeTurned) for fact in talk.sealed) == 2
    talk.probe(answered=True)
    assert sum(isinstance(fact, facts.ProbeTurned) for fact in talk.sealed) == 2
    assert talk.tick(2, reply="no").checked() is Checked.UNCHECKED  # there is no cut any more


def test_a_lifeline_that_still_answers_contradicts_nothing() -> None:
    lifeline = replace(BESIDE.probes[1], opening="telephone")
    site = replace(BESIDE, probes=(lifeline,))
    talk = Talk().tick(2).probe(answered=True)
    assert checked(site, talk.state.by_hand, talk.state.care) == (Checked.UNCHECKED, ())


def test_a_block_is_by_its_address_and_is_forgotten_when_it_is_lifted() -> None:
    talk = (
        Talk().tick(action=Action.BLOCK, target=f" {ATTACKER} ").tick(action=Action.ISOLATE, target="ward-pc")
    )
    assert list(talk.state.by_hand) == [Deed(Action.BLOCK, ATTACKER), Deed(Action.ISOLATE, "ward-pc")]
    talk.tick(action=Action.BLOCK, target=ATTACKER, reply="no")
    assert list(talk.state.by_hand) == [Deed(Action.ISOLATE, "ward-pc")]
    assert len(talk.sealed) == 3


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"number": 4}, "no-hand-step"),
        ({"action": Action.WATCH}, "no-hand-step"),
        ({"action": Action.BLOCK, "target": "the attacker"}, "no-address"),
        ({"action": Action.ISOLATE, "target": " "}, "no-hand-target"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, object], key: str) -> None:
    assert Talk().tick(**said).refused == key  # type: ignore[arg-type]  # each value fits its argument


def test_in_the_path_nothing_is_done_by_hand() -> None:
    order = orders.TickByHand(by="Anne", action=Action.CONTAIN, reply=Reply.YES)
    _, commands = step(terms(), initial(SITE), Ordered(NOW, order))
    assert [each.said.key for each in commands if isinstance(each, Refuse)] == ["not-by-hand"]
    assert fitted(Talk().tick().state, SITE).by_hand == {}


def test_a_step_that_left_the_plan_is_still_told() -> None:
    state = Talk().tick(3).state
    shorter = replace(BESIDE, by_hand=ByHand(cut=PLAN.cut[:1]))
    told = status(shorter, state, NOW, head=(1, "00"), verified=None, fault="").by_hand.steps
    assert [(each.number, each.step) for each in told] == [(1, ""), (2, PLAN.cut[0]), (0, PLAN.cut[1])]


def test_what_is_kept_in_mind_is_bounded_and_never_loses_the_cut() -> None:
    work = Talk().tick().state.by_hand
    for number in range(MOST_DEEDS + 5):
        fact = facts.TickedByHand(
            at=NOW, action=Action.ISOLATE, target=f"pc-{number}", step="", reply=Reply.YES, note="", by="Anne"
        )
        work = after_it(work, fact)
    assert len(work) == MOST_DEEDS
    assert CUT in work
    assert Deed(Action.ISOLATE, f"pc-{MOST_DEEDS + 4}") in work
