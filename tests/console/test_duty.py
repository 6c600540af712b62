"""The duty page: what it says in each posture, what it does not know, and hostile text on it."""

import dataclasses
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from console.test_frame import signed_in
from rempart.accounts.person import Role
from rempart.console.access import Session
from rempart.console.app import rendered
from rempart.console.audience import Audience, audience, tasked
from rempart.console.board import board_page
from rempart.console.confirm import ConfirmPage, HandedPage
from rempart.console.contain import ContainPage, contain_page
from rempart.console.duty import DutyPage, duty_page
from rempart.console.frame import Frame, frame
from rempart.console.masks import MasksPage
from rempart.console.people import PeoplePage
from rempart.console.signin import KeptPage, LinkPage, SignInPage
from rempart.console.words import words
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.incidents.incident import Sentence
from rempart.instants import Instant, minutes
from rempart.messages import (
    CareStatus,
    ClockStatus,
    IncidentStatus,
    MeasureStatus,
    Posture,
    Proposal,
    Status,
    TroubleStatus,
    UnmaskingStatus,
    WardStatus,
)
from rempart.site.placement import ByHand, Placement
from rempart.site.site import Language, Site
from rempart.telling.digest import Day

Make = Callable[..., Status]
SESSION = Session("key", "csrf", 0)
"""Somebody who came by the link."""

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202egnp{{7*7}}"


def around(site: Site, language: Language = Language.FRENCH) -> Frame:
    return frame(site, words(language), SESSION, "/")


@pytest.mark.parametrize(
    "page",
    [
        Frame,
        DutyPage,
        ContainPage,
        SignInPage,
        LinkPage,
        KeptPage,
        PeoplePage,
        MasksPage,
        ConfirmPage,
        HandedPage,
    ],
)
def test_every_field_of_a_page_has_help(page: type) -> None:
    hints = get_type_hints(page, include_extras=True)
    for field in dataclasses.fields(page):
        assert get_origin(hints[field.name]) is Annotated, field.name
        assert get_args(hints[field.name])[1].endswith(".")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("posture", [*Posture, None])
def test_the_first_sentences(
    site: Site,
    make: Make,
    now: Instant,
    posture: Posture | None,
    language: Language,
    snapshot: SnapshotAssertion,
) -> None:
    page = duty_page(site, make(posture) if posture else None, now, now, words(language))
    assert [page.sentence, page.care, page.proof.text, page.house.summary] == snapshot


@pytest.mark.parametrize("posture", [*Posture, None])
@pytest.mark.parametrize("language", Language)
def test_every_page_renders_in_every_language(
    site: Site, make: Make, now: Instant, posture: Posture | None, language: Language, attack: IncidentStatus
) -> None:
    status = make(posture, incidents=[attack]) if posture else None
    html = rendered("duty.html", duty_page(site, status, None, now, words(language)), around(site, language))
    assert f'<html lang="{language}">' in html
    assert "{" not in html.split("<main")[1]


def test_the_whole_page(
    site: Site,
    make: Make,
    now: Instant,
    attack: IncidentStatus,
    isolation: MeasureStatus,
    snapshot: SnapshotAssertion,
) -> None:
    status = make(Posture.CONTAINED, incidents=[attack], measures=[isolation])
    assert (
        rendered(
            "duty.html",
            duty_page(site, status, now, now, words(Language.FRENCH), Audience.INFORMED),
            around(site),
        )
        == snapshot
    )


def proof(site: Site, status: Status | None, now: Instant) -> tuple[str, str]:
    page = duty_page(site, status, None, now, words(Language.ENGLISH))
    return page.proof.mood, page.proof.text


def test_an_old_reading_proves_nothing(site: Site, make: Make, now: Instant) -> None:
    cut = make(Posture.CONTAINED)
    assert proof(site, cut, now) == ("good", "✓ Cut, checked 3 s ago")
    assert proof(site, cut, Instant(now + minutes(2)))[0] == "doubt"
    assert proof(site, make(enforcement_verified=None), now)[0] == "doubt"
    assert proof(site, make(enforcement_fault="table gone"), now)[0] == "bad"
    assert proof(site, None, now) == ("bad", "Nothing is being checked just now")


