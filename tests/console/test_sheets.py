"""Logs, rules, health and settings: what each says, in every language, also when a part does not answer."""

from collections.abc import Callable

import pytest

from rempart.accounts.person import Role
from rempart.console.app import rendered
from rempart.console.frame import frame
from rempart.console.health import Vitals, health_page
from rempart.console.rules import rules_page
from rempart.console.settings import settings_page
from rempart.console.sheet import Mood, SheetPage
from rempart.console.sources import sources_page
from rempart.console.words import words
from rempart.detection.inquiry import ProblemTold, RuleFilesTold, RulesTold, SourcesTold, SourceTold
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant, hours, seconds
from rempart.messages import Status
from rempart.site.site import Language, Site

ENGLISH = words(Language.ENGLISH)


def logs(now: Instant) -> SourcesTold:
    heard = SourceTold(
        source="/var/log/portal.log",
        decoder="nginx",
        last=now,
        days=[100, 50, 0, 0, 0, 0, 0],
        undecoded=3,
        silent=False,
        missing=False,
        every=seconds(864),
        pause=hours(5),
        patience=hours(7.5),
        failed=2,
        failed_at=812,
        failure="KeyError in nginx.py, line 88",
    )
    silent = SourceTold(
        source="/var/log/<b>x.log",
        decoder="syslog",
        last=Instant(now - hours(80)),
        days=[0, 0, 0, 9000, 9000, 9000, 9000],
        undecoded=0,
        silent=True,
        missing=True,
    )
    return SourcesTold(sources=[heard, silent])


def rules(free: int = 50 << 30) -> RulesTold:
    return RulesTold(
        levels={"high": 7},
        refused=[ProblemTold(what="a <b>x field", where="rules/x.yml, line 3", mend="Correct it.")],
        refused_more=4,
        waiting=[],
        waiting_more=0,
        current=RuleFilesTold(source="sigma.zip", sha256="ab" * 32, installed=Instant(0), files=3000),
        previous=None,
        indicators=12,
        free=free,
        disk=100 << 30,
    )


def lines(page: SheetPage) -> dict[str, Mood]:
    return {line.name: line.mood for card in page.cards for line in card.lines}


def vitals(now: Instant, status: Status | None) -> Vitals:
    return Vitals(
        status=status,
        seen=now,
        sources=logs(now),
        rules=rules(),
        clock=True,
        certificate=Instant(now + hours(24 * 90)),
    )


@pytest.mark.parametrize("language", Language)
def test_each_is_made_in_every_language_also_when_nobody_answers(
    language: Language, site: Site, make: Callable[..., Status], now: Instant
) -> None:
    spoken = words(language)
    nothing = Vitals(status=None, seen=None, sources=None, rules=None, clock=None, certificate=None)
    for page in (
        sources_page(logs(now), spoken, now),
        sources_page(None, spoken, now),
        rules_page(rules(), spoken, now),
        rules_page(None, spoken, now),
        health_page(site, vitals(now, make()), spoken, now),
        health_page(site, nothing, spoken, now),
        settings_page(site, spoken),
    ):
        html = rendered("sheet.html", page, frame(site, spoken))
        assert "<b>x" not in html
        assert f'aria-current="page">{page.title}' in html


def test_a_silent_log_comes_first_and_is_told_to_be_silent(now: Instant) -> None:
    page = sources_page(logs(now), ENGLISH, now)
    assert "Silent logs: 1." in page.cards[0].title
    first, second = page.cards[0].lines
    assert (first.mood, first.word) == (Mood.BAD, "silent for too long")
    assert second.notes[1:] == (
        "last line 03:12",
        "lines today: 100",
        "on average a line every 14 min; longest pause 5 h; silent after 7 h",
        "a day before: 50",
        "not understood: 2 %",
        "a defect of ours met 2 lines; the last: line 812, KeyError in nginx.py, line 88",
    )


def test_health_names_what_needs_somebody(site: Site, make: Callable[..., Status], now: Instant) -> None:
    well = lines(health_page(site, vitals(now, make()), ENGLISH, now))
    assert well["Guard (decides and enforces)"] is Mood.GOOD
    assert well["Wall and proxy"] is Mood.GOOD
    assert well["Logs"] is Mood.BAD
    assert well["Disk of the logs"] is Mood.GOOD
    assert well["Certificate of these pages"] is Mood.GOOD
    ill = Vitals(
        status=make(enforcement_fault="the table is gone"),
        seen=now,
        sources=None,
        rules=rules(free=1 << 30),
        clock=False,
        certificate=Instant(now + hours(24)),
    )
    found = lines(health_page(site, ill, ENGLISH, now))
    for part in ("Wall and proxy", "Disk of the logs", "Clock", "Certificate of these pages"):
        assert found[part] is Mood.BAD, part
    none = Vitals(status=None, seen=None, sources=None, rules=None, clock=None, certificate=None)
    silent = lines(health_page(site, none, ENGLISH, now))
    assert silent["Guard (decides and enforces)"] is Mood.BAD
    assert silent["Wall and proxy"] is Mood.UNKNOWN


def test_refused_rules_are_named_with_their_reason(now: Instant) -> None:
    page = rules_page(rules(), ENGLISH, now)
    refused = page.cards[2]
    assert refused.title == "Refused: 5"
    assert refused.lines[0].notes == ("rules/x.yml, line 3", "Correct it.")
    assert refused.lines[-1].name == "and 4 more"


def test_a_clock_that_leapt_is_said_whatever_the_kernel_says(
    site: Site, make: Callable[..., Status], now: Instant
) -> None:
    told = vitals(now, make(clock_leapt=now))
    assert lines(health_page(site, told, ENGLISH, now))["Clock"] is Mood.BAD


def test_the_technician_alone_is_offered_to_say_that_the_date_is_right(
    site: Site, make: Callable[..., Status], now: Instant
) -> None:
    leapt, right = vitals(now, make(clock_leapt=now)), vitals(now, make())
    offered = {role for role in Role if health_page(site, leapt, ENGLISH, now, [role]).act}
    assert offered == takers(orders.ConfirmClock)
    assert health_page(site, right, ENGLISH, now, [Role.TECHNICIAN]).act is None
    for language in Language:
        spoken = words(language)
        page = health_page(site, leapt, spoken, now, [Role.TECHNICIAN])
        assert page.act
        assert "2026" in page.act.lead
        html = rendered("sheet.html", page, frame(site, spoken))
        assert 'action="/health/clock"' in html
        assert "{" not in html.split("<main")[1]


def test_what_one_status_could_not_take_is_said(
    site: Site, make: Callable[..., Status], now: Instant
) -> None:
    told = vitals(now, make(left_off={"measures": 300, "incidents": 2}))
    assert lines(health_page(site, told, ENGLISH, now))["Pages"] is Mood.BAD
    assert "Pages" not in lines(health_page(site, vitals(now, make()), ENGLISH, now))


def test_a_defect_that_lines_brought_out_is_said_loudly(
    site: Site, make: Callable[..., Status], now: Instant
) -> None:
    assert lines(health_page(site, vitals(now, make()), ENGLISH, now))["Reading"] is Mood.BAD


def test_a_watch_that_starts_says_how_far_it_is(
    site: Site, make: Callable[..., Status], now: Instant
) -> None:
    starting = make(rebuilding=(12, 900))
    (watch,) = [
        line
        for card in health_page(site, vitals(now, starting), ENGLISH, now).cards
        for line in card.lines
        if line.name.startswith("Watch")
    ]
    assert watch.mood is Mood.UNKNOWN
    assert "12 of 900" in watch.notes[0]
