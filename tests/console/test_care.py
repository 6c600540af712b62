"""Blocked care: what to use instead is said at once, whatever becomes of the report."""

import dataclasses
from collections.abc import Callable

import msgspec
import pytest

from console.test_app import Visit, visit
from rempart.console.app import rendered
from rempart.console.audience import Audience
from rempart.console.care import CarePage, care_page
from rempart.console.frame import frame
from rempart.console.words import words
from rempart.instants import Instant
from rempart.messages import CareStatus, OrderDone, Ordered, OrderRejected, Posture, Status, TroubleStatus
from rempart.site.opening import OpeningState
from rempart.site.site import Language, Site, Ward

__all__ = ["visit"]

Make = Callable[..., Status]
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"


def trouble(now: Instant, service: str = "lab", **changed: object) -> TroubleStatus:
    said = {
        "id": "t7",
        "service": service,
        "ail": "down",
        "ward": "",
        "note": "",
        "by": "anne",
        "at": now,
        "settled": None,
        "remedy": "",
    }
    return TroubleStatus(**(said | changed))  # type: ignore[arg-type]  # as the message has them


def asked(site: Site, status: Status | None, now: Instant, **options: object) -> CarePage:
    return care_page(site, status, now, words(Language.ENGLISH), "csrf", **options)  # type: ignore[arg-type]


def shown(site: Site, page: CarePage) -> str:
    return rendered("care.html", page, frame(site, words(Language.ENGLISH)))


def test_closed_doors_come_first(site: Site, make: Make, now: Instant) -> None:
    choices = asked(site, make(Posture.REOPENING), now).choices
    assert [choice.state for choice in choices] == ["closed"] * 7 + ["filtered"] * 5
    assert (choices[0].name, choices[0].fallback) == ("Laboratoire", "résultats par téléphone")
    assert choices[0].call
    assert choices[0].call.link == "tel:040000012"
    assert asked(site, make(), now).choices[0].id == "remote-maintenance"
    assert len(asked(site, None, now).choices) == len(site.openings)


@pytest.mark.parametrize("language", Language)
def test_while_nothing_is_cut_anything_may_not_work_and_the_cut_is_not_named(
    site: Site, make: Make, now: Instant, language: Language
) -> None:
    spoken = words(language)
    page = care_page(site, make(Posture.WATCHFUL), now, spoken, "csrf")
    assert page.texts["title"] == spoken.say("care-uncut.title") != spoken.say("care-page.title")
    assert {each.id for each in page.choices} == {each.id for each in site.openings}
    cut = care_page(site, make(Posture.CONTAINED), now, spoken, "csrf")
    assert cut.texts["title"] == spoken.say("care-page.title")


def test_a_fallback_that_needs_what_is_closed_says_so(site: Site, make: Make, now: Instant) -> None:
    status = make(Posture.CONTAINED)
    assert {choice.needs for choice in asked(site, status, now).choices} == {""}
    silent = [
        msgspec.structs.replace(each, state=OpeningState.CLOSED) if each.id == "telephone" else each
        for each in status.openings
    ]
    without = make(Posture.CONTAINED, openings=silent)
    lab = next(choice for choice in asked(site, without, now).choices if choice.id == "lab")
    assert lab.needs == "this needs what is closed: Téléphone"


def test_a_sealed_report_shows_what_to_use_and_whom_to_call(site: Site, make: Make, now: Instant) -> None:
    status = make(Posture.CONTAINED, care=CareStatus(troubles=[trouble(now), trouble(now, "mail", id="t8")]))
    page = asked(site, status, now, trouble="t7")
    html = shown(site, page)
    assert (page.blocked, page.written) == ("Laboratoire", "Written down at 03:12.")
    assert page.instead
    assert page.instead.fallback == "résultats par téléphone"
    assert page.contacts[0].phone == "0470 00 00 01"
    assert [(report.what, report.link) for report in page.reports] == [("Courriel", "/care?trouble=t8")]
    assert page.door == ""
    assert "<form" not in html
    assert 'href="tel:040000012"' in html


def test_the_door_is_for_those_who_may_open_it(site: Site, make: Make, now: Instant) -> None:
    status = make(Posture.CONTAINED, care=CareStatus(troubles=[trouble(now)]))
    page = asked(site, status, now, trouble="t7", audience=Audience.INFORMED)
    assert page.door == "/reopening#door-lab"


