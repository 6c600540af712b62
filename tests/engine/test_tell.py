"""Telling as conversations: who is asked for when, who takes it, and what an attacker cannot make of it."""

from dataclasses import replace

import pytest

from engine.home import BEACON, BROKEN_IN, NOW, OTHER_PROBE, RECORDS, SCAN, SITE, at, by, finding, terms
from engine.test_step import Talk, contained, pass_gates, reopen
from rempart.detection.finding import Kind, Level, Outcome
from rempart.engine import facts, orders, tell
from rempart.engine.changed import changed
from rempart.engine.facts import AnyFact
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import (
    AnyInput,
    Delayed,
    Delivered,
    Found,
    Notify,
    Repaired,
    Replied,
    Started,
    Ticked,
    Witnessed,
)
from rempart.engine.state import initial
from rempart.engine.step import step
from rempart.instants import Instant, after, hours, minutes, seconds
from rempart.site.language import Language
from rempart.site.site import Site
from rempart.site.telling import Channel, Recipient, Telling
from rempart.telling.alert import TEST, AlertState, Delivery, Urgency
from rempart.telling.message import Message, MessageKind

HOME = replace(
    SITE,
    telling=Telling(
        recipients=(
            Recipient(role="duty", language=Language.FRENCH, text="+32470000001", digest=True),
            Recipient(role="technician", language=Language.DUTCH, text="+32470000002", after=10),
        )
    ),
)


class Night(Talk):
    """A conversation in a home that has named whom to tell."""

    def __init__(self, site: Site = HOME) -> None:
        super().__init__()
        self.terms = replace(terms(), site=site)
        self.sent: list[Message] = []
        self.tell(Started(NOW))

    def tell(self, happened: AnyInput) -> "Night":
        super().tell(happened)
        self.sent += [m for c in self.commands if isinstance(c, Notify) for m in c.messages]
        return self

    def hand_over(self, *, delivered: bool = True) -> "Night":
        """The sender hands over all that it was asked for."""
        for message in list(self.sent):
            said = Delivery(
                message=message.id,
                role=message.role,
                channel=message.channel,
                at=self.now,
                delivered=delivered,
            )
            self.tell(Delivered(self.now, said, message.alert))
        return self

    def sealed_of(self, kind: type[AnyFact]) -> list[AnyFact]:
        return [fact for fact in self.sealed if isinstance(fact, kind)]

    @property
    def roles(self) -> list[str]:
        return [message.role for message in self.sent]


def test_an_attempt_asks_for_nobody() -> None:
    night = Night().find(SCAN, OTHER_PROBE)
    assert night.sent == []
    assert night.state.day.incidents == 2


def test_records_leaving_wake_the_first_then_the_second_then_both_again() -> None:
    night = Night().find(RECORDS)
    assert night.roles == ["duty"]
    night.wait(after(night.now, minutes(9)))
    assert night.roles == ["duty"]
    night.wait(after(night.now, minutes(2)))
    assert night.roles == ["duty", "technician"]
    night.wait(after(night.now, minutes(25)))
    assert night.roles == ["duty", "technician", "duty"]
    assert [m.kind for m in night.sent] == [MessageKind.ALERT, MessageKind.ALERT, MessageKind.AGAIN]


def test_a_message_says_the_zone_and_nothing_from_the_log() -> None:
    hostile = replace(RECORDS, title="call +32 900 00 00 00", id="feed" * 8)
    night = Night().find(hostile)
    (message,) = night.sent
    assert message.about.arguments == {"where": "Wards"}
    said = repr(message)
    for secret in ("dr.lambert", "10.1.0.21", "900", "198.51"):
        assert secret not in said


def test_an_answer_by_text_message_ends_it_and_the_minutes_are_sealed() -> None:
    night = Night().find(RECORDS).hand_over()
    raised = night.now
    night.now = after(raised, minutes(4))
    code = night.sent[0].code
    night.tell(Replied(night.now, "duty", f" {code.lower()} "))
    (taken,) = night.sealed_of(facts.Acknowledged)
    assert (taken.by, taken.how) == ("duty", "reply")
    assert night.state.answers == (minutes(4),)
    night.wait(after(night.now, hours(3)))
    assert night.roles == ["duty"]


