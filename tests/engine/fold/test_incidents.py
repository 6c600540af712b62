"""Incidents under a flood of inventions: what is kept in mind of them is bounded."""

from dataclasses import replace

from engine.home import NOW, RECORDS, SITE, WARD_PC, at, terms
from rempart.engine import orders
from rempart.engine.changed import changed
from rempart.engine.fold.incidents import MOST_PARTIES, MOST_TOLD
from rempart.engine.inputs import Found, Ordered, Seal, Ticked
from rempart.engine.overdue import CROWD
from rempart.engine.state import initial
from rempart.engine.step import step
from rempart.incidents.incident import IncidentState
from rempart.instants import Instant


def test_a_crowd_of_inventions_is_bounded_and_hides_nothing_the_cut_is_about() -> None:
    state, _ = step(terms(), initial(SITE), Found(NOW, RECORDS))
    state, _ = step(terms(), state, Ordered(NOW, orders.Contain(by="Anne")))
    real = next(iter(state.incidents.values()))
    crowd = {
        f"inc-{n}": replace(real, id=f"inc-{n}", state=IncidentState.OPEN, last_seen=Instant(NOW + n))
        for n in range(CROWD + 500)
    }
    state = changed(state, incidents={real.id: real, **crowd})
    for second in (1, 2):
        state, commands = step(terms(), state, Ticked(Instant(NOW + second * 1_000_000)))
        assert any(isinstance(command, Seal) for command in commands)
    assert len(state.incidents) == CROWD
    assert real.id in state.incidents
    assert "inc-0" not in state.incidents
    assert step(terms(), state, Ticked(Instant(NOW + 3_000_000)))[1] == ()


def test_an_incident_is_known_by_a_bounded_number_of_addresses() -> None:
    state = initial(SITE)
    for n in range(60):
        beside = tuple(at(f"198.18.{n}.{k}") for k in range(40))
        own = replace(RECORDS, id=f"finding-{n}", observables=(*RECORDS.observables, *beside))
        state, _ = step(terms(), state, Found(NOW, own))
    (incident,) = state.incidents.values()
    assert WARD_PC in incident.assets
    assert len(incident.actors) == MOST_PARTIES
    assert len(incident.story) <= MOST_TOLD
