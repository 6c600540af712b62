"""The weeks of a hospital group's containment, played through the real engine."""

from collections import Counter

import pytest

from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.cli.drill import hospital
from rempart.drill import chc
from rempart.drill.player import Moment, Player, Scene
from rempart.engine import facts, orders
from rempart.engine.step import Terms
from rempart.instants import after, minutes
from rempart.site.opening import OpeningState
from rempart.site.site import Site
from rempart.station.policy import read_policy


@pytest.fixture(scope="module")
def site() -> Site:
    return hospital()


@pytest.fixture(scope="module")
def played(site: Site) -> tuple[Player, list[Scene]]:
    player = Player(Terms(site, read_policy(None)), MemoryEnforcer())
    return player, list(player.play(chc.moments(site)))


def test_nothing_goes_wrong_on_the_way(played: tuple[Player, list[Scene]]) -> None:
    assert [fault for scene in played[1] for fault in scene.faults] == []


def test_only_what_should_be_is_refused(played: tuple[Player, list[Scene]]) -> None:
    refused = {scene.moment.told: scene.refused for scene in played[1] if scene.moment and scene.refused}
    assert list(refused) == ["somebody asks for the internet back: too early, and the station says why"]


def test_care_is_never_cut(site: Site, played: tuple[Player, list[Scene]]) -> None:
    player, _ = played
    assert not any(isinstance(fact, facts.LifelineClosed) for fact in player.journal)
    assert all(
        player.state.doors[lifeline.id].stand.state is OpeningState.FILTERED for lifeline in site.lifelines()
    )


def test_weeks_pass_and_the_site_is_still_contained(played: tuple[Player, list[Scene]]) -> None:
    player, scenes = played
    assert (scenes[-1].at - scenes[0].at) // (24 * 3600 * 1_000_000) == 33
    assert player.state.contained
    assert player.state.doors["website"].stand.state is OpeningState.FILTERED
    assert player.state.doors["mail-in"].stand.until is None
    assert player.state.doors["browsing"].stand.state is OpeningState.CLOSED


def test_an_unconfirmed_trial_falls_back_and_a_relapse_closes_only_the_portal(
    played: tuple[Player, list[Scene]],
) -> None:
    player, _ = played
    kinds = Counter(type(fact).__name__ for fact in player.journal)
    assert kinds["TrialEnded"] == 1
    reclosed = [fact.opening for fact in player.journal if isinstance(fact, facts.OpeningReclosed)]
    assert reclosed == ["gp-portal"]
    assert chc.OTHER_ADDRESS in {fact.target for fact in player.journal if isinstance(fact, facts.Blocked)}


def test_what_the_sources_do_not_tell_is_said_to_be_invented(site: Site) -> None:
    told = {moment.told: moment.source for moment in chc.moments(site)}
    assert told["the stolen account comes back from another address (this did not happen there)"] == ""
    assert sum(bool(source) for source in told.values()) >= 6


def test_the_incident_is_qualified_as_the_group_said(played: tuple[Player, list[Scene]]) -> None:
    (incident,) = played[0].state.incidents.values()
    assert (incident.qualification.ransom, incident.qualification.outcome) == ("no", "failed")


def test_a_world_that_differs_is_told(site: Site) -> None:
    class Forgetful(MemoryEnforcer):
        def enforce(self, wanted: object, now: object) -> None:
            pass

    player = Player(Terms(site, read_policy(None)), Forgetful())
    begun = chc.wall_instant(chc.FIRST, 600)
    cut = Moment(at=after(begun, minutes(1)), who="x", told="x", deeds=(orders.Contain(by="x"),))
    scenes = list(player.play([Moment(at=begun, who="x", told="x"), cut]))
    assert scenes[-1].faults