def test_the_others_hear_that_somebody_has_it() -> None:
    night = Night().find(RECORDS)
    night.wait(after(night.now, minutes(11))).hand_over()
    night.order(orders.Acknowledge(by="technician", code=night.sent[0].code))
    assert [(m.role, m.kind) for m in night.sent[2:]] == [("duty", MessageKind.TAKEN)]


def test_a_cut_by_a_person_takes_what_waits_and_is_itself_told() -> None:
    night = Night().find(RECORDS).hand_over()
    night.order(orders.Contain(by="Night nurse"))
    assert night.sealed_of(facts.Acknowledged)[0].how == "acted"
    assert night.state.alerts[tell.CUT].waits
    assert [m.about.key for m in night.sent if m.kind is MessageKind.ALERT] == ["alert.records", "alert.cut"]


def test_a_wrong_code_is_refused_and_guesses_end() -> None:
    night = Night().find(RECORDS)
    night.order(orders.Acknowledge(by="duty", code="AAAAAA"))
    assert night.refusals()
    for _ in range(tell.GUESSES):
        night.tell(Replied(night.now, "duty", "AAAAAA"))
    night.tell(Replied(night.now, "duty", night.sent[0].code))
    assert night.state.alerts[night.sent[0].alert].waits
    night.now = after(night.now, hours(2))
    night.tell(Replied(night.now, "duty", night.sent[0].code))
    assert not night.state.alerts[night.sent[0].alert].waits


def test_a_stranger_cannot_answer() -> None:
    night = Night().find(RECORDS)
    night.tell(Replied(night.now, "stranger", night.sent[0].code))
    assert night.state.alerts[night.sent[0].alert].waits


def test_taken_twice_is_refused_with_the_name() -> None:
    night = Night().find(RECORDS)
    night.order(orders.Acknowledge(by="Anna", code=night.sent[0].code))
    night.order(orders.Acknowledge(by="Bert", code=night.sent[0].code))
    assert "Anna" in night.refusals()[0].what


def intruder(number: int, level: Level = Level.HIGH, kind: Kind = Kind.INTRUSION) -> Found:
    outside = f"198.51.{number // 250}.{number % 250 + 1}"
    moment = after(NOW, seconds(number + 1))
    seen = finding(
        kind, level=level, time=moment, outcome=Outcome.SUCCESS, observables=(by(outside), at("10.3.0.11"))
    )
    return Found(moment, seen)


def test_a_thousand_intruders_raise_a_dozen_alerts() -> None:
    night = Night()
    for number in range(1_000):
        night.tell(intruder(number))
    asked = night.sealed_of(facts.AlertRaised)
    alone = [fact for fact in asked if fact.alert != tell.CROWD]
    assert len(alone) == tell.A_DAY
    assert len(asked) < 12
    assert night.state.alerts[tell.CROWD].about.arguments["count"] >= 256


def test_a_graver_thing_is_not_hidden_behind_many() -> None:
    night = Night()
    for number in range(100):
        night.tell(intruder(number))
    night.now = after(NOW, seconds(200))
    night.find(RECORDS)
    assert night.sealed_of(facts.AlertRaised)[-1].key == "alert.records"


def test_what_grows_graver_asks_once_more_only_after_somebody_took_it() -> None:
    takes = orders.Acknowledge(by="Anna", code=Night().find(BEACON).sent[0].code)
    waiting = Night().find(BEACON).find(RECORDS)
    assert len(waiting.sealed_of(facts.AlertRaised)) == 1
    taken = Night().find(BEACON).order(takes).find(RECORDS)
    assert len(taken.sealed_of(facts.AlertRaised)) == 2
    seen_whole = Night().find(BEACON).find(RECORDS).order(takes).find(replace(BROKEN_IN, rule="other"))
    assert len(seen_whole.sealed_of(facts.AlertRaised)) == 1


def test_an_incident_that_goes_quiet_asks_no_more() -> None:
    night = Night().find(RECORDS)
    night.wait(after(night.now, hours(30)))
    (alert,) = night.state.alerts.values()
    assert alert.state is AlertState.OVER