def test_a_reading_from_before_the_cut_or_a_door_proves_nothing_of_them(
    site: Site, make: Make, now: Instant
) -> None:
    read = Instant(now - 3_000_000)

    def cut(since: int) -> Status:
        return make(Posture.CONTAINED, since=Instant(since), enforcement_verified=read)

    changed = ("doubt", "Just changed: being checked")
    assert proof(site, cut(read + 1), now) == changed
    assert proof(site, cut(read), now) == ("good", "✓ Cut, checked 3 s ago")
    assert proof(site, cut(now + 1), now)[0] == "good"  # the clock was set back since
    first, *others = make().openings
    opened = msgspec.structs.replace(first, since=Instant(read + 1))
    assert proof(site, make(openings=[opened, *others]), now) == changed


def test_without_a_guard_the_page_says_that_it_does_not_know(site: Site, now: Instant) -> None:
    english = words(Language.ENGLISH)
    assert duty_page(site, None, None, now, english).sentence == "We do not know how the site is."
    assert "03:12" in duty_page(site, None, now, now, english).sentence


def test_the_cut_is_offered_while_it_would_shut_anything(site: Site, make: Make, now: Instant) -> None:
    def offered(posture: Posture) -> bool:
        return duty_page(site, make(posture), now, now, words(Language.ENGLISH)).cut is not None

    assert offered(Posture.NORMAL)
    assert offered(Posture.REOPENING)
    assert not offered(Posture.CONTAINED)


@pytest.mark.parametrize("language", Language)
def test_a_station_that_only_watches_says_so_and_how_to_cut_by_hand(
    site: Site, make: Make, now: Instant, language: Language, snapshot: SnapshotAssertion
) -> None:
    plan = ByHand(cut=("FortiGate in the cellar: unplug port 1 <red>",))
    beside = dataclasses.replace(site, placement=Placement.OBSERVER, by_hand=plan)
    status, spoken = make(enforcement_verified=None, placement=Placement.OBSERVER), words(language)
    page = duty_page(beside, status, now, now, spoken)
    assert (
        page.care,
        page.proof.text,
        tuple(each.text for deed in page.by_hand for each in deed.steps),
        page.labels["by-hand"],
    ) == snapshot
    assert page.proof.mood == "doubt"
    assert page.cut is None
    assert duty_page(beside, None, None, now, spoken).care == page.care
    asked = contain_page(beside, status, now, spoken, "csrf")
    assert (asked.may_contain, asked.by_hand) == (False, page.by_hand)
    html = rendered("contain.html", asked, around(beside, language))
    assert "&lt;red&gt;" in html
    assert 'action="/contain"' not in html
    assert duty_page(site, make(), now, now, spoken).by_hand == ()


def test_at_most_three_things_to_do(site: Site, make: Make, now: Instant, attack: IncidentStatus) -> None:
    waiting = [Proposal(id=str(n), incident="x", action="isolate", target="ward-pc-2") for n in range(5)]
    status = make(Posture.CONTAINED, incidents=[msgspec.structs.replace(attack, proposals=waiting)])
    tasks = duty_page(site, status, now, now, words(Language.ENGLISH)).tasks
    assert [task.text for task in tasks] == ["Decide whether to isolate Poste étage 2"] * 3
    assert duty_page(site, make(), now, now, words(Language.ENGLISH)).tasks == ()


def test_background_noise_is_only_counted(
    site: Site, make: Make, now: Instant, attack: IncidentStatus
) -> None:
    noise = msgspec.structs.replace(attack, id="noise", level=1)
    page = duty_page(site, make(incidents=[noise, noise]), now, now, words(Language.ENGLISH))
    assert page.happenings == ()
    assert page.background == "Background noise of the internet, only counted: 2."


