"""An attacker who owns the console's process, as its own user, with a technician's live session: what he can do.

He tightens, in that technician's name, and it is sealed. He opens nothing, makes no account, reads no key, rewrites no
journal.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.test_rights import TABLE
from lab.test_separation import separate
from lab.test_station import ROOT, Station, station  # noqa: F401  the fixture
from rempart.accounts.authority import Proof
from rempart.accounts.person import Role
from rempart.adapters.journal import Journal
from rempart.engine import facts, orders
from rempart.messages import OrderDone
from rempart.site.opening import OpeningState
from rempart.station.recall import facts_of

pytestmark = [pytest.mark.lab, pytest.mark.slow]

ORIGIN = "http://localhost:8499"
TIGHTENS = {type(order).__name__ for order, _, proof in TABLE if proof is Proof.SESSION}
"""What a session alone may do; each leaves the house as tight as it was, or tighter."""


def a_technicians_link(home: Station) -> str:
    """Enrolled by the box; two others are there to be tampered with."""
    made = home.order(orders.EnrolPerson(by="root", person="tech", name="T", roles=[Role.TECHNICIAN]))
    assert isinstance(made, OrderDone)
    for person, role in (("nurse", Role.DUTY), ("director", Role.APPROVER)):
        home.order(orders.EnrolPerson(by="root", person=person, name=person, roles=[role]))
    return made.handed


def test_the_attacker_who_owns_the_console_opens_nothing(station: Station) -> None:  # noqa: F811
    if not separate():
        pytest.skip("only root can be several users")
    link = a_technicians_link(station)
    before = station.status()
    done = subprocess.run(
        [
            *("setpriv", "--reuid=rempart-console", "--regid=rempart-console", "--clear-groups"),
            *("--inh-caps=-all", "--bounding-set=-all", sys.executable, "-m", "lab.taken_console"),
            *(str(station.run), str(station.folder / "state"), link, "tech", ORIGIN),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "tests"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert not any(told["deeds"].values()), told["deeds"]
    worked = {name for name, came in told["orders"].items() if came == "done"}
    assert worked, "the stolen session should at least have cut"
    assert {name.split()[1] for name in worked} <= TIGHTENS
    assert not any(name.endswith("forged") for name in worked)
    openings_are_no_more_open(before, station.status())
    the_journal_verifies_and_says_so(station)


def openings_are_no_more_open(before: object, after: object) -> None:
    tightness = [OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED]
    was = {each.id: each.state for each in before.openings}  # type: ignore[attr-defined]
    for each in after.openings:  # type: ignore[attr-defined]
        assert tightness.index(each.state) >= tightness.index(was[each.id]), each.id
        assert not (each.lifeline and each.state is OpeningState.CLOSED)


def the_journal_verifies_and_says_so(home: Station) -> None:
    path = home.folder / "state/guard/journal.db"
    verified = subprocess.run(
        [sys.executable, "-m", "rempart", "verify", str(path)], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout
    journal = Journal.read(path)
    said = list(facts_of(journal))
    journal.close()
    assert any(isinstance(fact, facts.Contained) and fact.by == "tech" for fact in said)
    declined = {fact.order for fact in said if isinstance(fact, facts.OrderDeclined)}
    assert {"Reopen", "Normalise", "Unblock", "CloseLifeline", "EnrolPerson", "SealEnvelope"} <= declined
    assert Path(home.folder / "state/guard/accounts.db").stat().st_mode & 0o077 == 0
