"""The report of a search: counted in bounded memory, laid out in time, and told in order of urgency."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection import timeline
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.meaning import Meaning
from rempart.detection.report import NAMED, Report
from rempart.detection.rule import RuleCard
from rempart.detection.tactic import Tactic
from rempart.detection.tally import EXAMPLES, NAMES, Tally
from rempart.detection.timeline import WIDTH, Moments, between, draw, roughly
from rempart.errors import Problem
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Duration, Instant, after, from_datetime, hours, seconds

START = from_datetime(datetime(2026, 11, 20, 16, 40, tzinfo=UTC))


def card(name: str = "r", level: Level = Level.HIGH, *tags: str) -> RuleCard:
    return RuleCard(
        id=name,
        name="",
        title=f"Title of {name}",
        level=level,
        author="A. Person",
        tags=tags,
        path="rules/r.yml",
        meaning=Meaning(),
        license="DRL-1.1",
    )


def seen(of: RuleCard, *things: Observable, value: str = "v") -> Finding:
    return Finding(
        id="i",
        rule=of.id,
        title=of.title,
        level=of.level,
        kind=Kind.OTHER,
        outcome=Outcome.ATTEMPT,
        time=START,
        source="a.ndjson",
        record=7,
        spoofable=False,
        observables=things,
        proofs=(Proof("Image", value),),
        tags=of.tags,
        author=of.author,
    )


def machine(name: str) -> Observable:
    return Observable(ObservableKind.HOST, Role.VICTIM, name)


def account(name: str) -> Observable:
    return Observable(ObservableKind.ACCOUNT, Role.VICTIM, name)


def page(tally: Tally, *problems: Problem) -> Report:
    return Report.of(tally, events=100, logs=2, problems=problems, unread=len(problems))


def test_the_gravest_rule_comes_first_then_the_most_frequent() -> None:
    tally = Tally()
    for name, level, times in (("low", Level.LOW, 9), ("seldom", Level.HIGH, 1), ("often", Level.HIGH, 2)):
        for _ in range(times):
            tally.add(card(name, level), seen(card(name, level)), START)
    made = page(tally)
    assert [entry.id for entry in made.entries] == ["often", "seldom", "low"]
    assert made.headline == "Have somebody look at this today."
    assert (made.findings, made.levels) == (12, [(Level.HIGH, 3), (Level.LOW, 9)])


def test_a_rule_counts_for_each_of_its_tactics_and_one_without_is_not_lost() -> None:
    tally = Tally()
    for each in (card("a", Level.LOW, "attack.impact", "attack.execution"), card("b", Level.MEDIUM)):
        tally.add(each, seen(each), START)
    assert [(each.tactic, each.findings) for each in tally.shares()] == [
        (Tactic.EXECUTION, 1),
        (Tactic.IMPACT, 1),
        (None, 1),
    ]
    assert [lane.tactic for lane in page(tally).drawing.lanes] == [Tactic.EXECUTION, Tactic.IMPACT, None]


def test_an_entry_tells_all_that_is_needed_to_look() -> None:
    tally, rule = Tally(), card("r", Level.HIGH, "attack.impact", "attack.t1490")
    tally.add(rule, seen(rule, machine("PC-07"), account("anna")), START)
    tally.add(rule, seen(rule, machine("PC-07"), account("bert")), after(START, hours(1)))
    (entry,) = page(tally).entries
    assert entry.seen == "A program was started that attackers use too."
    assert entry.said.startswith("It usually means that backups are being removed")
    assert (entry.machines, entry.accounts) == ("PC-07", "anna, bert")
    assert entry.when == "20 Nov 2026, 16:40:00 to 17:40:00"
    assert (entry.author, entry.license, entry.tactics, entry.techniques) == (
        "A. Person",
        "DRL-1.1",
        ("Impact",),
        ("T1490",),
    )
    assert entry.examples[0].place == "a.ndjson:7"
    assert entry.examples[0].proofs == (("Image", "v"),)


def test_what_was_not_read_is_on_the_page() -> None:
    made = page(Tally(), Problem("breaks off", "x.evtx", "Copy it again."))
    assert made.headline == "The rules found nothing."
    assert (made.problems[0].where, made.unread, made.when) == ("x.evtx", 1, "")


def test_findings_without_a_time_are_counted_and_said_not_to_be_drawn() -> None:
    tally = Tally()
    tally.add(card(), seen(card()), None)
    made = page(tally)
    assert (made.untimed, made.drawing.lanes, made.findings, made.entries[0].when) == (True, (), 1, "")


def test_a_flood_does_not_grow_the_tally() -> None:
    tally = Tally()
    for number in range(3000):
        tally.add(
            card(), seen(card(), machine(f"pc{number}"), account(f"a{number}")), after(START, seconds(number))
        )
    (fired,) = tally.rules()
    assert (fired.count, len(fired.examples), len(fired.machines), len(fired.accounts)) == (
        3000,
        EXAMPLES,
        NAMES,
        NAMES,
    )
    assert page(tally).entries[0].machines.endswith(f"and {NAMES - NAMED} or more others")


@given(st.text(max_size=300), st.text(max_size=300))
def test_hostile_text_is_cut_and_visible(name: str, value: str) -> None:
    tally, rule = Tally(), card()
    tally.add(rule, seen(rule, machine(name), value=value), START)
    (entry,) = page(tally).entries
    for text in (entry.machines, entry.examples[0].proofs[0][1]):
        assert all(char.isprintable() or char in "\u00a0\u202f" for char in text)


# -- the drawing --------------------------------------------------------------------------------------------------


def moments(*times: Instant) -> Moments:
    made = Moments()
    for time in times:
        made.add([Tactic.IMPACT], time, Level.HIGH)
    return made


def test_a_long_silence_is_folded_and_told() -> None:
    day = hours(24)
    busy = [after(START, Duration(hours(1) * n // 60)) for n in range(60)]
    drawing = draw(moments(*busy, *(after(each, Duration(41 * day)) for each in busy)))
    assert [silence.told for silence in drawing.silences] == ["41 days"]
    (lane,) = drawing.lanes
    middle = drawing.silences[0].x
    assert (lane.marks[0].x < middle < lane.marks[-1].x, lane.count) == (True, 120)
    days = [tick.day for tick in drawing.ticks if tick.day]
    assert days == ["20 Nov 2026", "31 Dec 2026"]


def test_a_steady_hour_has_round_ticks() -> None:
    drawing = draw(moments(*(after(START, seconds(10 * n)) for n in range(360))))
    assert [tick.clock for tick in drawing.ticks][:3] == ["16:40", "17:00", "17:15"]
    assert drawing.silences == ()


def test_years_have_ticks_at_the_first_of_a_month() -> None:
    drawing = draw(moments(*(after(START, Duration(hours(24) * n)) for n in range(0, 900, 9))))
    assert [tick.day for tick in drawing.ticks][1:4] == ["1 Apr 2027", "1 Jul 2027", "1 Oct 2027"]


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw(Moments()).lanes == ()


_EVER = st.integers(
    from_datetime(datetime(1, 1, 1, tzinfo=UTC)),
    from_datetime(datetime(9999, 12, 31, 23, 59, 58, tzinfo=UTC)),
)


@given(st.lists(_EVER.map(Instant), min_size=1, max_size=40))
def test_whatever_the_clocks_say_all_is_counted_once_and_lies_on_the_axis_in_order(
    times: list[Instant],
) -> None:
    drawing = draw(moments(*times))
    (lane,) = drawing.lanes
    places = [mark.x for mark in lane.marks]
    assert sum(mark.count for mark in lane.marks) == len(times)
    assert places == sorted(places)
    assert all(0 <= x <= WIDTH + 5 for x in places)
    ticks = [tick.x for tick in drawing.ticks]
    assert ticks == sorted(ticks)
    assert all(beyond - before > 30 for before, beyond in pairwise(ticks))


def test_cells_are_doubled_rather_than_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_CELLS", 50)
    made = moments(*(after(START, seconds(n)) for n in range(1000)))
    assert len(made.cells) <= 50
    assert sum(cell.count for cell in made.cells.values()) == 1000
    assert made.length == seconds(32)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (seconds(1), "1 second"),
        (seconds(59), "59 seconds"),
        (hours(1), "1 hour"),
        (hours(50), "2 days"),
        (hours(9000), "1 year"),
        (0, "a moment"),
    ],
)
def test_lengths_are_told_as_people_say_them(length: int, said: str) -> None:
    assert roughly(length) == said


def test_moments_apart_by_days_name_both_days_and_by_weeks_only_them() -> None:
    assert between(START, after(START, Duration(9))) == "20 Nov 2026, 16:40:00"
    assert between(START, after(START, hours(24))) == "20 Nov 2026, 16:40:00 to 21 Nov 2026, 16:40:00"
    assert between(START, after(START, hours(24 * 40))) == "20 Nov 2026 to 30 Dec 2026"
