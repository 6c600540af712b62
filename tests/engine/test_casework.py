"""Casework as conversations: what people write about an incident, merging, splitting, and the questions of duties."""

import hashlib
from dataclasses import replace

import msgspec
import pytest

from engine.home import NOW, RECORDS, SCAN, SITE, sealed, terms
from rempart.accounts.person import Person, Role
from rempart.care.reply import Reply
from rempart.detection.finding import Finding
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.engine import facts, orders, retention
from rempart.engine.changed import changed
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Command, Count, Found, Ordered, Refuse, Seal
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.incidents.casefile import MOST_FILES, MOST_SEEN
from rempart.incidents.incident import Qualification
from rempart.incidents.qualification import Author, Ending, Intent, Ransom
from rempart.instants import Instant, hours

TERMS = terms()
ATTACK = f"inc-{RECORDS.id[:12]}"
NOISE = f"inc-{SCAN.id[:12]}"
ANNE = Person(id="anne.dupont", name="Anne", roles=frozenset({Role.TECHNICIAN}), enrolled=NOW)
LEAVER = replace(ANNE, id="marc", enabled=False)
LOOKER = replace(ANNE, id="funder", roles=frozenset({Role.OBSERVER}))
BEGUN = changed(initial(SITE), people={each.id: each for each in (ANNE, LEAVER, LOOKER)})
SHA256 = hashlib.sha256(b"screen").hexdigest()
FILE = orders.AttachFile(by="Anne", incident=ATTACK, name="screen.png", size=6, sha256=SHA256)


def told(*given: AnyOrder | Finding) -> tuple[State, list[Command]]:
    """The state and all commands after a theft of records, a scan, and these, a minute apart."""
    state, commands = BEGUN, []
    for number, happened in enumerate((RECORDS, SCAN, *given)):
        at = Instant(NOW + number * 60_000_000)
        asked = Found(at, happened) if isinstance(happened, Finding) else Ordered(at, happened)
        state, said = step(TERMS, state, asked)
        commands += said
    return state, commands


def test_a_later_qualification_stands_beside_the_earlier_one() -> None:
    guess = orders.QualifyIncident(by="Anne", incident=ATTACK, author=Author.INTERNAL, reason="the badge")
    known = orders.QualifyIncident(
        by="Privacy", incident=ATTACK, intent=Intent.DATA, ransom=Ransom.ASKED, outcome=Ending.PARTIAL
    )
    state, _ = told(guess, known)
    first, second = state.cases[ATTACK].qualified
    assert (first.by, first.said.author, first.note) == ("Anne", "internal", "the badge")
    assert second.said == Qualification(intent="data", ransom="asked", outcome="partial")
    assert state.incidents[ATTACK].qualification == second.said
    assert first.at < second.at


def test_assigning_commenting_attaching() -> None:
    state, _ = told(
        orders.AssignIncident(by="Privacy", incident=ATTACK, person="anne.dupont"),
        orders.CommentIncident(by="Night", incident=ATTACK, text="the ward's PC was slow"),
        FILE,
        orders.AssignIncident(by="Privacy", incident=ATTACK),
    )
    case = state.cases[ATTACK]
    assert [each.person for each in case.assigned] == ["anne.dupont", ""]
    assert case.assignee == ""
    assert case.comments[0].text == "the ward's PC was slow"
    assert (case.files[0].name, case.files[0].sha256, case.files[0].size) == ("screen.png", SHA256, 6)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (orders.CommentIncident(by="A", incident="inc-x", text="x"), "no incident"),
        (orders.CommentIncident(by="A", incident=ATTACK, text="  "), "says nothing"),
        (orders.AssignIncident(by="A", incident=ATTACK, person="nobody"), "nobody"),
        (orders.AssignIncident(by="A", incident=ATTACK, person="marc"), "marc"),
        (orders.AssignIncident(by="A", incident=ATTACK, person="funder"), "funder"),
        (orders.MergeIncidents(by="A", into=ATTACK, merged=ATTACK), "itself"),
        (orders.MergeIncidents(by="A", into=ATTACK, merged="inc-x"), "no incident"),
        (orders.SplitIncident(by="A", incident=ATTACK, findings=[SCAN.id]), "not findings"),
        (orders.SplitIncident(by="A", incident=ATTACK, findings=[RECORDS.id]), "at least one"),
        (orders.AnswerQuestion(by="A", incident=ATTACK, question=QuestionId.FTE), "number"),
        (
            orders.AnswerQuestion(by="A", incident=ATTACK, question=QuestionId.NIS2_SCOPE, number=5),
            "asks for yes",
        ),
        (
            orders.AnswerQuestion(
                by="A", incident=ATTACK, question=QuestionId.NIS2_SCOPE, since=Instant(NOW + hours(9))
            ),
            "future",
        ),
        (orders.NoteSending(by="A", incident=ATTACK, duty=DutyId.INSURER, on=NOW, proof=" "), "proof"),
        (
            orders.NoteSending(by="A", incident=ATTACK, duty=DutyId.INSURER, on=NOW + hours(9), proof="x"),
            "future",
        ),
    ],
)
def test_what_is_refused(order: AnyOrder, why: str) -> None:
    state, commands = told(order)
    (refusal,) = [command for command in commands if isinstance(command, Refuse)]
    assert why in refusal.what
    assert not state.cases[ATTACK].comments


