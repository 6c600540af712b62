"""The page of what is done by hand: steps, who said what, and what the form makes of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from console.test_duty import HOSTILE, around
from console.test_signin import Browser, hidden, visit
from engine.home import SITE
from rempart.accounts.person import Role
from rempart.console.app import Console, rendered
from rempart.console.audience import Audience, as_seen
from rempart.console.by_hand import BY_HAND, by_hand_page
from rempart.console.duty import duty_page
from rempart.console.when import to_type
from rempart.console.words import words
from rempart.engine import facts
from rempart.engine.handwork import Checked
from rempart.instants import Instant
from rempart.messages import HandStepStatus, HandworkStatus, Status
from rempart.site.language import Language
from rempart.site.placement import ByHand, Placement
from rempart.site.site import Site
from station.household import Household

Make = Callable[..., Status]
PLAN = ByHand(cut=("FortiGate in the cellar: unplug port 1",), block=("FortiGate: group BLOCKED",))


@pytest.fixture
def beside(site: Site) -> Site:
    return replace(site, placement=Placement.OBSERVER, by_hand=PLAN)


def ticked(make: Make, now: Instant, cut: Checked, step: str = PLAN.cut[0]) -> Status:
    said = HandStepStatus(
        action="contain", target="", number=2, step=step, reply="yes", by="anne", note="red cable", at=now
    )
    first = HandStepStatus(action="contain", target="", number=1, step="", reply="unknown")
    work = HandworkStatus(steps=[first, said], cut=cut, probes=["Site public"])
    return make(placement=Placement.OBSERVER, by_hand=work)


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (Checked.UNCHECKED, "by hand, at 03:12, not checked by Rempart (anne, red cable)"),
        (Checked.CONFIRMED, "a probe gets no answer from outside any more (Site public)"),
        (Checked.CONTRADICTED, "but a probe still gets an answer from outside (Site public)"),
    ],
)
def test_what_was_done_is_told_with_who_checked_it(
    beside: Site, make: Make, now: Instant, cut: Checked, told: str
) -> None:
    status, english = ticked(make, now, cut), words(Language.ENGLISH)
    page = by_hand_page(beside, status, now, english, "csrf", audience=Audience.INFORMED)
    (deed,) = page.deeds
    assert deed.title == "Cut the site"
    assert [step.done for step in deed.steps] == [False, True]
    assert told in deed.steps[1].said
    duty = duty_page(beside, status, now, now, english, Audience.INFORMED)
    assert duty.by_hand == page.deeds


def test_when_it_was_done_is_told_with_when_that_was_said(beside: Site, make: Make, now: Instant) -> None:
    status = ticked(make, now, Checked.UNCHECKED)
    done = [
        structs.replace(each, on=each.at and Instant(each.at - 60_000_000)) for each in status.by_hand.steps
    ]
    status = structs.replace(status, by_hand=structs.replace(status.by_hand, steps=done))
    page = by_hand_page(beside, status, now, words(Language.ENGLISH), "csrf", audience=Audience.INFORMED)
    assert page.deeds[0].steps[1].said == (
        "by hand, at 03:11 (said at 03:12), not checked by Rempart (anne, red cable)"
    )


def test_at_night_no_name_is_told_and_whoever_looks_on_is_offered_nothing(
    beside: Site, make: Make, now: Instant
) -> None:
    status, french = ticked(make, now, Checked.UNCHECKED), words(Language.FRENCH)
    for audience, forms in ((Audience.NIGHT, True), (Audience.ONLOOKER, False)):
        page = by_hand_page(beside, as_seen(status, audience, beside), now, french, "csrf", audience=audience)
        html = rendered("by-hand-page.html", page, around(beside))
        assert "anne" not in html
        assert "non contrôlé par Rempart" in html
        assert ('action="/by-hand"' in html) is forms
        assert ("FortiGate: group BLOCKED" in html) is forms


def test_without_a_guard_the_plan_is_told_and_in_the_path_there_is_none(
    beside: Site, site: Site, now: Instant
) -> None:
    english = words(Language.ENGLISH)
    page = by_hand_page(beside, None, now, english, "csrf")
    assert [(step.text, step.said) for step in page.deeds[0].steps][1:] == [(PLAN.cut[0], "")]
    in_path = rendered("by-hand-page.html", by_hand_page(site, None, now, english, "csrf"), around(site))
    assert "There is nothing to say here" in in_path
    assert "<form" not in in_path


def test_hostile_text_stays_text(beside: Site, make: Make, now: Instant) -> None:
    status = ticked(make, now, Checked.UNCHECKED, step=HOSTILE)
    page = by_hand_page(beside, status, now, words(Language.FRENCH), "csrf", audience=Audience.INFORMED)
    html = rendered("by-hand-page.html", page, around(beside))
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html


@pytest.mark.edge
def test_a_step_is_ticked_and_sealed_under_the_name_of_whoever_signed_in(tmp_path: Path) -> None:
    beside = replace(SITE, placement=Placement.OBSERVER, by_hand=PLAN)

    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        console.feed.status = home.guard.status()
        page = (await browser.get(BY_HAND)).text
        fields = {"csrf": hidden(page, "csrf"), "what": "contain.2", "reply": "yes", "by": "somebody else"}
        assert (await browser.post(BY_HAND, fields | {"csrf": "forged"})).status_code == 303
        assert await home.sealed(facts.TickedByHand) == []
        assert (await browser.post(BY_HAND, fields)).headers["location"] == BY_HAND
        (sealed,) = await home.sealed(facts.TickedByHand)
        assert (sealed.by, sealed.step, sealed.on) == ("anne", PLAN.cut[0], None)
        earlier = Instant(sealed.at - sealed.at % 60_000_000 - 3_600_000_000)
        await browser.post(BY_HAND, fields | {"on": to_type(earlier)})
        await browser.post(BY_HAND, fields | {"on": "yesterday"})
        await browser.post(BY_HAND, fields | {"on": "9999-12-31T23:59"})
        (_, sealed) = await home.sealed(facts.TickedByHand)
        assert sealed.on == earlier
        console.feed.status = home.guard.status()
        for where in (BY_HAND, "/", "/contain"):
            assert "non contrôlé par Rempart" in (await browser.get(where)).text

    visit(tmp_path, beside, talk, guarded=beside)


@pytest.mark.edge
def test_whoever_came_by_the_link_ticks_under_a_name_until_somebody_can_sign_in(tmp_path: Path) -> None:
    beside = replace(SITE, placement=Placement.OBSERVER, by_hand=PLAN)

    async def talk(home: Household, console: Console, browser: Browser) -> None:
        stranger = await browser.post(BY_HAND, {"what": "contain.2", "reply": "yes", "by": "x"})
        assert stranger.status_code == 403
        await browser.enter()
        console.feed.status = home.guard.status()
        page = (await browser.get(BY_HAND)).text
        assert 'name="by"' in page
        fields = {"csrf": hidden(page, "csrf"), "what": "contain.2", "reply": "yes"}
        for nameless in (fields, fields | {"by": "  "}, fields | {"by": "Nadia", "csrf": "forged"}):
            await browser.post(BY_HAND, nameless)
        assert await home.sealed(facts.TickedByHand) == []
        assert (await browser.post(BY_HAND, fields | {"by": " Nadia, ward 2 "})).status_code == 303
        (sealed,) = await home.sealed(facts.TickedByHand)
        assert (sealed.by, sealed.step) == ("Nadia, ward 2", PLAN.cut[0])
        console.feed.status = home.guard.status()
        assert "Nadia" not in (await browser.get(BY_HAND)).text  # others who come by the link read no names

        await home.enrol("anne", Role.DUTY)
        await browser.post(BY_HAND, fields | {"by": "anne", "reply": "no"})
        assert len(await home.sealed(facts.TickedByHand)) == 1

    visit(tmp_path, beside, talk, guarded=beside)


@pytest.mark.edge
def test_the_guard_in_the_path_refuses_and_the_page_says_why(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        page = (await browser.get("/people")).text
        fields = {"csrf": hidden(page, "csrf"), "what": "contain.1", "target": "", "reply": "yes"}
        answer = await browser.post(BY_HAND, fields)
        assert answer.headers["location"] == BY_HAND
        assert "elle coupe, bloque et isole elle-même" in (await browser.get(BY_HAND)).text
        for wrong in ({"what": "watch.1"}, {"what": "contain"}, {"reply": "perhaps"}, {"what": "contain.0"}):
            assert (await browser.post(BY_HAND, fields | wrong)).headers["location"] == BY_HAND
        assert await home.sealed(facts.TickedByHand) == []

    visit(tmp_path, site, talk)