def test_a_number_not_filled_in_is_no_link(site: Site, make: Make, now: Instant) -> None:
    page = duty_page(site, make(), now, now, words(Language.ENGLISH))
    assert page.call is not None
    assert page.call.link == "tel:0470000001"
    assert page.contacts[-1].link == ""
    assert page.contacts[-1].phone == "number to be filled in"


class Tags(HTMLParser):
    """Every tag and attribute name that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(f"{tag}@{name}" for name, _ in attrs)}


def test_hostile_text_adds_no_tag_and_no_control(
    site: Site, make: Make, now: Instant, attack: IncidentStatus, isolation: MeasureStatus
) -> None:
    def page(text: str) -> str:
        bad = msgspec.structs.replace(
            attack,
            id=text,
            actors=[text],
            accounts=[text],
            summary=Sentence("incident.guessing", {"assets": text, "accounts": text}),
            story=[
                (now, Sentence("story.other", {"title": text, "actor": text, "asset": text})),
                (now, Sentence(text)),
            ],
            proposals=[Proposal(id="1", incident="x", action=text, target=text)],
        )
        measure = msgspec.structs.replace(isolation, target=text, action=text)
        named = dataclasses.replace(
            site,
            name=text,
            openings=tuple(
                dataclasses.replace(
                    each, name=text, fallback=dataclasses.replace(each.fallback, text=text, phone=text)
                )
                for each in site.openings
            ),
        )
        status = make(Posture.CONTAINED, incidents=[bad], measures=[measure], enforcement_fault=text)
        duty = rendered(
            "duty.html", duty_page(named, status, now, now, words(Language.FRENCH)), around(named)
        )
        confirm = contain_page(named, make(), now, words(Language.FRENCH), "t", refusal=text, advice=text)
        return duty + rendered("contain.html", confirm, around(named))

    html = page(HOSTILE)
    assert Tags(html).seen == Tags(page("harmless")).seen
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "{{7*7}}" in html


def test_the_confirmation_says_what_stops_and_what_goes_on(
    site: Site, make: Make, now: Instant, snapshot: SnapshotAssertion
) -> None:
    page = contain_page(site, make(), now, words(Language.FRENCH), "token")
    assert page.stops[0].name == "Plateforme eHealth"
    assert "Télémaintenance" not in {stop.name for stop in page.stops}  # closed already
    assert "Téléphone" in page.filtered
    assert "Visiteurs" not in page.inside
    assert rendered("contain.html", page, around(site)) == snapshot


@pytest.mark.parametrize(
    ("standings", "mood", "said"),
    [
        (("goes-on", "goes-on"), "good", "Floors confirmed at"),
        (("goes-on", "unheard"), "doubt", "Not heard this shift: First floor"),
        (("troubled", "unheard"), "bad", "Care does not go on as it should: Ground"),
    ],
)
def test_what_the_wards_say_is_on_the_page(
    site: Site, make: Make, now: Instant, standings: tuple[str, str], mood: str, said: str
) -> None:
    wards = [
        WardStatus(id=name.lower(), name=name, phone=None, standing=standing, at=now)
        for name, standing in zip(("Ground", "First floor"), standings, strict=True)
    ]
    told = make(Posture.CONTAINED, care=CareStatus(wards=wards))
    page = duty_page(site, told, now, now, words(Language.ENGLISH))
    assert page.wards is not None
    assert (page.wards.mood, said in page.wards.text) == (mood, True)
    assert page.wards.text in rendered("duty.html", page, around(site))
    for posture in (Posture.NORMAL, Posture.WATCHFUL):
        calm = make(posture, care=CareStatus(wards=wards))
        assert duty_page(site, calm, now, now, words(Language.ENGLISH)).wards is None


def test_many_wards_to_call_are_one_thing_to_do_and_leave_room_for_the_numbers(
    site: Site, make: Make, now: Instant
) -> None:
    wards = [
        WardStatus(id=each.id, name=each.name, phone=each.phone, standing="unheard", at=None)
        for each in site.wards
    ]
    page = duty_page(
        site, make(Posture.CONTAINED, care=CareStatus(wards=wards)), now, now, words(Language.FRENCH)
    )
    first, numbers, *_ = page.tasks
    assert "Rez-de-chaussée" in first.text
    nothing = words(Language.FRENCH).say("word.no-number")
    plain = first.detail.replace("\u00a0", " ")
    assert plain == f"0470 00 00 11 · Premier étage 0470 00 00 12 · Deuxième étage {nothing}"
    assert "0470\u00a000\u00a000\u00a011" in first.detail
    assert first.link == "tel:0470000011"
    assert numbers.text == words(Language.FRENCH).say("task.numbers.text")


def shown(site: Site, status: Status, now: Instant, audience: Audience) -> str:
    page = duty_page(site, status, now, now, words(Language.ENGLISH), audience)
    return rendered("duty.html", page, around(site, Language.ENGLISH))


SECRETS = (
    "203.0.113.66",
    "dr.exemple",
    "212, from",
    "10.0.1.99",
    "Technicien de garde",
    "5f5f5f",
    "Journal root",
)


@pytest.mark.parametrize("audience", Audience)
def test_names_counts_and_detail_are_for_those_who_answer_for_them(
    site: Site, make: Make, now: Instant, attack: IncidentStatus, audience: Audience
) -> None:
    guessed = msgspec.structs.replace(
        attack,
        id="inc-2026-002",
        assets=["10.0.1.99"],
        summary=Sentence("incident.guessing", {"assets": "10.0.1.99", "accounts": "dr.exemple"}),
    )
    html = shown(site, make(Posture.CONTAINED, incidents=[attack, guessed]), now, audience)
    told = [secret for secret in SECRETS if secret in html]
    assert told == (list(SECRETS) if audience is Audience.INFORMED else [])
    assert ("/incidents/inc-2026-001" in html) is (audience is Audience.INFORMED)
    assert "Care files seem to have been opened in series from Poste étage 2." in html


@pytest.mark.parametrize("posture", Posture)
def test_orders_are_offered_to_those_from_whom_they_are_taken(
    site: Site, make: Make, now: Instant, posture: Posture
) -> None:
    def offered(audience: Audience) -> list[str]:
        html = shown(site, make(posture), now, audience)
        return [path for path in ("/care", "/contain") if f'href="{path}"' in html]

    night = {
        Posture.NORMAL: ["/contain"],
        Posture.CONTAINED: ["/care"],
    }.get(posture, ["/care", "/contain"])
    assert offered(Audience.NIGHT) == offered(Audience.INFORMED) == night
    assert offered(Audience.ONLOOKER) == []


@pytest.mark.parametrize("language", Language)
def test_the_cut_is_blamed_only_while_it_stands(
    site: Site, make: Make, now: Instant, language: Language
) -> None:
    spoken = words(language)
    cut, other = spoken.say("label.care"), spoken.say("label.broken")
    for beside in (site, dataclasses.replace(site, placement=Placement.OBSERVER)):
        reports = {
            posture: duty_page(beside, make(posture) if posture else None, now, now, spoken).report
            for posture in (*Posture, None)
        }
        assert reports == {
            Posture.NORMAL: "",
            Posture.WATCHFUL: other,
            Posture.CONTAINED: cut,
            Posture.REOPENING: cut,
            None: other,
        }


@pytest.mark.parametrize("language", Language)
def test_a_watch_that_says_nothing_is_told_and_is_something_to_do(
    site: Site, make: Make, now: Instant, language: Language
) -> None:
    status = make(unwatched=Instant(now - minutes(7)), day=Day(since=Instant(now - minutes(60))))
    page = duty_page(site, status, now, now, words(language))
    html = rendered("duty.html", page, around(site, language))
    assert words(language).say("task.unwatched.text") in html.replace("&#39;", "'")
    assert (page.posture, page.sentence) == ("unknown", words(language).say("posture.unwatched"))
    assert page.background == words(language).say("happening.unknown")
    assert board_page(site, status, now, now, words(language)).sentence == page.sentence
    cut = duty_page(site, make(Posture.CONTAINED, unwatched=now), now, now, words(language))
    assert cut.posture == "contained"
    assert page.unwatched
    assert page.unwatched in html.replace("&#39;", "'")
    assert words(language).say("digest.nothing-to-do") not in page.day
    assert duty_page(site, make(), now, now, words(language)).unwatched == ""


def test_whoever_only_looks_has_nothing_to_do(site: Site, make: Make, now: Instant) -> None:
    page = duty_page(site, make(Posture.CONTAINED), now, now, words(Language.ENGLISH), Audience.ONLOOKER)
    assert page.tasks == ()
    assert page.contacts[0].name == "Technician"


def test_blocked_care_leads_whoever_may_open_to_its_door(site: Site, make: Make, now: Instant) -> None:
    troubles = [
        TroubleStatus(
            id=f"t{number}",
            service=service,
            ail="down",
            ward="",
            note="",
            by="anne",
            at=now,
            settled=settled,
            remedy="",
        )
        for number, (service, settled) in enumerate((("lab", None), ("the lift", None), ("mail", now)))
    ]
    status = make(Posture.CONTAINED, care=CareStatus(troubles=troubles))
    english = words(Language.ENGLISH)
    tasks = duty_page(site, status, now, now, english, Audience.INFORMED).tasks
    assert [(task.text, task.link) for task in tasks[:2]] == [
        ("Care is blocked: Laboratoire", "/reopening#door-lab"),
        ("Care is blocked: the lift", "/care?trouble=t1"),
    ]
    night = duty_page(site, status, now, now, english, Audience.NIGHT).tasks
    assert not any("blocked" in task.text for task in night)


def test_while_nothing_is_cut_no_report_leads_to_a_door_that_nobody_shut(
    site: Site, make: Make, now: Instant
) -> None:
    trouble = TroubleStatus(
        id="t1", service="lab", ail="down", ward="", note="", by="a", at=now, settled=None, remedy=""
    )
    care = CareStatus(troubles=[trouble])

    def first(where: Site, posture: Posture) -> tuple[str, str]:
        told = make(posture, care=care)
        task, *_ = duty_page(where, told, now, now, words(Language.ENGLISH), Audience.INFORMED).tasks
        return task.text, task.link

    broken = ("Does not work: Laboratoire", "/care?trouble=t1")
    beside = dataclasses.replace(site, placement=Placement.OBSERVER)
    assert first(site, Posture.WATCHFUL) == broken
    assert first(beside, Posture.WATCHFUL) == broken
    assert first(beside, Posture.CONTAINED) == ("Care is blocked: Laboratoire", "/care?trouble=t1")


def tasks_of(site: Site, status: Status, *roles: Role, person: str = "") -> list[str]:
    here = signed_in(*roles)
    if person and here.visitor:
        here = dataclasses.replace(here, visitor=msgspec.structs.replace(here.visitor, person=person))
    page = duty_page(
        site, status, status.now, status.now, words(Language.ENGLISH), audience(here), tasked(here)
    )
    return [task.link for task in page.tasks]


def test_that_names_are_asked_for_is_told_to_whoever_may_agree_while_that_helps(
    site: Site, make: Make, now: Instant, attack: IncidentStatus
) -> None:
    asked = UnmaskingStatus(
        by="dpo", purpose="theft", asked=now, agreeable_until=Instant(now + minutes(60)), readable_until=None
    )

    def told(unmasking: UnmaskingStatus, role: Role, at: Instant = now) -> bool:
        incident = msgspec.structs.replace(attack, unmasking=unmasking)
        return "/masks" in tasks_of(site, make(Posture.CONTAINED, now=at, incidents=[incident]), role)

    assert {role for role in Role if told(asked, role)} == takers(orders.AgreeUnmasking)
    for mine, asks in (("dpo", False), ("somebody", True)):
        incident = msgspec.structs.replace(attack, unmasking=msgspec.structs.replace(asked, by=mine))
        status = make(Posture.CONTAINED, incidents=[incident])
        both = tasks_of(site, status, Role.PRIVACY_OFFICER, Role.TECHNICIAN, person="dpo")
        assert ("/masks" in both) is asks
    agreed = msgspec.structs.replace(asked, readable_until=Instant(now + minutes(90)))
    assert not told(agreed, Role.APPROVER)
    assert not told(asked, Role.APPROVER, Instant(now + minutes(60)))


def test_that_the_clock_leapt_is_told_to_whoever_may_say_that_it_is_right(
    site: Site, make: Make, now: Instant
) -> None:
    leapt = make(clock_leapt=now)
    asked = {role for role in Role if "/health#clock" in tasks_of(site, leapt, role)}
    assert asked == takers(orders.ConfirmClock)
    assert tasks_of(site, make(), Role.TECHNICIAN) == []


def test_the_day_is_summed_up_and_never_says_nothing_while_something_is_to_be_done(
    site: Site, make: Make, now: Instant
) -> None:
    day = Day(since=Instant(now - minutes(60)), incidents=37)
    english = words(Language.ENGLISH)
    assert duty_page(site, make(day=day), now, now, english).day == (
        "Nothing for you to do.",
        "37 attacks and attempts led nowhere, as far as the logs show.",
    )
    cut = duty_page(site, make(Posture.CONTAINED, day=day), now, now, english)
    assert cut.day == ("37 attacks and attempts led nowhere, as far as the logs show.",)
    assert duty_page(site, make(), now, now, english).day == ()


def test_contain_is_kindly_refused_to_whoever_only_looks(site: Site, make: Make, now: Instant) -> None:
    page = contain_page(site, make(), now, words(Language.ENGLISH), "csrf", audience=Audience.ONLOOKER)
    html = rendered("contain.html", page, around(site, Language.ENGLISH))
    assert "<form" not in html
    assert "Your account looks only" in html
    assert "tel:0470000001" in html


class Controls(HTMLParser):
    """The ids of what the keyboard reaches in the part of a page that is swapped."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str | None] = []
        self.feed(html[html.index("<main") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in ("a", "button", "summary", "select", "textarea") or (
            tag == "input" and told.get("type") != "hidden"
        ):
            self.ids.append(told.get("id"))


def test_every_control_has_an_id_of_its_own_that_does_not_hang_on_what_comes_before_it(
    site: Site, make: Make, now: Instant, attack: IncidentStatus
) -> None:
    """By it the focus comes back when a live page is swapped (static/live.js)."""
    proposed = Proposal(id="p1", incident=attack.id, action="isolate", target="10.0.1.12")
    one = msgspec.structs.replace(attack, id="inc-1", proposals=[proposed])
    graver = msgspec.structs.replace(attack, id="inc-2", level=4)
    trouble = TroubleStatus(
        id="t1", service="lab", ail="stopped", ward="", note="", by="anne", at=now, settled=None, remedy=""
    )
    clocks = [ClockStatus(incident="inc-1", duty=each, started=now, due=None) for each in ("a", "b")]
    wards = [WardStatus(id="ground", name="Ground", phone="0470 00 00 11", standing="unheard", at=None)]
    status = make(Posture.CONTAINED, incidents=[one], clocks=clocks, care=CareStatus(wards=wards))
    more = msgspec.structs.replace(
        status, incidents=[graver, one], care=CareStatus(wards=wards, troubles=[trouble])
    )
    few, many = (Controls(shown(site, each, now, Audience.INFORMED)).ids for each in (status, more))
    for ids in (few, many):
        assert None not in ids
        assert len(set(ids)) == len(ids)
    assert {"unfold-inc-1", "case-inc-1", "task-decide-p1", "task-ward-ground", "clock-inc-1-b"} <= set(few)
    assert set(many) - set(few) == {"unfold-inc-2", "case-inc-2", "task-trouble-t1"}
