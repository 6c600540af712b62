"""The papers: each for whom it is meant, in every language, with what the site needs and nothing that can run."""

from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from msgspec import structs

from console.test_app import Visit, visit
from console.test_board import HOSTILE
from console.test_frame import signed_in
from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.console.access import Session
from rempart.console.app import rendered
from rempart.console.frame import frame
from rempart.console.incident import INCIDENT_PAPERS, OBLIGATIONS
from rempart.console.papers import CARE, Kind, about_incident, kinds, paper_page, papers_page
from rempart.console.words import words
from rempart.detection.finding import Level
from rempart.duties.document import Account, Seals, Story
from rempart.duties.timeline import Line
from rempart.incidents.incident import IncidentState, Sentence, begun
from rempart.instants import Instant
from rempart.messages import CorrectionStatus, Posture, RehearsalStatus, Status, TickStatus
from rempart.phrase import phrase
from rempart.site.opening import OpeningState
from rempart.site.placement import ByHand, Placement
from rempart.site.site import Language, Site

__all__ = ["visit"]

LINK = Session("key", "csrf", Instant(0))


def listed(site: Site, looks: Session) -> set[str]:
    groups = papers_page(site, words(Language.ENGLISH), looks).groups
    return {each.id for group in groups for each in group.papers}


def beside(site: Site) -> Site:
    return replace(site, placement=Placement.OBSERVER, by_hand=ByHand(cut=("Unplug port 1",)))


def rehearsed(status: Status, note: str) -> RehearsalStatus:
    return RehearsalStatus(
        began=status.now,
        until=Instant(status.now + 600_000_000),
        by=note,
        ended=None,
        early=False,
        locked=phrase("locked-running"),
        ticks=[TickStatus(ward="care", question="call", reply="no", note=note, by=note)],
        unanswered=[],
        corrections=[
            CorrectionStatus(opening="website", becomes="lifeline", reason=note, by=note, written=False)
        ],
    )


def drawn(kind: Kind, site: Site, status: Status | None, now: Instant, language: Language) -> str:
    assert kind.make
    page = paper_page(site, kind.make(site, status, now, language), words(language))
    return rendered("paper.html", page, frame(site, words(language), signed_in(Role.TECHNICIAN)))


@pytest.mark.parametrize("role", Role)
def test_each_sees_the_papers_of_their_roles(site: Site, role: Role) -> None:
    seen = listed(site, signed_in(role))
    assert {"attack", "numbers"} <= seen
    assert ({"fallback", "staff", "residents"} <= seen) == (role in STAFF)
    assert ({"bypass", "replacing", "impact", "complaint"} <= seen) == (role in INFORMED)
    assert ("code" in seen) == (role is Role.TECHNICIAN)


def test_whoever_came_by_the_link_has_the_posters_only(site: Site) -> None:
    assert listed(site, LINK) == {"attack", "numbers"}


def test_every_paper_says_when_it_is_needed_and_how_it_is_had(site: Site) -> None:
    for house in (site, beside(site)):
        for kind in kinds(house):
            assert bool(kind.make) != bool(kind.address), kind.id
            assert all(words(each).has(f"paper.{kind.id}-when") for each in Language), kind.id


def test_what_names_machines_or_people_outside_the_staff_is_kept_apart(site: Site) -> None:
    apart = {kind.id for kind in (*kinds(site), *kinds(beside(site))) if kind.apart}
    assert {"bypass", "by-hand", "replacing", "code", "recovery", "impact"} <= apart
    assert not apart & {"attack", "numbers", "fallback", "staff", "residents"}


@pytest.mark.parametrize("language", Language)
def test_a_gateway_is_bypassed_and_beside_one_it_is_cut_by_hand(
    site: Site, now: Instant, language: Language
) -> None:
    for house, own in ((site, "bypass"), (beside(site), "by-hand")):
        made = {kind.id: kind for kind in kinds(house)}
        assert {"bypass", "by-hand"} & made.keys() == {own}
        html = drawn(made[own], house, None, now, language)
        assert f'<html lang="{language}"' in html
        assert ("Unplug port 1" in html) == (own == "by-hand")
        assert ("<svg" in html) == (own == "bypass")


