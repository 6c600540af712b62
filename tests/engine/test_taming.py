"""Exceptions made by an order, as a conversation: who may, what is refused, what holds, what the journal tells."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from engine.home import NOW, SITE, sealed, terms
from rempart.accounts.authority import Authority, Proof
from rempart.accounts.person import Role
from rempart.detection.exception import parse, written
from rempart.detection.trait import Trait
from rempart.engine import facts, orders
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Command, Ordered, Refuse, Seal
from rempart.engine.orders import AnyOrder
from rempart.engine.rights import needs
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.engine.taming import exemption
from rempart.instants import Instant, hours, rfc3339

TERMS = terms()
TODAY = rfc3339(NOW)[:10]
MAKE = orders.MakeException(
    by="Anne",
    reason="The nightly export",
    rule="web-probe",
    traits=[Trait("c-ip", "10.0.2.7"), Trait("cs-host", "care.example")],
    until=TODAY,
)


def told(*given: tuple[AnyOrder, int]) -> tuple[State, list[Command]]:
    """The state and all commands after these orders, each so many hours after the start."""
    state, commands = initial(SITE), list[Command]()
    for order, pause in given:
        state, said = step(TERMS, state, Ordered(Instant(NOW + hours(pause)), order))
        commands += said
    return state, commands


def refusal(commands: list[Command]) -> str:
    return next(command.what for command in commands if isinstance(command, Refuse))


def test_it_holds_once_it_is_sealed_and_until_it_is_ended() -> None:
    state, commands = told((MAKE, 0))
    (made,) = sealed(commands)
    assert isinstance(made, facts.ExceptionMade)
    assert [command.urgent for command in commands if isinstance(command, Seal)] == [
        False
    ]  # it waits for its seal
    held = state.taming.held[made.exception]
    assert (held.rule, held.traits, held.by, held.reason) == (
        MAKE.rule,
        tuple(MAKE.traits),
        "Anne",
        MAKE.reason,
    )
    end = orders.EndException(by="Anne", exception=made.exception)
    state, commands = told((MAKE, 0), (end, 0))
    assert not state.taming.held
    assert folded(initial(SITE), SITE, sealed(commands)).taming == state.taming
    assert [command.urgent for command in commands if isinstance(command, Seal)] == [False, True]


def test_its_last_day_ends_at_midnight_on_the_wall() -> None:
    # The day of these tests has 47 minutes left in Belgium, and an hour more than that in UTC.
    state, commands = told((MAKE, 0), (MAKE, 1))
    assert "within a year" in refusal(commands)
    (made,) = state.taming.held
    _, commands = told((MAKE, 0), (orders.EndException(by="Anne", exception=made), 1))
    assert refusal(commands)


def test_the_same_twice_is_one() -> None:
    _, commands = told((MAKE, 0), (MAKE, 0))
    assert len(sealed(commands)) == 1


def test_what_is_over_is_forgotten_with_the_next() -> None:
    other = orders.MakeException(
        **{name: getattr(MAKE, name) for name in ("by", "reason", "rule", "traits")}, until="2099-01-01"
    )
    state, commands = told((MAKE, 0), (MAKE, 48))
    assert "within a year" in refusal(commands)
    assert len(state.taming.held) == 1
    assert "within a year" in refusal(told((other, 0))[1])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"reason": " "}, "reason"),
        ({"until": "2026-02-31"}, "no day"),
        ({"until": "2001-01-01"}, "within a year"),
        ({"traits": [Trait("c-ip", " ** ")]}, "anything"),
    ],
)
def test_what_is_refused(change: dict[str, object], why: str) -> None:
    _, commands = told((structs.replace(MAKE, **change), 0))
    assert why in refusal(commands)


def test_ending_what_does_not_hold_is_refused() -> None:
    _, commands = told((orders.EndException(by="Anne", exception="0123456789abcdef"), 0))
    assert "no such exception" in refusal(commands)


def test_making_one_needs_a_passkey_ending_one_a_session() -> None:
    state = initial(SITE)
    assert (needs(state, MAKE).proof, needs(state, MAKE).roles) == (Proof.PASSKEY, {Role.TECHNICIAN})
    assert needs(state, orders.EndException(by="Anne", exception="x")).proof is Proof.SESSION
    by_session = Authority("anne", Proof.SESSION, frozenset({Role.TECHNICIAN}))
    _, commands = step(TERMS, state, Ordered(NOW, MAKE, by_session))
    assert [command for command in commands if isinstance(command, Refuse)]


TEXTS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12) | st.text(
    min_size=1, max_size=3
)


@given(rule=TEXTS, reason=TEXTS, traits=st.lists(st.builds(Trait, TEXTS, TEXTS), min_size=1, max_size=4))
@example(rule="r", reason="on one line\nand another", traits=[Trait("c-ip", "10.0.2.7")])
@example(rule="r", reason="x", traits=[Trait("c-uri", "/a\u200bdmin")])
@example(rule="r", reason="x", traits=[Trait("c-uri", "/" * 501)])
def test_whatever_holds_can_be_read_by_watch(rule: str, reason: str, traits: list[Trait]) -> None:
    """It keeps all that was ordered in one file: one that it cannot read back would take the others with it."""
    order = orders.MakeException(by="Anne", reason=reason, rule=rule, traits=traits, until=TODAY)
    state, _ = told((order, 0))
    for name, held in state.taming.held.items():
        kept = exemption(held.rule, held.traits, reason=held.reason, by=held.by, until=date(2026, 1, 1))
        (found,) = parse(written(kept), "ordered").exemptions
        assert found.fields == kept.fields
        assert name


def test_words_that_watch_could_not_read_are_refused_with_the_reason() -> None:
    hidden = structs.replace(MAKE, traits=[Trait("c-uri", "/a\u200bdmin")])
    for order in (hidden, structs.replace(MAKE, reason="on one line\nand another")):
        state, commands = told((order, 0))
        assert "nobody sees" in refusal(commands)
        assert not state.taming.held
