"""The whole station tells people: its teller is a user of its own, and a text message leaves while the site is cut."""

import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.tell.simulated import SimulatedModem
from lab.test_station import Station
from lab.test_station import station as station
from rempart.engine import orders
from rempart.messages import OrderDone
from rempart.telling import pdu
from rempart.telling.alert import AlertState
from telling.test_pdu import as_delivered

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PHONE = "+32470000001"


@pytest.fixture
def modem() -> Iterator[SimulatedModem]:
    """A modem that the teller's user may open, as Debian's group dialout would let it."""
    simulated = SimulatedModem()
    Path(simulated.device).chmod(0o666)
    yield simulated
    simulated.close()


@pytest.fixture
def site_text(site_text: str, modem: SimulatedModem) -> str:
    """The site of the lab, in which somebody is told by a modem."""
    return (
        f'{site_text}\n[[tell]]\nrole = "duty"\nlanguage = "fr"\ntext = "{PHONE}"\n'
        f'[telling.modem]\ndevice = "{modem.device}"\n'
    )


def test_a_cut_is_told_by_text_message_and_taken_by_its_answer(
    station: Station, modem: SimulatedModem
) -> None:
    teller = Path(f"/proc/{station.pid_of('rempart.station.teller')}")
    assert pwd.getpwuid(teller.stat().st_uid).pw_name == "rempart-teller"
    assert "CapEff:\t0000000000000000" in (teller / "status").read_text()
    assert isinstance(station.order(orders.Contain(by="Night nurse")), OrderDone)
    status = station.await_status(lambda s: any(a.id == "cut" and a.told for a in s.alerts))
    (alert,) = [a for a in status.alerts if a.id == "cut"]
    assert alert.told[0].delivered
    said = "".join(pdu.delivered(as_delivered(sent)).text for _, sent in modem.sent)
    assert "confinement" in said
    assert alert.code in said
    (answer,) = pdu.submit(PHONE, f"OK {alert.code}", 1)
    modem.inbox = {1: as_delivered(answer.hexadecimal)}
    taken = station.await_status(lambda s: any(a.state is AlertState.TAKEN for a in s.alerts))
    assert [(a.id, a.taken_by) for a in taken.alerts if a.taken_by] == [("cut", "duty")]
