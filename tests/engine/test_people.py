"""Accounts as a conversation with the engine: what orders make of them, and what floods leave in the journal."""

import pytest

from engine.home import NOW, SITE, sealed, terms
from rempart.accounts.authority import LOCAL, Authority, Proof
from rempart.accounts.person import Role
from rempart.engine import facts, orders
from rempart.engine.facts import body_of, read
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import AnyInput, Command, Declined, Ordered, Refuse, Seal, Witnessed
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.instants import Instant, after, hours

TERMS = terms()


def told(*inputs: AnyInput) -> tuple[State, list[Command]]:
    state, said = initial(SITE), []
    for happened in inputs:
        state, commands = step(TERMS, state, happened)
        said += commands
    return state, said


def given(order: AnyOrder) -> Ordered:
    return Ordered(NOW, order, LOCAL)


ENROL = given(orders.EnrolPerson(by="root", person="anne", name="Anne Dupont", roles=[Role.DUTY, Role.DUTY]))
DISABLE = given(orders.DisablePerson(by="root", person="anne", reason="left"))
ENABLE = given(orders.EnablePerson(by="root", person="anne"))
PROMOTE = given(orders.SetRoles(by="root", person="anne", roles=[Role.TECHNICIAN]))


def test_an_account_has_a_life() -> None:
    state, commands = told(ENROL, DISABLE, ENABLE, PROMOTE)
    anne = state.people["anne"]
    assert (anne.name, anne.roles, anne.enabled) == ("Anne Dupont", {Role.TECHNICIAN}, True)
    kinds = [type(fact) for fact in sealed(commands)]
    assert kinds == [facts.PersonEnrolled, facts.PersonDisabled, facts.PersonEnabled, facts.RolesSet]
    again = [read(body_of(fact)) for fact in sealed(commands)]
    assert folded(initial(SITE), SITE, again).people == state.people


def test_what_gives_rights_is_sealed_before_anything_comes_of_it() -> None:
    _, commands = told(ENROL, DISABLE, ENABLE)
    seals = [command for command in commands if isinstance(command, Seal)]
    assert [seal.urgent for seal in seals] == [False, True, False]


def test_one_more_passkey_is_sealed_before_its_link_is_made_and_changes_nothing_in_the_fold() -> None:
    add, remove = orders.AddPasskey(by="anne"), orders.RemovePasskey(by="anne", passkey="ab" * 32)
    state, commands = told(ENROL, given(add), given(remove))
    allowed, removed = sealed(commands)[-2:]
    assert allowed == facts.PasskeyAllowed(at=NOW, person="anne")
    assert removed == facts.PasskeyRemoved(at=NOW, person="anne", passkey="ab" * 32)
    assert [command.urgent for command in commands if isinstance(command, Seal)] == [False, False, True]
    assert state.people == told(ENROL)[0].people


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (orders.EnrolPerson(by="root", person="anne", name="A", roles=[Role.DUTY]), "already"),
        (orders.EnrolPerson(by="root", person="rempart", name="A", roles=[Role.DUTY]), "own"),
        (orders.EnrolPerson(by="root", person="envelope", name="A", roles=[Role.DUTY]), "own"),
        (orders.SetRoles(by="anne", person="anne", roles=[Role.TECHNICIAN]), "own roles"),
        (orders.SetRoles(by="root", person="marc", roles=[Role.DUTY]), "no account"),
        (orders.DisablePerson(by="anne", person="anne"), "own account"),
        (orders.IssueLink(by="root", person="marc"), "no account"),
        (orders.EndSessions(by="root", person="marc"), "no account"),
        (orders.IssueToken(by="root", label="x", scopes=[]), "no account"),
        (orders.AddPasskey(by="root"), "no account"),
        (orders.RemovePasskey(by="root", passkey="0" * 64), "no account"),
    ],
)
def test_what_makes_no_sense_is_refused(order: AnyOrder, why: str) -> None:
    _, commands = told(ENROL, given(order))
    refusal = next(command for command in commands if isinstance(command, Refuse))
    assert why in refusal.what
    assert isinstance(sealed(commands)[-1], facts.OrderDeclined)


def test_a_disabled_account_gets_no_link() -> None:
    _, commands = told(ENROL, DISABLE, given(orders.IssueLink(by="root", person="anne")))
    assert any(isinstance(command, Refuse) and "disabled" in command.what for command in commands)


def test_repeating_changes_nothing() -> None:
    _, commands = told(ENROL, DISABLE, DISABLE, ENABLE, ENABLE, PROMOTE, PROMOTE)
    assert len(sealed(commands)) == 4


def test_somebody_whose_first_fact_was_erased_is_not_there() -> None:
    state = folded(initial(SITE), SITE, [facts.PersonEnabled(at=NOW, person="anne", by="root", reason="")])
    assert state.people == {}


def test_a_flood_of_refusals_is_told_at_one_ten_and_a_hundred() -> None:
    forged = Declined(NOW, "Contain", "anybody", "not signed in")
    wrong = Ordered(NOW, orders.Normalise(by="anne"), Authority("anne", Proof.SESSION))
    strange = Witnessed(NOW, facts.SignInRefused(at=NOW, person="", why="wrong", where="192.0.2.7"))
    for flood in (forged, wrong, strange):
        _, commands = told(*[flood] * 150)
        tallies = [fact.tally for fact in sealed(commands) if hasattr(fact, "tally")]
        assert tallies == [1, 10, 100]


def test_no_words_of_a_stranger_make_another_sort_of_refusal() -> None:
    strange = [Declined(NOW, "Contain", f"name{number}", "not signed in") for number in range(150)]
    guesses = [
        Witnessed(NOW, facts.SignInRefused(at=NOW, person="", why="wrong", where=f"192.0.2.{number}"))
        for number in range(150)
    ]
    stolen = Authority("anne", Proof.SESSION)
    senseless = [
        Ordered(NOW, orders.Isolate(by="anne", asset=f"machine{number}"), stolen) for number in range(150)
    ]
    for flood in (strange, guesses, senseless):
        _, commands = told(ENROL, *flood)
        assert [fact.tally for fact in sealed(commands) if hasattr(fact, "tally")] == [1, 10, 100]


def test_an_hour_later_the_same_refusal_is_told_again() -> None:
    later = Instant(after(NOW, hours(1)))
    _, commands = told(Declined(NOW, "Contain", "anne", "x"), Declined(later, "Contain", "anne", "x"))
    assert len(sealed(commands)) == 2
