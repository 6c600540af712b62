"""The cut as it is offered: the first time, and again when a door was opened since."""

from collections.abc import Callable

from msgspec import structs

from rempart.console.audience import Audience
from rempart.console.contain import contain_page
from rempart.console.cut import Turn, cut
from rempart.console.duty import duty_page
from rempart.console.words import words
from rempart.instants import Instant, minutes
from rempart.messages import Posture, Status
from rempart.site.opening import OpeningState
from rempart.site.site import Language, Site

Make = Callable[..., Status]
ENGLISH = words(Language.ENGLISH)


def standing(status: Status, *openings: str, state: OpeningState, **how: object) -> Status:
    doors = [
        structs.replace(each, state=state, **how) if each.id in openings else each for each in status.openings
    ]
    return structs.replace(status, openings=doors)


def test_the_first_cut_says_that_a_page_explains(site: Site, make: Make, now: Instant) -> None:
    for status in (make(), make(Posture.WATCHFUL), None):
        offered = cut(site, status, now, ENGLISH)
        assert (offered.turn, offered.button) == (Turn.FIRST, "Cut the site off from outside")


def test_a_cut_that_stands_is_not_offered_but_its_page_still_takes_it(
    site: Site, make: Make, now: Instant
) -> None:
    status = make(Posture.CONTAINED)
    assert cut(site, status, now, ENGLISH).turn is Turn.IDLE
    assert duty_page(site, status, now, now, ENGLISH).cut is None
    page = contain_page(site, status, now, ENGLISH, "csrf")
    assert page.may_contain
    assert page.lead == "The cut stands, and no door has reopened. Cutting again changes nothing."


def test_a_visit_during_the_cut_brings_the_red_button_back(site: Site, make: Make, now: Instant) -> None:
    """As engine.judge has it: a cut that is ordered again shuts what was opened since, visits among them."""
    visited = standing(
        make(Posture.CONTAINED),
        "remote-maintenance",
        state=OpeningState.FILTERED,
        visitor="anybody",
        trial_until=Instant(now + minutes(20)),
    )
    page = duty_page(site, visited, now, now, ENGLISH, Audience.NIGHT)
    assert page.cut
    assert (page.cut.button, page.cut.small) == ("Cut again", "one open door shuts: Télémaintenance")
    notes = next(door.notes for door in page.house.doors if door.id == "remote-maintenance")
    assert notes[0] == "a visit, 20 min left"
    assert [stop.name for stop in contain_page(site, visited, now, ENGLISH, "csrf").stops] == [
        "Télémaintenance"
    ]


def test_doors_on_trial_are_named_or_counted(site: Site, make: Make, now: Instant) -> None:
    reopened = standing(
        make(Posture.CONTAINED), "mail", "lab", "browsing", "website", state=OpeningState.OPEN
    )
    small = cut(site, reopened, now, ENGLISH).small
    assert small.startswith(f"{len(cut(site, reopened, now, ENGLISH).shuts)} open doors shut: ")
    assert small.endswith(" …")


def test_a_cut_that_waits_for_its_confirmation_can_be_kept(site: Site, make: Make, now: Instant) -> None:
    until = Instant(now + minutes(9))
    waiting = standing(
        make(Posture.CONTAINED, cut_until=until),
        "lab",
        state=OpeningState.CLOSED,
        trial_until=until,
        waits=True,
    )
    page = duty_page(site, waiting, now, now, ENGLISH)
    assert page.cut
    assert (page.cut.button, page.cut.small) == ("Keep the cut", "else it ends by itself in 9 min")
    notes = next(door.notes for door in page.house.doors if door.id == "lab")
    assert notes[0] == "goes back in 9 min unless confirmed"


def test_a_lifeline_that_somebody_closed_is_not_promised(site: Site, make: Make, now: Instant) -> None:
    shut = standing(make(Posture.REOPENING), "telephone", state=OpeningState.CLOSED)
    assert "Téléphone" not in contain_page(site, shut, now, ENGLISH, "csrf").filtered


def test_what_is_sealed_is_said_of_what_is_asked(site: Site, make: Make, now: Instant) -> None:
    assert contain_page(site, make(), now, ENGLISH, "csrf").sealed.startswith("Both")
    assert contain_page(site, make(), now, ENGLISH, "csrf", account="anne").sealed.startswith("It is sealed")