def test_a_file_is_attached_once_and_only_so_many() -> None:
    others = [msgspec.structs.replace(FILE, sha256=f"{n:064x}") for n in range(MOST_FILES)]
    state, commands = told(FILE, FILE, *others)
    refused = [command.what for command in commands if isinstance(command, Refuse)]
    assert ["already" in why for why in refused] == [True, True]
    assert len(state.cases[ATTACK].files) == MOST_FILES


ERASE = orders.EraseFile(by="Privacy", incident=ATTACK, sha256=SHA256, reason="a resident asked")


def test_an_erased_file_leaves_its_hash_who_erased_it_and_why_wherever_it_was_attached() -> None:
    elsewhere = msgspec.structs.replace(FILE, incident=NOISE, name="the same.png")
    other = msgspec.structs.replace(FILE, sha256="1" * 64, name="other.png")
    state, _ = told(FILE, elsewhere, other, ERASE)
    for name in (ATTACK, NOISE):
        file = state.cases[name].files[0]
        assert file.erased
        assert (file.sha256, file.erased.by, file.erased.reason) == (SHA256, "Privacy", "a resident asked")
    assert state.cases[ATTACK].files[1].erased is None
    assert retention.erased(state.kept) == {SHA256}


def test_an_erasure_is_sealed_before_anything_comes_of_it() -> None:
    _, commands = told(FILE, ERASE)
    (seal,) = (c for c in commands if isinstance(c, Seal) and isinstance(c.facts[0], facts.FileErased))
    assert not seal.urgent


def test_what_was_erased_may_be_attached_again_and_then_is_kept() -> None:
    state, _ = told(FILE, ERASE, FILE)
    assert [file.erased is None for file in state.cases[ATTACK].files] == [False, True]
    assert retention.erased(state.kept) == set()


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (msgspec.structs.replace(ERASE, reason=" "), "reason"),
        (msgspec.structs.replace(ERASE, sha256="1" * 64), "no such file"),
        (msgspec.structs.replace(ERASE, incident=NOISE), "no such file"),
    ],
)
def test_erasing_needs_a_reason_and_a_file_that_is_there(order: orders.EraseFile, why: str) -> None:
    state, commands = told(FILE, order)
    (refusal,) = [command for command in commands if isinstance(command, Refuse)]
    assert why in refusal.what
    assert state.cases[ATTACK].files[0].erased is None


def test_a_file_of_an_incident_that_is_no_longer_kept_in_mind_can_be_erased() -> None:
    _, commands = told(msgspec.structs.replace(ERASE, incident="inc-long-ago"))
    assert [type(fact) for fact in sealed(commands)][-1] is facts.FileErased


def test_two_incidents_become_one_by_a_persons_word() -> None:
    state, commands = told(
        orders.CommentIncident(by="Night", incident=NOISE, text="before"),
        orders.AnswerQuestion(
            by="Privacy", incident=NOISE, question=QuestionId.OFFENCE_SUSPECTED, reply=Reply.YES
        ),
        orders.MergeIncidents(by="Anne", into=ATTACK, merged=NOISE, reason="same hour"),
    )
    assert NOISE not in state.incidents
    assert NOISE not in state.cases
    case = state.cases[ATTACK]
    assert {seen.finding for seen in case.seen} == {RECORDS.id, SCAN.id}
    assert [comment.text for comment in case.comments] == ["before"]
    assert case.absorbed == (NOISE,)
    assert (case.deeds[-1].what, case.deeds[-1].by, case.deeds[-1].reason) == ("merged", "Anne", "same hour")
    assert state.duties.about(ATTACK).latest("offence-suspected") is not None
    assert any(isinstance(command, Count) for command in commands[-3:])  # who was touched is counted anew


