"""Unmasking as a conversation: a purpose, two persons, a time."""

import pytest

from engine.home import NOW, RECORDS, SITE, terms
from rempart.engine import facts, orders
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Command, Found, Ordered, Refuse, Seal
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.engine.unmasking import ASKED_LASTS
from rempart.instants import Duration, Instant, hours, seconds

TERMS = terms()
INCIDENT = f"inc-{RECORDS.id[:12]}"
ASK = orders.AskUnmasking(by="Privacy", reason="warn the persons concerned", incident=INCIDENT, seconds=3600)
AGREE = orders.AgreeUnmasking(by="Director", incident=INCIDENT)


def told(*given: tuple[AnyOrder, Duration]) -> tuple[State, list[Command]]:
    """The state and all commands after an incident and these orders, each so long after the start."""
    state, said = step(TERMS, initial(SITE), Found(NOW, RECORDS))
    commands = list(said)
    for order, pause in given:
        state, said = step(TERMS, state, Ordered(Instant(NOW + pause), order))
        commands += said
    return state, commands


def test_two_persons_unmask_for_a_time() -> None:
    state, commands = told((ASK, Duration(0)), (AGREE, hours(1)))
    unmasking = state.unmaskings[INCIDENT]
    agreed = Instant(NOW + hours(1))
    assert unmasking.holds(agreed)
    assert not unmasking.holds(Instant(agreed + seconds(3600)))
    sealed = [fact for c in commands if isinstance(c, Seal) for fact in c.facts]
    (unmasked,) = [fact for fact in sealed if isinstance(fact, facts.Unmasked)]
    assert (unmasked.asked_by, unmasked.by, unmasked.purpose) == ("Privacy", "Director", ASK.reason)
    assert folded(initial(SITE), SITE, sealed).unmaskings == state.unmaskings


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([(AGREE, Duration(0))], "nobody has asked"),
        (
            [(ASK, Duration(0)), (orders.AgreeUnmasking(by="privacy ", incident=INCIDENT), Duration(1))],
            "cannot agree",
        ),
        ([(ASK, Duration(0)), (AGREE, ASKED_LASTS)], "nobody has asked"),
        ([(ASK, Duration(0)), (AGREE, Duration(1)), (AGREE, Duration(2))], "nobody has asked"),
        ([(ASK, Duration(0)), (AGREE, Duration(1)), (ASK, Duration(2))], "already"),
        ([(orders.AskUnmasking(by="Privacy", incident=INCIDENT), Duration(0))], "purpose"),
        ([(orders.AskUnmasking(by="Privacy", incident="inc-x", reason="x"), Duration(0))], "no incident"),
    ],
)
def test_what_is_refused(given: list[tuple[AnyOrder, Duration]], why: str) -> None:
    _, commands = told(*given)
    refusals = [command for command in commands if isinstance(command, Refuse)]
    assert why in refusals[-1].what


def test_it_can_be_asked_again_when_its_time_is_over() -> None:
    state, commands = told((ASK, Duration(0)), (AGREE, Duration(1)), (ASK, hours(2)), (AGREE, hours(3)))
    assert not [command for command in commands if isinstance(command, Refuse)]
    assert state.unmaskings[INCIDENT].holds(Instant(NOW + hours(3)))
