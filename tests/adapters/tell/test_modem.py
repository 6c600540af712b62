"""Text messages by a simulated modem over a real serial line (a pseudo-terminal)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.tell.letters import LETTER
from adapters.tell.simulated import SimulatedModem
from rempart.adapters.tell.modem import GsmModem
from rempart.errors import NotHandedOver
from rempart.site.telling import Modem
from rempart.telling import pdu

NUMBER = "+32470000001"
HELLO = "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37"


@pytest.fixture
def simulated() -> Iterator[SimulatedModem]:
    modem = SimulatedModem()
    yield modem
    modem.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rempart.adapters.tell.modem._AGAIN", 0.02)


def modem(simulated: SimulatedModem, pin: str = "") -> GsmModem:
    return GsmModem(Modem(device=simulated.device, pin=pin))


def test_a_text_is_sent_as_the_network_wants_it(simulated: SimulatedModem) -> None:
    modem(simulated).carry(NUMBER, LETTER)
    ((length, sent),) = simulated.sent
    (expected,) = pdu.submit(NUMBER, LETTER.short, 1)
    assert (length, sent) == (expected.length, expected.hexadecimal)
    assert "AT+CMGF=0" in simulated.heard


def test_a_long_text_with_accents_goes_in_parts(simulated: SimulatedModem) -> None:
    modem(simulated).carry(NUMBER, replace(LETTER, short="La fenêtre est restée ouverte. " * 5))
    assert len(simulated.sent) == 3


def test_a_card_is_unlocked_once_and_a_wrong_pin_never_told_twice(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("0000\n")
    simulated = SimulatedModem(pin="1234")
    try:
        wrong = modem(simulated, str(pin))
        for _ in range(5):
            with pytest.raises(NotHandedOver):
                wrong.carry(NUMBER, LETTER)
        assert simulated.wrong_pins == 1
        pin.write_text("1234\n")
        wrong.carry(NUMBER, LETTER)
        assert len(simulated.sent) == 1
    finally:
        simulated.close()


def test_a_card_without_its_pin_says_what_is_missing() -> None:
    simulated = SimulatedModem(pin="1234")
    try:
        with pytest.raises(NotHandedOver, match="asks for a PIN"):
            modem(simulated).carry(NUMBER, LETTER)
        assert simulated.wrong_pins == 0
    finally:
        simulated.close()


def test_a_slow_network_is_waited_for(simulated: SimulatedModem) -> None:
    simulated.searching = 5
    modem(simulated).carry(NUMBER, LETTER)
    assert len(simulated.sent) == 1


def test_no_network_is_said(simulated: SimulatedModem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rempart.adapters.tell.modem._REGISTERED", 0.1)
    simulated.searching = 10_000
    with pytest.raises(NotHandedOver, match="no network"):
        modem(simulated).carry(NUMBER, LETTER)


@pytest.mark.parametrize(
    ("answer", "lasting"),
    [("+CMS ERROR: 28", True), ("+CMS ERROR: 38", False), ("+CMS ERROR: 500", False), ("ERROR", False)],
)
def test_a_refusal_is_lasting_or_not(simulated: SimulatedModem, answer: str, lasting: bool) -> None:
    simulated.refusals = [answer]
    with pytest.raises(NotHandedOver) as fault:
        modem(simulated).carry(NUMBER, LETTER)
    assert fault.value.lasting is lasting
    modem(simulated).carry(NUMBER, LETTER)
    assert len(simulated.sent) == 1


def test_answers_are_read_and_taken_off_the_card(simulated: SimulatedModem) -> None:
    simulated.inbox = {1: HELLO, 2: "zz not hexadecimal", 7: HELLO}
    came = modem(simulated).replies()
    assert [each.text for each in came] == ["hellohello", "hellohello"]
    assert simulated.inbox == {}
    assert modem(simulated).replies() == []


def test_an_answer_that_the_card_keeps_is_told_all_the_same(simulated: SimulatedModem) -> None:
    simulated.inbox, simulated.stuck = {1: HELLO, 2: HELLO}, {1}
    assert [each.text for each in modem(simulated).replies()] == ["hellohello"]
    assert list(simulated.inbox) == [1, 2]
    simulated.stuck = set()
    assert [each.text for each in modem(simulated).replies()] == ["hellohello", "hellohello"]
    assert simulated.inbox == {}


def test_a_modem_that_is_silent_or_not_there_is_said(
    simulated: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated.deaf = True
    monkeypatch.setattr("rempart.adapters.tell.modem._AWAKE", 0.1)
    with pytest.raises(NotHandedOver, match="does not answer"):
        modem(simulated).carry(NUMBER, LETTER)
    with pytest.raises(NotHandedOver, match="cannot be used"):
        GsmModem(Modem(device="/dev/does-not-exist")).carry(NUMBER, LETTER)