def test_what_a_person_took_apart_no_machine_puts_together() -> None:
    merge = orders.MergeIncidents(by="Anne", into=ATTACK, merged=NOISE)
    split = orders.SplitIncident(by="Anne", incident=ATTACK, findings=[SCAN.id], reason="a robot")
    state, _ = told(merge, split)
    part = f"{ATTACK}-2"
    assert [seen.finding for seen in state.cases[ATTACK].seen] == [RECORDS.id]
    assert [seen.finding for seen in state.cases[part].seen] == [SCAN.id]
    assert state.incidents[part].kinds == frozenset({SCAN.kind})
    assert state.incidents[ATTACK].kinds == frozenset({RECORDS.kind})
    assert state.incidents[ATTACK].actors.isdisjoint(state.incidents[part].actors)
    assert {s.key for _, s in state.incidents[part].story} == {"story.scan"}
    both = replace(RECORDS, id="f" * 40, observables=(*RECORDS.observables, *SCAN.observables))
    again, _ = step(TERMS, state, Found(Instant(NOW + hours(1)), both))
    assert {ATTACK, part} <= again.incidents.keys()


def test_a_split_of_what_the_site_is_cut_for_leaves_it_cut_for_both() -> None:
    cut = orders.Contain(by="Anne")
    merge = orders.MergeIncidents(by="Anne", into=ATTACK, merged=NOISE)
    state, _ = told(cut, merge, orders.SplitIncident(by="Anne", incident=ATTACK, findings=[SCAN.id]))
    assert {ATTACK, f"{ATTACK}-2"} <= state.contained_for


def test_an_answer_about_the_house_holds_for_every_incident() -> None:
    def answer(incident: str, question: QuestionId, **said: object) -> orders.AnswerQuestion:
        return orders.AnswerQuestion(by="Privacy", incident=incident, question=question, **said)  # type: ignore[arg-type]

    state, _ = told(
        answer(NOISE, QuestionId.FTE, number=62),
        answer(NOISE, QuestionId.PERSONAL_DATA_BREACH, reply=Reply.NO),
        answer(ATTACK, QuestionId.PERSONAL_DATA_BREACH, reply=Reply.UNKNOWN),
        answer(ATTACK, QuestionId.PERSONAL_DATA_BREACH, reply=Reply.YES, since=NOW, reason="seen"),
        orders.NoteSending(by="Privacy", incident=ATTACK, duty=DutyId.GDPR_AUTHORITY, on=NOW, proof="code 7"),
    )
    answers = state.duties.about(ATTACK)
    assert answers.number("fte") == 62
    latest = answers.latest("personal-data-breach")
    assert latest is not None
    assert (latest.value, latest.since, latest.why) == ("yes", NOW, "seen")
    assert [a.value for a in answers.given if a.question == "personal-data-breach"] == ["unknown", "yes"]
    assert (sent := answers.sending("gdpr-authority")) is not None
    assert sent.proof == "code 7"
    assert state.duties.about(NOISE).sending("gdpr-authority") is None


def test_who_did_what_and_how_doors_swung() -> None:
    state, commands = told(
        orders.Contain(by="Director", reason="files opened"),
        orders.Block(by="Anne", target="198.51.100.9"),
        orders.Unblock(by="Anne", target="198.51.100.9"),
    )
    done = [(deed.what, deed.target, deed.by) for deed in state.cases[ATTACK].deeds]
    assert ("contained", "", "Director") in done
    assert done[-2:] == [("blocked", "198.51.100.9", "Anne"), ("unblocked", "198.51.100.9", "Anne")]
    shut = {swing.opening: (swing.was.value, swing.state.value, swing.by) for swing in state.swings}
    assert shut["website"] == ("open", "closed", "Director")
    assert shut["telephone"] == ("open", "filtered", "Director")
    assert "maintenance" not in shut  # it was closed before
    lived = folded(BEGUN, SITE, sealed(commands))
    assert (lived.cases, lived.duties, lived.swings) == (state.cases, state.duties, state.swings)


def test_only_so_many_findings_are_kept_and_the_rest_is_counted() -> None:
    joined = [
        facts.FindingJoined(
            at=NOW,
            incident=ATTACK,
            finding=f"f{number}",
            rule="r",
            title="t",
            level=RECORDS.level,
            kind=RECORDS.kind,
            outcome=RECORDS.outcome,
            actors=["198.51.100.1"],
            victims=[],
            accounts=[],
            assets=[],
            source="s",
            record=number,
            count=1,
            tally=1,
        )
        for number in range(MOST_SEEN + 5)
    ]
    state = folded(BEGUN, SITE, joined)
    case = state.cases[ATTACK]
    assert (len(case.seen), case.unkept, case.seen[-1].record) == (MOST_SEEN, 5, MOST_SEEN + 4)
    parted = folded(
        state,
        SITE,
        [facts.IncidentSplit(at=NOW, incident=ATTACK, into="x", findings=["f50"], by="Anne", reason="")],
    )
    assert parted.incidents[ATTACK].actors == {"198.51.100.1"}  # nothing that is not kept is taken away
    assert parted.incidents[ATTACK].findings == MOST_SEEN + 4
    assert msgspec.json.decode(msgspec.json.encode(parted), type=State) == parted
