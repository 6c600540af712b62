"""The drawing: every door has its row, its shape and its word; trouble is drawn where it is."""

from collections.abc import Callable

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.console.house import ROW, house
from rempart.console.words import words
from rempart.incidents.incident import IncidentState
from rempart.instants import Instant
from rempart.messages import IncidentStatus, MeasureStatus, Posture, Status
from rempart.site.site import Language, Site

FRENCH = words(Language.FRENCH)
Make = Callable[..., Status]


def test_lifelines_come_first_and_rows_never_jump(site: Site, make: Make, now: Instant) -> None:
    normal, cut = (house(site, make(posture), now, FRENCH) for posture in (Posture.NORMAL, Posture.CONTAINED))
    assert [door.id for door in normal.doors] == [door.id for door in cut.doors]
    assert [door.lifeline for door in cut.doors] == sorted(
        (door.lifeline for door in cut.doors), reverse=True
    )
    assert [door.middle for door in cut.doors] == [
        number * ROW + ROW // 2 for number in range(len(cut.doors))
    ]


@pytest.mark.parametrize("posture", Posture)
def test_every_opening_has_one_door_and_a_word(
    site: Site, make: Make, now: Instant, posture: Posture
) -> None:
    drawn = house(site, make(posture), now, FRENCH)
    assert sorted(door.id for door in drawn.doors) == sorted(opening.id for opening in site.openings)
    assert {door.word for door in drawn.doors} <= {"ouverte", "filtrée", "fermée"}
    assert len(drawn.ways) == sum(len(opening.zones) for opening in site.openings)


def test_a_door_that_is_not_open_says_what_to_use_instead(site: Site, make: Make, now: Instant) -> None:
    doors = {door.id: door for door in house(site, make(Posture.CONTAINED), now, FRENCH).doors}
    assert "résultats par téléphone" in " ".join(doors["lab"].notes)
    assert doors["lab"].phone == "04 000 00 12"
    assert house(site, make(), now, FRENCH).doors[0].notes == ()


def test_a_trial_says_how_long_it_lasts(site: Site, make: Make, now: Instant) -> None:
    doors = {door.id: door for door in house(site, make(Posture.REOPENING), now, FRENCH).doors}
    assert doors["ehealth-platform"].notes[0].replace("\u00a0", " ") == "à l'essai, encore 41 h"


def test_without_a_guard_no_door_is_said_to_be_shut(site: Site, now: Instant) -> None:
    drawn = house(site, None, now, FRENCH)
    assert {door.state for door in drawn.doors} == {"unknown"}
    assert not any(room.off or room.trouble for room in drawn.rooms)


def test_guests_are_off_only_while_cut(site: Site, make: Make, now: Instant) -> None:
    def off(posture: Posture) -> list[str]:
        return [room.id for room in house(site, make(posture), now, FRENCH).rooms if room.off]

    assert off(Posture.CONTAINED) == ["guests"]
    assert off(Posture.NORMAL) == []


def test_trouble_is_drawn_where_it_is(
    site: Site, make: Make, now: Instant, attack: IncidentStatus, isolation: MeasureStatus
) -> None:
    def trouble(**others: object) -> dict[str, str]:
        rooms = house(site, make(Posture.CONTAINED, **others), now, FRENCH).rooms
        return {room.id: room.trouble.replace("\u00a0", " ") for room in rooms if room.trouble}

    assert trouble(incidents=[attack]) == {"wards": "touché : Poste étage 2"}
    assert trouble(incidents=[attack], measures=[isolation]) == {"wards": "isolé : Poste étage 2"}
    over = msgspec.structs.replace(attack, state=IncidentState.CLOSED)
    assert trouble(incidents=[over]) == {}
    assert trouble(incidents=[msgspec.structs.replace(attack, assets=["<b>", "10.9.9.9"])]) == {}


def test_the_drawing(site: Site, make: Make, now: Instant, snapshot: SnapshotAssertion) -> None:
    assert house(site, make(Posture.REOPENING), now, words(Language.ENGLISH)) == snapshot


def test_a_way_is_as_thick_as_what_passes_and_the_list_says_it(site: Site, make: Make, now: Instant) -> None:
    """Nothing is known of some, and what may not pass is drawn as shut, whatever the kernel counted before."""
    cut = make(Posture.CONTAINED)
    passing = {"telephone": 0, "nurse-call": 3, "lab": 2}
    doors = [msgspec.structs.replace(each, traffic=passing.get(each.id)) for each in cut.openings]
    drawn = house(site, msgspec.structs.replace(cut, openings=doors), now, FRENCH)
    notes = {door.id: door.notes[0] for door in drawn.doors}
    assert (notes["telephone"], notes["nurse-call"]) == ("rien n'y passe", "beaucoup de trafic")
    assert not any("trafic" in note for note in (notes["lab"], notes["care-file"]))
    assert {way.weight for way in drawn.ways if way.state == "filtered"} == {"t0", "t3", ""}
    assert {way.weight for way in drawn.ways if way.state == "closed"} == {""}