def test_a_relapse_a_lapsed_trial_a_fault_and_a_full_disk_are_told() -> None:
    cut = contained()
    night = Night()
    night.state, night.now = changed(cut.state, site=HOME.id), cut.now
    reopen(pass_gates(night, "ehealth"), "ehealth", length=60)
    night.wait(after(night.now, seconds(90)))
    night.tell(Repaired(night.now, "the table is gone", repaired=False))
    assert tell.ENFORCEMENT not in night.state.alerts
    night.tell(Repaired(night.now, "the table is gone", repaired=False, lasts=True))
    night.tell(Delayed(night.now, ("Contained",), 80))
    keys = {fact.key for fact in night.sealed_of(facts.AlertRaised)}
    assert {"alert.trial", "alert.enforcement", "alert.journal"} <= keys
    for _ in range(20):
        night.tell(Repaired(night.now, "the table is gone", repaired=False, lasts=True))
    assert len([f for f in night.sealed_of(facts.AlertRaised) if f.key == "alert.enforcement"]) == 1


def test_a_fault_that_ends_asks_no_more() -> None:
    night = Night().tell(Repaired(NOW, "the table is gone", repaired=False, lasts=True))
    night.tell(Repaired(after(NOW, minutes(1)), "it holds again", repaired=True))
    assert night.state.alerts[tell.ENFORCEMENT].state is AlertState.OVER


def test_the_sender_cannot_fill_the_journal() -> None:
    night = Night().find(RECORDS)
    invented = Delivery(message="invented", role="duty", channel=Channel.TEXT, at=night.now, delivered=True)
    before = len(night.sealed)
    night.tell(Delivered(night.now, invented, night.sent[0].alert)).tell(Delivered(night.now, invented, "x"))
    night.hand_over().hand_over()
    assert len(night.sealed) == before + 1


def test_what_could_not_be_handed_over_is_sealed_as_that() -> None:
    night = Night().find(RECORDS).hand_over(delivered=False)
    (told,) = night.sealed_of(facts.Told)
    assert not told.delivered


def test_a_restart_asks_for_what_was_never_handed_over() -> None:
    night = Night().find(RECORDS)
    again = folded(initial(HOME), HOME, night.sealed)
    assert again == night.state
    assert [m.id for m in tell.owed(HOME, again, night.now)] == [m.id for m in night.sent]
    _, commands = step(night.terms, again, Ticked(night.now))
    assert [m.id for c in commands if isinstance(c, Notify) for m in c.messages] == [m.id for m in night.sent]


def test_the_day_is_summed_up_once_and_sent_to_who_wants_it() -> None:
    night = Night().find(SCAN, OTHER_PROBE, BROKEN_IN)
    for _ in range(30):
        night.wait(after(night.now, hours(1)))
    (first, *_) = night.sealed_of(facts.DayEnded)
    # The scanner's attack is that of the intruder; another's probe led nowhere.
    assert (first.incidents, first.asked, first.unanswered) == (2, 1, 1)
    digests = [m for m in night.sent if m.kind is MessageKind.DIGEST]
    assert {m.role for m in digests} == {"duty"}
    assert len({m.id for m in digests}) == len(digests) == len(night.sealed_of(facts.DayEnded))


def test_a_test_tells_everybody_and_says_so_and_not_twice_a_minute() -> None:
    night = Night().order(orders.TryTelling(by="Anna"))
    assert sorted(night.roles) == ["duty", "technician"]
    assert {m.kind for m in night.sent} == {MessageKind.TEST}
    night.order(orders.TryTelling(by="Anna"))
    assert night.refusals()
    night.tell(Replied(night.now, "duty", night.state.alerts[TEST].code))
    assert night.state.answers == ()


def test_the_sealed_envelope_is_told_to_somebody_at_once() -> None:
    night = Night()
    opened = facts.EnvelopeOpened(at=night.now, where="192.0.2.7", session="abc")
    night.tell(Witnessed(night.now, opened))
    assert night.sent
    assert {m.urgency for m in night.sent} == {Urgency.NOW}


def test_a_home_that_names_nobody_is_told_so() -> None:
    night = Night(SITE).order(orders.TryTelling(by="Anna"))
    assert night.refusals()
    assert Night(SITE).find(RECORDS).sent == []


@pytest.mark.parametrize("kind", [Kind.RECORDS, Kind.INTRUSION])
def test_what_can_wait_and_what_cannot(kind: Kind) -> None:
    night = Night().tell(intruder(1, Level.HIGH, kind))
    assert night.sent[0].urgency is Urgency.NOW
    assert Instant(night.sent[0].until) > night.now
