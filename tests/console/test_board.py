"""The notice board: what anybody in the house may read, and nothing else."""

import dataclasses
from collections.abc import Callable

import pytest

from console.test_app import Visit, visit
from console.test_duty import Controls
from rempart.console.app import rendered
from rempart.console.board import BoardPage, attack_poster, board_page, numbers_poster
from rempart.console.frame import frame
from rempart.console.words import words
from rempart.instants import Instant
from rempart.messages import IncidentStatus, MeasureStatus, Posture, Status
from rempart.site.opening import Fallback
from rempart.site.site import Contact, Language, Site

__all__ = ["visit"]

Make = Callable[..., Status]
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"


def board(
    site: Site, status: Status | None, now: Instant, language: Language = Language.ENGLISH
) -> BoardPage:
    return board_page(site, status, now, now, words(language))


def test_what_works_and_what_to_use_instead(site: Site, make: Make, now: Instant) -> None:
    page = board(site, make(Posture.CONTAINED), now)
    assert page.sentence.startswith("The site has been cut off")
    assert page.proof.text == "✓ Cut, checked 3 s ago"
    assert [door.name for door in page.works][:2] == ["Téléphone", "Appel infirmier, alarmes"]
    assert {door.state for door in page.works} == {"filtered"}
    lab = next(door for door in page.shut if door.id == "lab")
    assert (lab.word, lab.fallback) == ("closed", "résultats par téléphone")
    assert lab.call
    assert lab.call.link == "tel:040000012"


def test_without_a_guard_nothing_is_said_to_work(site: Site, now: Instant) -> None:
    page = board(site, None, now)
    assert page.works == ()
    assert {door.state for door in page.shut} == {"unknown"}
    assert page.posture == "unknown"


def test_persons_are_called_by_what_they_are(site: Site, make: Make, now: Instant) -> None:
    named = dataclasses.replace(
        site, contacts=(Contact(role="technician", name="Jeanne Dupont", phone="0470 00 00 01"),)
    )
    assert [(each.name, each.phone) for each in board(named, make(), now).contacts] == [
        ("Technician", "0470 00 00 01")
    ]


@pytest.mark.parametrize("template", ["ward.html", "staff.html"])
def test_no_detail_stands_on_it(
    site: Site,
    make: Make,
    now: Instant,
    attack: IncidentStatus,
    isolation: MeasureStatus,
    template: str,
) -> None:
    status = make(Posture.CONTAINED, incidents=[attack], measures=[isolation], enforcement_fault="table gone")
    html = rendered(template, board(site, status, now), frame(site, words(Language.ENGLISH)))
    for secret in ("203.0.113.66", "dr.exemple", "212", "Poste étage 2", "inc-2026", "table gone", "5f5f"):
        assert secret not in html
    assert "call the technician" in html


def test_every_control_of_the_ward_screen_has_an_id_of_its_own(site: Site, make: Make, now: Instant) -> None:
    ids = Controls(rendered("ward.html", board(site, make(), now), frame(site, words(Language.ENGLISH)))).ids
    assert ids
    assert None not in ids
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("posture", [*Posture, None])
def test_it_renders_in_every_language(
    site: Site, make: Make, now: Instant, language: Language, posture: Posture | None
) -> None:
    page = board(site, make(posture) if posture else None, now, language)
    for template in ("ward.html", "staff.html"):
        html = rendered(template, page, frame(site, words(language)))
        assert f'<html lang="{language}">' in html
        assert "{" not in html


def test_hostile_names_stay_names(site: Site, make: Make, now: Instant) -> None:
    spoiled = dataclasses.replace(
        site,
        name=HOSTILE,
        openings=tuple(
            dataclasses.replace(each, name=HOSTILE, fallback=Fallback(text=HOSTILE)) for each in site.openings
        ),
    )
    around = frame(spoiled, words(Language.ENGLISH))
    page = board(spoiled, make(Posture.CONTAINED), now)
    for html in (
        rendered("ward.html", page, around),
        rendered("staff.html", page, around),
        rendered("numbers.html", numbers_poster(spoiled, now, words(Language.ENGLISH)), around),
        rendered("attack.html", attack_poster(spoiled, words(Language.ENGLISH)), around),
    ):
        assert "<img" not in html
        assert "\x1b" not in html
        assert "\u202e" not in html


def test_the_poster_of_numbers_has_every_opening_and_says_nothing_of_today(site: Site, now: Instant) -> None:
    page = numbers_poster(site, now, words(Language.FRENCH))
    assert [notice.id for notice in page.notices][:2] == ["telephone", "nurse-call"]
    assert {notice.id for notice in page.notices} == {opening.id for opening in site.openings}
    assert page.printed == "21 novembre 2026"
    assert page.density == "airy"
    html = rendered("numbers.html", page, frame(site, words(Language.FRENCH)))
    assert "fermée" not in html


def test_a_poster_of_many_openings_is_set_smaller(site: Site, now: Instant) -> None:
    def density(times: int) -> str:
        many = dataclasses.replace(site, openings=site.openings * times)
        return numbers_poster(many, now, words(Language.FRENCH)).density

    assert [density(1), density(2), density(3)] == ["airy", "crowded", "full"]


@pytest.mark.parametrize("language", Language)
def test_the_poster_on_attacks_is_in_all_languages_the_readers_first(site: Site, language: Language) -> None:
    page = attack_poster(site, words(language))
    assert page.advices[0].language is language
    assert {advice.language for advice in page.advices} == set(Language)
    assert {len(advice.steps) for advice in page.advices} == {5}
    html = rendered("attack.html", page, frame(site, words(language)))
    assert html.count("112") == 4
    assert "0470 00 00 01" in html


# -- who may read it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ward", "/staff", "/poster/numbers", "/poster/attack"])
def test_the_console_shows_a_stranger_nothing_of_the_board(visit: Visit, path: str) -> None:
    refused = visit.ask("GET", path)
    assert refused.status_code == 403
    assert "Tilleuls" not in refused.text
    visit.enter()
    answer = visit.ask("GET", f"{path}?lang=nl")
    assert answer.status_code == 200
    assert '<html lang="nl">' in answer.text
