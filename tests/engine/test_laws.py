"""The laws of the engine, against any sequence of inputs."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.home import (
    BEACON,
    BROKEN_IN,
    GUESSING,
    NOW,
    OTHER_PROBE,
    RECORDS,
    RELAPSE,
    SCAN,
    SITE,
    terms,
)
from rempart.accounts.authority import Proof
from rempart.accounts.credential import Scope
from rempart.accounts.person import Role
from rempart.care.rehearsal import Becomes, Question
from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.containment.measure import Enforcement, loosens
from rempart.containment.safeguard import protects
from rempart.detection.finding import Finding
from rempart.engine import facts, orders
from rempart.engine.facts import AnyFact, body_of, read
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import AnyInput, Enforce, Found, Ordered, Seal, Ticked
from rempart.engine.orders import GateAnswer
from rempart.engine.rights import needs
from rempart.engine.state import State, enforcement, initial, rehearsing
from rempart.engine.step import step
from rempart.instants import Instant
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState

OPENINGS = st.sampled_from([o.id for o in SITE.openings] + ["nowhere"])
ACCOUNTS = st.sampled_from(["anne.dupont", "marc", "envelope", "nobody"])
ROLES = st.lists(st.sampled_from(list(Role)), min_size=1, max_size=3)
PERSONS = st.sampled_from(["Alex", "Dr Peeters", ""])
TARGETS = st.sampled_from(
    [
        "198.51.100.66",
        "198.51.100.0/24",
        "10.9.0.5",
        "10.1.0.21",
        "203.0.113.1",
        "203.0.113.40",
        "0.0.0.0/0",
        "x; flush",
    ]
)
STATES = st.sampled_from(list(OpeningState))
WITHIN = st.sampled_from([None, None, 10, 3600])
PASSAGES = st.sampled_from(["wards>servers", "telephone:in", "servers>wards", "x"])
LENGTHS = st.sampled_from([1, 60, 3600])
ASSETS = st.sampled_from(["ward-pc", "pump", "files", "nobody"])

ORDERS = st.one_of(
    st.builds(orders.Contain, by=PERSONS, confirm_within=WITHIN),
    st.builds(
        orders.CloseLifeline,
        by=PERSONS,
        opening=OPENINGS,
        fallback_confirmed=st.booleans(),
        confirm_within=WITHIN,
    ),
    st.builds(orders.SetOpening, by=PERSONS, opening=OPENINGS, state=STATES, confirm_within=WITHIN),
    st.builds(orders.Bar, by=PERSONS, passage=PASSAGES, confirm_within=WITHIN),
    st.builds(orders.Bar, by=PERSONS, passage=PASSAGES, seconds=LENGTHS),
    st.builds(orders.Unbar, by=PERSONS, passage=PASSAGES),
    st.builds(orders.Confirm, by=PERSONS),
    st.builds(orders.Block, by=PERSONS, target=TARGETS, seconds=st.none() | LENGTHS),
    st.builds(orders.Block, by=PERSONS, target=TARGETS, confirm_within=WITHIN),
    st.builds(orders.Unblock, by=PERSONS, target=TARGETS),
    st.builds(orders.Isolate, by=PERSONS, asset=ASSETS, seconds=st.none() | LENGTHS),
    st.builds(orders.Isolate, by=PERSONS, asset=ASSETS, confirm_within=WITHIN),
    st.builds(orders.Release, by=PERSONS, asset=st.sampled_from(["ward-pc", "pump"])),
    st.builds(
        orders.AnswerGate,
        by=PERSONS,
        opening=OPENINGS,
        gate=st.sampled_from([gate.value for gate in Gate]),
        answer=st.sampled_from(list(GateAnswer)),
        proof=st.sampled_from(["", "seen"]),
    ),
    st.builds(
        orders.Reopen,
        by=PERSONS,
        opening=OPENINGS,
        state=STATES,
        seconds=LENGTHS,
        override=st.booleans(),
        reason=st.sampled_from(["", "care"]),
    ),
    st.builds(orders.ConfirmTrial, by=PERSONS, opening=OPENINGS),
    st.builds(orders.Normalise, by=PERSONS),
    st.builds(orders.Acknowledge, by=PERSONS, code=st.just("AAAAAA")),
    st.builds(
        orders.SetStage, by=PERSONS, opening=OPENINGS, stage=st.sampled_from([1, 9]), reason=st.just("x")
    ),
    st.builds(orders.NotePartner, by=PERSONS, opening=OPENINGS, condition=st.just("x"), met=st.booleans()),
    st.builds(
        orders.NoteProof,
        by=PERSONS,
        proves=st.sampled_from(list(ProofKind)),
        subject=st.just("files"),
        on=st.sampled_from([0, NOW]),
        proof=st.just("x"),
    ),
    st.builds(orders.ConfirmOverride, by=PERSONS, opening=OPENINGS),
    st.builds(orders.Rehearse, by=PERSONS, seconds=st.sampled_from([60, 600])),
    st.builds(orders.EndRehearsal, by=PERSONS),
    st.builds(
        orders.TickWard,
        by=PERSONS,
        ward=st.sampled_from(["ground", "first", "attic"]),
        question=st.sampled_from(list(Question)),
        reply=st.sampled_from(list(Reply)),
        note=st.sampled_from(["", "no dial tone"]),
    ),
    st.builds(orders.CorrectSite, by=PERSONS, opening=OPENINGS, becomes=st.sampled_from(list(Becomes))),
    st.builds(orders.AttestCare, by=PERSONS, ward=st.just("ground"), reply=st.sampled_from(list(Reply))),
    st.builds(orders.ReportTrouble, by=PERSONS, service=OPENINGS, ail=st.sampled_from(list(Ail))),
    st.builds(orders.SettleTrouble, by=PERSONS, trouble=st.sampled_from(["t1", "t2"]), remedy=st.just("x")),
    st.builds(orders.KeepPaper, by=PERSONS, opening=OPENINGS, what=st.just("sheets")),
    st.builds(orders.EnterPaper, by=PERSONS, paper=st.sampled_from(["p1", "p2", "p3"])),
    st.builds(orders.EnrolPerson, by=PERSONS, person=ACCOUNTS, name=st.just("Anne"), roles=ROLES),
    st.builds(orders.SetRoles, by=PERSONS, person=ACCOUNTS, roles=ROLES),
    st.builds(orders.DisablePerson, by=PERSONS, person=ACCOUNTS),
    st.builds(orders.EnablePerson, by=PERSONS, person=ACCOUNTS),
    st.builds(orders.IssueLink, by=PERSONS, person=ACCOUNTS),
    st.builds(orders.EndSessions, by=PERSONS, person=ACCOUNTS),
    st.builds(orders.IssueToken, by=ACCOUNTS, label=st.just("x"), scopes=st.just(list(Scope))),
    st.builds(orders.AddPasskey, by=ACCOUNTS),
    st.builds(orders.RemovePasskey, by=ACCOUNTS, passkey=st.just("0" * 64)),
    st.builds(orders.SealEnvelope, by=PERSONS),
)
FINDINGS = st.builds(
    lambda finding, number: replace(finding, id=f"{finding.id[:8]}{number}"),
    st.sampled_from([GUESSING, BROKEN_IN, RECORDS, BEACON, SCAN, OTHER_PROBE, RELAPSE]),
    st.integers(0, 20),
)
STEPS = st.lists(st.tuples(st.integers(0, 7200), st.one_of(ORDERS, FINDINGS, st.none())), max_size=40)


Life = list[tuple[State, tuple[object, ...], State, AnyInput]]
"""Every step of a life: state before, commands, state after, what happened."""

TERMS = terms()


def lived(steps: list[tuple[int, object]]) -> Life:
    """A life of these steps."""
    state, now, life = initial(SITE), NOW, []
    for pause, what in steps:
        now = Instant(now + pause * 1_000_000)
        happened: AnyInput
        match what:
            case Finding():
                happened = Found(now, what)
            case orders.Order():
                happened = Ordered(now, what)  # type: ignore[arg-type]
            case _:
                happened = Ticked(now)
        after, commands = step(TERMS, state, happened)
        life.append((state, commands, after, happened))
        state = after
    return life


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_the_laws_hold_in_any_life(steps: list[tuple[int, object]]) -> None:
    life = lived(steps)
    nothing_is_loosened_before_it_is_sealed(life)
    folding_what_was_sealed_gives_what_was_lived(life)
    no_machine_decision_closes_a_lifeline(life)
    no_sequence_closes_a_safeguard(life)
    the_machine_never_acts_for_ever_nor_loosens(life)
    nothing_is_loosened_without_a_passkey(life)


def nothing_is_loosened_before_it_is_sealed(life: Life) -> None:
    for before, commands, _, _ in life:
        held: Enforcement = enforcement(before)
        sealed = False
        for command in commands:
            if isinstance(command, Seal):
                sealed = sealed or not command.urgent
            if isinstance(command, Enforce):
                assert sealed or not loosens(held, command.wanted)
                held = command.wanted


def folding_what_was_sealed_gives_what_was_lived(life: Life) -> None:
    seals = [command for _, commands, _, _ in life for command in commands if isinstance(command, Seal)]
    sealed: list[AnyFact] = [fact for seal in seals for fact in seal.facts]
    state = life[-1][2] if life else initial(SITE)
    through_the_journal = [read(body_of(fact)) for fact in sealed]
    assert folded(initial(SITE), SITE, through_the_journal) == state


def no_machine_decision_closes_a_lifeline(life: Life) -> None:
    for before, _, after, happened in life:
        for lifeline in SITE.lifelines():
            was, stands = before.doors[lifeline.id].stand, after.doors[lifeline.id].stand
            if stands.state is OpeningState.CLOSED and was.state is not OpeningState.CLOSED:
                assert isinstance(happened, Ordered)
                assert isinstance(happened.order, orders.CloseLifeline)
            assert stands.then is not OpeningState.CLOSED


def no_sequence_closes_a_safeguard(life: Life) -> None:
    for target in {target for _, _, after, _ in life for target in (*after.blocked, *after.isolated)}:
        assert protects(SITE, target, by_machine=False) is None


def the_machine_never_acts_for_ever_nor_loosens(life: Life) -> None:
    for before, commands, after, happened in life:
        own = [m for m in (*after.blocked.values(), *after.isolated.values()) if m.by == facts.MACHINE]
        assert all(measure.until is not None for measure in own)
        if isinstance(happened, Found):
            assert not loosens(enforcement(before), enforcement(after)), commands


def nothing_is_loosened_without_a_passkey(life: Life) -> None:
    """But for a rehearsal, which ends by itself within minutes and may be ended by any ward."""
    for before, commands, after, happened in life:
        if isinstance(happened, Ordered) and not rehearsing(before):
            asked = needs(before, happened.order).proof
            assert asked > Proof.SESSION or not loosens(enforcement(before), enforcement(after)), commands
