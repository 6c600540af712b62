"""Legal clocks on the duty page: for those who check on things, told in hours, and never to the wards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from console.test_api import Api, token
from console.test_duty import around
from console.test_signin import Browser, visit
from engine.home import RECORDS
from rempart.accounts.credential import Scope
from rempart.accounts.person import Role
from rempart.care.reply import Reply
from rempart.console.app import Console, rendered
from rempart.console.audience import Audience
from rempart.console.clocks import MOST, legal_clocks
from rempart.console.duty import duty_page
from rempart.console.words import words
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.engine.inputs import Found
from rempart.engine.orders import AnswerQuestion
from rempart.instants import Duration, Instant, after, hours, minutes, seconds
from rempart.messages import ClockStatus, Status
from rempart.site.language import Language
from rempart.site.site import Site
from station.household import Household

Make = Callable[..., Status]
ENGLISH = words(Language.ENGLISH)


def clock(now: Instant, left: Duration | None, duty: str = "gdpr-authority") -> ClockStatus:
    due = None if left is None else after(now, left)
    return ClockStatus(incident="inc-1", duty=duty, started=after(now, -hours(10)), due=due)


@pytest.mark.parametrize(
    ("left", "when", "mood"),
    [
        (hours(41), "by Sunday 20:12: 41 h left", "good"),
        (hours(5), "by 08:12: 5 h left", "doubt"),
        (minutes(34), "by 03:46: 34 min left", "doubt"),
        (seconds(40), "by 03:12: now", "bad"),
        (-hours(1), "was due at 02:12", "bad"),
        (None, "without delay, since Friday 17:12; the law gives no number of hours", "good"),
    ],
)
def test_how_long_is_left(make: Make, now: Instant, left: Duration | None, when: str, mood: str) -> None:
    told = legal_clocks(make(clocks=[clock(now, left)]), now, ENGLISH, {})
    assert told is not None
    (one,) = told.shown
    assert (one.when, one.mood) == (when, mood)
    assert one.link == "/incidents/inc-1#duties"


def test_clocks_of_several_incidents_say_of_which(make: Make, now: Instant) -> None:
    other = structs.replace(clock(now, hours(2)), incident="inc-2")
    told = legal_clocks(make(clocks=[clock(now, hours(1)), other]), now, ENGLISH, {"inc-1": "Files leave."})
    assert told is not None
    assert [each.about for each in told.shown] == ["Files leave.", "inc-2"]


def test_no_clock_no_card(make: Make, now: Instant) -> None:
    assert legal_clocks(None, now, ENGLISH, {}) is None
    assert legal_clocks(make(), now, ENGLISH, {}) is None


def test_the_soonest_are_told_and_the_others_counted(make: Make, now: Instant) -> None:
    told = legal_clocks(make(clocks=[clock(now, hours(n + 1)) for n in range(MOST + 1)]), now, ENGLISH, {})
    assert told is not None
    assert (len(told.shown), told.more) == (MOST, "One more runs: see the incident.")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("duty", DutyId)
def test_only_those_who_check_on_things_see_them(
    site: Site, make: Make, now: Instant, language: Language, duty: DutyId
) -> None:
    status = make(clocks=[clock(now, hours(3), duty.value)])

    def drawn(audience: Audience) -> str:
        return rendered(
            "duty.html",
            duty_page(site, status, now, now, words(language), audience),
            around(site, language),
        )

    assert "/incidents/inc-1#duties" in drawn(Audience.INFORMED)
    for audience in (Audience.NIGHT, Audience.ONLOOKER):
        assert "inc-1" not in drawn(audience)
        assert words(language).say("label.clocks") not in drawn(audience)


@pytest.mark.edge
@pytest.mark.parametrize(("role", "told"), [(Role.DUTY, 0), (Role.OBSERVER, 0), (Role.PRIVACY_OFFICER, 2)])
def test_the_interface_for_programs_leaves_them_out_for_all_others(
    tmp_path: Path, site: Site, role: Role, told: int
) -> None:
    async def talk(home: Household, console: Console, _: Browser) -> None:
        reading = await token(home, await home.enrol("anne", role), Scope.READ)
        await home.guard.ask(Found(home.clock.now(), RECORDS))
        for question in (QuestionId.PERSONAL_DATA_BREACH, QuestionId.RISK_TO_PERSONS):
            await home.local(
                AnswerQuestion(by="D", incident=incident_id(home), question=question, reply=Reply.YES)
            )
        console.feed.status = home.guard.status()
        assert len(console.feed.status.clocks) == 2
        assert len((await Api(console).get("status", reading)).json()["clocks"]) == told

    visit(tmp_path, site, talk)


def incident_id(home: Household) -> str:
    (incident,) = home.guard.state.incidents
    return incident