def test_the_wards_are_given_what_is_closed_now(
    site: Site, make: Callable[..., Status], now: Instant
) -> None:
    fallback = next(kind for kind in kinds(site) if kind.id == "fallback")
    assert "Nothing is cut." in drawn(fallback, site, None, now, Language.ENGLISH)
    assert "Nothing is cut." in drawn(fallback, site, make(), now, Language.ENGLISH)
    cut = make(Posture.CONTAINED)
    html = drawn(fallback, site, cut, now, Language.ENGLISH)
    assert "The house has been cut off" in html
    shut = next(each for each in cut.openings if each.state is OpeningState.CLOSED)
    assert html.index("Closed: use this") < html.index(shut.name) < html.index("Goes on (filtered or open)")


@pytest.mark.parametrize("language", Language)
def test_the_rehearsal_is_told_ward_by_ward_and_none_is_said_to_be_none(
    site: Site, make: Callable[..., Status], now: Instant, language: Language
) -> None:
    report = next(kind for kind in kinds(site) if kind.id == "rehearsal")
    none = drawn(report, site, make(), now, language)
    assert CARE.say("rehearsal.none", language) in unescape(none)
    assert CARE.say("rehearsal.none", language) in unescape(drawn(report, site, None, now, language))
    status = make()
    care = structs.replace(status.care, rehearsal=rehearsed(status, HOSTILE))
    html = drawn(report, site, structs.replace(status, care=care), now, language)
    assert CARE.say("rehearsal.corrections", language) in unescape(html)
    assert "<img" not in html
    assert all(ward.name in unescape(html) for ward in site.wards)


def test_a_hostile_name_stays_text(site: Site, now: Instant) -> None:
    hostile = replace(
        site,
        name=HOSTILE,
        zones=tuple(replace(zone, name=HOSTILE) for zone in site.zones),
        contacts=tuple(replace(contact, name=HOSTILE) for contact in site.contacts),
        openings=tuple(replace(opening, name=HOSTILE) for opening in site.openings),
    )
    for house in (hostile, beside(hostile)):
        for kind in filter(lambda each: each.make, kinds(house)):
            html = drawn(kind, house, None, now, Language.FRENCH)
            assert "<img" not in html, kind.id
            assert not {"\x1b", "\u202e"} & set(html), kind.id


@pytest.mark.parametrize("language", Language)
def test_duties_and_questions_stand_in_the_papers_of_an_incident_in_words(language: Language) -> None:
    """One id is a duty's and a question's: each is told by its own words."""
    said = (
        Sentence("story.told", {"by": "D", "on": 0, "duty": "device-incident", "proof": "a receipt"}),
        Sentence("story.answered", {"by": "D", "answer": "no", "question": "device-incident", "why": "seen"}),
    )
    told = Account(
        incident=begun("A", Instant(0), IncidentState.OPEN, Level.HIGH),
        lines=tuple(Line(entry=n, at=Instant(0), sentence=each) for n, each in enumerate(said, 1)),
        seals=Seals(2, "00" * 32),
    )
    for kind in INCIDENT_PAPERS:
        paper = about_incident(kind, told, language)
        (story,) = (each for each in paper.sections if isinstance(each, Story))
        duty, question = (row[2] for row in story.rows)
        assert OBLIGATIONS.duties["device-incident"].name[language] in duty
        assert OBLIGATIONS.questions["device-incident"].text[language] in question
        assert "device-incident" not in duty + question


# -- the addresses -----------------------------------------------------------------------------------------------


def test_a_stranger_is_shown_no_paper(visit: Visit) -> None:
    for path in ("/papers", "/papers/fallback", "/papers/impact"):
        answer = visit.ask("GET", path)
        assert answer.status_code == 403
        assert "Tilleuls" not in answer.text


def test_the_link_opens_the_list_and_no_paper(visit: Visit) -> None:
    visit.enter()
    assert visit.ask("GET", "/papers").status_code == 200
    refused = [visit.ask("GET", f"/papers/{name}") for name in ("fallback", "bypass", "staff")]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert visit.ask("GET", "/papers/by-hand").status_code == 404
