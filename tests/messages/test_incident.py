"""What of an incident those may read who do not check on things."""

from rempart.engine.facts import MACHINE
from rempart.incidents.incident import IncidentState, Qualification, Sentence
from rempart.instants import Instant
from rempart.messages import WITHHELD, IncidentStatus, house_name, machine_only

CALLED = {"pumps": "the infusion pumps", "10.0.2.10": "the files"}


def test_nobody_and_no_address_is_named_but_what_the_house_calls_it() -> None:
    told = Sentence(
        "blocked", {"target": "198.51.100.7, 10.0.2.10", "by": "Dr Anne", "count": 3, "unheard-of": "dr.anne"}
    )
    whole = IncidentStatus(
        id="inc-2026-001",
        state=IncidentState.CONTAINED,
        level=4,
        kinds=["records"],
        opened=Instant(0),
        last_seen=Instant(1),
        findings=1,
        actors=["198.51.100.7"],
        accounts=["dr.anne"],
        assets=["pumps", "ward-3"],
        summary=told,
        story=[(Instant(1), told)],
        qualification=Qualification(),
        persons_touched=7,
        assigned="anne",
    )
    plain = whole.nameless(CALLED)
    assert plain.summary.arguments == {
        "target": f"{WITHHELD}, the files",
        "by": "",
        "count": 3,
        "unheard-of": WITHHELD,
    }
    assert plain.story == [(Instant(1), plain.summary)]
    assert (plain.assets, plain.actors, plain.accounts) == (["the infusion pumps"], [], [])
    assert (plain.persons_touched, plain.assigned, plain.proposals) == (None, "", [])


def test_the_station_is_named_and_no_target_stays_none() -> None:
    assert machine_only(MACHINE) == MACHINE
    assert house_name("", CALLED) == ""
