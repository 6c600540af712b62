"""Taking an alert on the duty page: what asks, who may press, who has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.test_app import Visit, visit
from console.test_duty import around
from console.test_signin import Browser, hidden
from console.test_signin import visit as visit_guard
from engine.home import RECORDS
from rempart.accounts.person import Role
from rempart.console.app import Console, rendered
from rempart.console.audience import Audience
from rempart.console.duty import duty_page
from rempart.console.taking import MOST, TAKE, asking, taken
from rempart.console.words import words
from rempart.engine import facts
from rempart.engine.inputs import Found
from rempart.incidents.incident import Sentence
from rempart.instants import Instant, after, hours, minutes
from rempart.messages import AlertStatus, Status
from rempart.site.language import Language
from rempart.site.site import Site
from rempart.site.telling import Channel
from rempart.telling.alert import AlertState, Delivery, Urgency
from station.household import Household

__all__ = ["visit"]
Make = Callable[..., Status]
ENGLISH = words(Language.ENGLISH)


def alert(now: Instant, **others: Any) -> AlertStatus:
    raised = after(now, -minutes(12))
    standing: dict[str, Any] = {
        "id": "inc-1",
        "code": "ABCDEF",
        "state": AlertState.WAITING,
        "urgency": Urgency.NOW,
        "about": Sentence("alert.records", {"where": "Étage 2"}),
        "todo": "todo.look",
        "raised": raised,
        "told": [],
        "owed": 0,
    }
    return AlertStatus(**(standing | others))


def reached(now: Instant, role: str) -> Delivery:
    return Delivery(message=role, role=role, channel=Channel.TEXT, at=now, delivered=True)


def test_what_waits_is_told_with_who_was_reached(make: Make, now: Instant) -> None:
    told = [reached(now, "duty"), reached(now, "duty"), reached(now, "technician")]
    asks = asking(make(alerts=[alert(now, told=told)]), now, ENGLISH, Audience.NIGHT)
    assert asks is not None
    assert asks.said == (("Care files are being opened in series (Étage 2).", "since 03:00"),)
    assert asks.told == "2 people were told so far."
    assert asks.codes == ("ABCDEF",)
    assert asks.urgent


def test_the_button_takes_what_it_shows_and_no_more(make: Make, now: Instant) -> None:
    many = [alert(now, id=str(n), code=f"CODE{n}", urgency=Urgency.CAN_WAIT) for n in range(MOST + 2)]
    asks = asking(make(alerts=many), now, ENGLISH, Audience.INFORMED)
    assert asks is not None
    assert (len(asks.said), len(asks.codes), asks.more) == (MOST, MOST, "2 more wait.")
    assert not asks.urgent
    assert asks.told == "Nobody was reached so far."


def test_nobody_is_asked_while_nothing_waits(make: Make, now: Instant) -> None:
    assert asking(None, now, ENGLISH, Audience.NIGHT) is None
    over = [alert(now, state=AlertState.OVER), alert(now, state=AlertState.TAKEN, taken=now, taken_by="x")]
    assert asking(make(alerts=over), now, ENGLISH, Audience.NIGHT) is None


@pytest.mark.parametrize("language", Language)
def test_whoever_looks_on_gets_neither_button_nor_code(
    site: Site, make: Make, now: Instant, language: Language
) -> None:
    def drawn(audience: Audience) -> str:
        page = duty_page(site, make(alerts=[alert(now)]), now, now, words(language), audience)
        return rendered("duty.html", page, around(site, language))

    assert "ABCDEF" not in drawn(Audience.ONLOOKER)
    assert 'id="take"' not in drawn(Audience.ONLOOKER)
    assert 'value="ABCDEF"' in drawn(Audience.NIGHT)
    assert words(language).say("label.take") in drawn(Audience.NIGHT).replace("&#39;", "'")


def test_who_has_it_and_how_soon(make: Make, now: Instant) -> None:
    held = make(
        alerts=[alert(now, state=AlertState.TAKEN, taken=after(now, -minutes(5)), taken_by="anne.dupont")]
    )
    named = taken(held, now, ENGLISH, named=True)
    assert named.startswith("anne.dupont took it at 03:07, 7 min after the alert")
    assert "anne" not in taken(held, now, ENGLISH, named=False)
    assert taken(held, after(now, hours(13)), ENGLISH, named=True) == ""


# -- the form ----------------------------------------------------------------------------------------------------


def test_a_live_page_carries_the_token_of_whoever_looks(visit: Visit, make: Make, now: Instant) -> None:
    visit.console.feed.status = make(alerts=[alert(now)])
    visit.enter()
    ((session),) = visit.console.access._sessions.values()
    for headers in ({}, {"x-rempart-live": "1"}):
        page = visit.ask("GET", "/", headers=headers).text
        assert f'name="csrf" value="{session.csrf}"' in page


@pytest.mark.edge
def test_one_press_takes_it_and_is_sealed(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await home.enrol("luc", Role.DUTY)
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        await home.guard.ask(Found(home.clock.now(), RECORDS))
        console.feed.status = home.guard.status()
        page = (await browser.get("/")).text
        fields = {"csrf": hidden(page, "csrf"), "code": hidden(page, "code")}
        assert (await browser.post(TAKE, fields | {"csrf": "forged"})).status_code == 403
        assert await home.sealed(facts.Acknowledged) == []
        home.clock.pass_(minutes(4))
        assert (await browser.post(TAKE, fields)).headers["location"] == "/"
        (sealed,) = await home.sealed(facts.Acknowledged)
        assert (sealed.by, sealed.how) == ("anne", "order")
        status = home.guard.status()
        assert 240 <= status.answer_seconds[-1] < 300
        console.feed.status = status
        assert "Pris en charge à" in (await browser.get("/")).text
        late = await browser.post(TAKE, fields)
        assert late.status_code == 409
        assert 'role="alert"' in late.text

    visit_guard(tmp_path, site, talk)


@pytest.mark.edge
def test_an_observer_cannot_take_it_even_with_its_code(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("looker", Role.OBSERVER), home)
        await home.guard.ask(Found(home.clock.now(), RECORDS))
        console.feed.status = home.guard.status()
        page = (await browser.get("/people")).text
        code = console.feed.status.alerts[0].code
        answer = await browser.post(TAKE, {"csrf": hidden(page, "csrf"), "code": code})
        assert answer.status_code == 409
        assert await home.sealed(facts.Acknowledged) == []

    visit_guard(tmp_path, site, talk)


def test_whoever_came_by_the_link_says_their_name_first(visit: Visit, make: Make, now: Instant) -> None:
    visit.console.feed.status = make(alerts=[alert(now)])
    visit.enter()
    form = {"csrf": hidden(visit.ask("GET", "/").text, "csrf"), "code": "ABCDEF"}
    asked = visit.ask("POST", TAKE, data=form)
    assert asked.status_code == 200
    assert hidden(asked.text, "code") == "ABCDEF"
    assert 'name="by"' in asked.text
    silent = visit.ask("POST", TAKE, data=form | {"by": "Anne"})
    assert silent.status_code == 503
    stranger = Visit(visit.console, visit.links)
    assert stranger.ask("POST", TAKE, data=form).status_code == 403