def test_whoever_only_looks_reads_the_numbers_and_has_no_form(site: Site, make: Make, now: Instant) -> None:
    html = shown(site, asked(site, make(Posture.CONTAINED), now, audience=Audience.ONLOOKER))
    assert "<form" not in html
    assert 'href="tel:040000012"' in html
    assert 'href="tel:0470000001"' in html


def test_a_settled_or_unknown_report_is_asked_anew(site: Site, make: Make, now: Instant) -> None:
    settled = make(Posture.CONTAINED, care=CareStatus(troubles=[trouble(now, settled=now)]))
    for status in (settled, make(Posture.CONTAINED), None):
        page = asked(site, status, now, trouble="t7")
        assert (page.blocked, page.written, page.reports) == ("", "", ())


def test_hostile_words_stay_words(site: Site, make: Make, now: Instant) -> None:
    said = trouble(now, HOSTILE, ward=HOSTILE, note=HOSTILE)
    status = make(Posture.CONTAINED, care=CareStatus(troubles=[said, trouble(now, HOSTILE, id="t8")]))
    html = shown(site, asked(site, status, now, trouble="t8", refusal=HOSTILE, advice=HOSTILE))
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_it_renders_in_every_language(
    site: Site, make: Make, now: Instant, language: Language, audience: Audience
) -> None:
    with_wards = dataclasses.replace(site, wards=(Ward(id="first", name="Premier étage"),))
    page = care_page(with_wards, make(Posture.CONTAINED), now, words(language), "csrf", audience=audience)
    html = rendered("care.html", page, frame(site, words(language)))
    assert ("Premier étage" in html) is audience.may_order
    assert "{" not in html.split("<main")[1]


# -- the handlers ------------------------------------------------------------------------------------------------


def given(visited: Visit, **changed: str) -> dict[str, str]:
    text = visited.ask("GET", "/care").text
    token = text.split('name="csrf" value="')[1].split('"')[0]
    return {"csrf": token, "service": "lab", "ail": "down", "by": "Anne", "note": ""} | changed


def test_nothing_is_shown_or_written_without_a_session(visit: Visit) -> None:
    for method in ("GET", "POST"):
        answer = visit.ask(method, "/care")
        assert answer.status_code == 403
        assert "Tilleuls" not in answer.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"csrf": "x"}, 403),
        ({"service": ""}, 400),
        ({"service": "other", "what": "  "}, 400),
        ({"ail": "burning"}, 400),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(visit: Visit, changed: dict[str, str], code: int) -> None:
    visit.enter()
    answer = visit.ask("POST", "/care", data=given(visit, **changed))
    assert answer.status_code == code
    assert 'role="alert"' in answer.text


def test_without_a_guard_it_still_says_what_to_use(visit: Visit) -> None:
    visit.enter()
    answer = visit.ask("POST", "/care", data=given(visit))
    assert answer.status_code == 503
    assert "résultats par téléphone" in answer.text.split("<form")[0]
    assert "04 000 00 12" in answer.text.split("<form")[0]
    assert "0470 00 00 01" in answer.text.split("<form")[0]


def test_a_refusal_of_the_guard_is_passed_on(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(_: object, __: Ordered) -> OrderRejected:
        return OrderRejected(what="nobody is signed in", now="Sign in first.")

    monkeypatch.setattr(type(visit.console.feed), "order", refused)
    visit.enter()
    answer = visit.ask("POST", "/care", data=given(visit))
    assert answer.status_code == 409
    assert "nobody is signed in" in answer.text
    assert "04 000 00 12" in answer.text.split("<form")[0]


def test_a_report_is_ordered_and_then_shown(
    visit: Visit, make: Make, now: Instant, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Ordered] = []

    async def done(_: object, ordered: Ordered) -> OrderDone:
        sent.append(ordered)
        visit.console.feed.status = make(
            Posture.CONTAINED, care=CareStatus(troubles=[trouble(now, "the lift")])
        )
        return OrderDone(received=now, sealed=1, enforced=None, done=now)

    monkeypatch.setattr(type(visit.console.feed), "order", done)
    visit.enter()
    answer = visit.ask("POST", "/care", data=given(visit, service="other", what="the lift"))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/care?trouble=t7"
    assert (sent[0].order.by, sent[0].session) == ("Anne", "")
    assert "the lift" in visit.ask("GET", "/care?trouble=t7").text
