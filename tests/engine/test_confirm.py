"""Changes that fall back unless somebody confirms them, barriers, and deadlines that wait for somebody to be there."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from engine.home import NOW, SITE
from engine.test_step import Talk, contained, reopen
from rempart.containment.measure import Enforcement, Stand
from rempart.engine import facts, orders
from rempart.engine.deadline import staffed
from rempart.engine.inputs import Enforce, Seal
from rempart.engine.state import Posture, State, enforcement, initial
from rempart.instants import after, from_datetime, hours, minutes, seconds
from rempart.site.hours import Hours
from rempart.site.opening import OpeningState

OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


def stops(state: State) -> Enforcement:
    """What the state stops and lets through, without what the public is told beside it."""
    return replace(enforcement(state), closed_since={}, news_at=None)


def test_a_cut_that_nobody_confirms_leaves_everything_as_it_was() -> None:
    talk = Talk()
    before = stops(talk.state)
    talk.order(orders.Contain(by="Alex", confirm_within=60))
    wanted = stops(talk.state)
    assert wanted.contained_until == after(talk.now, seconds(60))
    assert wanted.stands["browsing"] == Stand(state=CLOSED, until=wanted.contained_until, then=OPEN)
    assert wanted.stands["telephone"].state is FILTERED
    assert wanted.stands["maintenance"] == Stand(state=CLOSED)
    talk.wait(after(talk.now, seconds(60)))
    assert stops(talk.state) == before
    assert talk.state.posture is Posture.NORMAL
    assert isinstance(
        talk.commands[0], Seal
    )  # the kernel has done it; the journal says it first all the same
    assert isinstance(talk.sealed[-1], facts.FellBack) or facts.FellBack in map(type, talk.sealed)


def test_what_is_confirmed_stays() -> None:
    talk = Talk().order(orders.Contain(by="Alex", confirm_within=60)).order(orders.Confirm(by="Alex"))
    talk.wait(after(talk.now, hours(1)))
    assert stops(talk.state) == stops(Talk().order(orders.Contain(by="Alex")).state)


def test_nothing_else_reopens_when_a_change_falls_back() -> None:
    talk = Talk().order(orders.SetOpening(by="Alex", opening="website", state=CLOSED))
    talk.order(orders.Block(by="Alex", target="198.51.100.66"))
    talk.order(orders.Contain(by="Alex", confirm_within=60))
    talk.order(orders.SetOpening(by="Alex", opening="browsing", state=CLOSED))
    talk.wait(after(talk.now, seconds(60)))
    assert talk.stands("website") is CLOSED
    assert talk.stands("browsing") is CLOSED  # closed by itself meanwhile
    assert talk.stands("ehealth") is OPEN
    assert "198.51.100.66" in talk.state.blocked


def test_a_cut_for_good_wins_over_one_that_waits() -> None:
    talk = Talk().order(orders.Contain(by="Alex", confirm_within=60)).order(orders.Contain(by="Night nurse"))
    talk.wait(after(talk.now, hours(1)))
    assert talk.state.contained
    assert talk.stands("browsing") is CLOSED


def test_a_cut_that_stands_is_not_ended_by_one_that_nobody_confirms() -> None:
    talk = contained()
    talk.order(
        orders.Reopen(by="Alex", opening="ehealth", state=OPEN, seconds=600, override=True, reason="vital")
    )
    talk.order(orders.Contain(by="Alex", confirm_within=60))
    assert talk.stands("ehealth") is CLOSED
    talk.wait(after(talk.now, seconds(60)))
    assert talk.state.contained
    assert talk.stands("browsing") is CLOSED
    assert talk.stands("ehealth") is CLOSED  # the trial would have ended closed: no more open than that


@pytest.mark.parametrize(
    "order",
    [
        orders.Block(by="Alex", target="198.51.100.66", confirm_within=60),
        orders.Isolate(by="Alex", asset="ward-pc", confirm_within=60),
        orders.Bar(by="Alex", passage="wards>servers", confirm_within=60),
        orders.SetOpening(by="Alex", opening="portal", state=CLOSED, confirm_within=60),
    ],
)
def test_smaller_cuts_fall_back_or_stay_likewise(order: orders.AnyOrder) -> None:
    before = stops(initial(SITE))
    talk = Talk().order(order)
    assert stops(talk.state) != before
    assert stops(talk.wait(after(talk.now, seconds(60))).state) == before
    kept = Talk().order(order).order(orders.Confirm(by="Alex"))
    settled = stops(kept.state)
    assert stops(kept.wait(after(kept.now, hours(30))).state) == settled != before


@pytest.mark.parametrize(
    "stands",
    [
        orders.Block(by="Alex", target="198.51.100.66"),
        orders.Isolate(by="Alex", asset="ward-pc"),
        orders.Bar(by="Alex", passage="wards>servers"),
    ],
)
@pytest.mark.parametrize("shorter", [{"seconds": 1}, {"confirm_within": 10}])
def test_a_measure_that_stands_is_not_shortened_by_the_same_order(
    stands: orders.Tightening, shorter: dict[str, int]
) -> None:
    """Whoever may put a measure needs no passkey; whoever lifts it does."""
    talk = Talk().order(stands)  # type: ignore[arg-type]  # each is an order
    before = stops(talk.state)
    talk.order(structs.replace(stands, **shorter))  # type: ignore[arg-type]
    assert not talk.refusals()
    assert stops(talk.wait(after(talk.now, hours(1))).state) == before


def test_a_measure_that_ends_is_made_longer() -> None:
    talk = Talk().order(orders.Block(by="Alex", target="198.51.100.66", seconds=60))
    talk.order(orders.Block(by="Alex", target="198.51.100.66", seconds=600))
    assert "198.51.100.66" in talk.wait(after(talk.now, minutes(5))).state.blocked
    talk.order(orders.Block(by="Alex", target="198.51.100.66"))
    assert talk.state.blocked["198.51.100.66"].until is None


@pytest.mark.parametrize(
    ("order", "opening"),
    [
        (orders.Contain(by="Alex", confirm_within=3600), "browsing"),
        (orders.SetOpening(by="Alex", opening="portal", state=CLOSED, confirm_within=3600), "portal"),
        (
            orders.CloseLifeline(
                by="Alex", opening="telephone", fallback_confirmed=True, confirm_within=3600
            ),
            "telephone",
        ),
    ],
)
def test_what_waits_for_a_confirmation_falls_back_no_sooner_for_being_ordered_again(
    order: orders.Tightening, opening: str
) -> None:
    talk = Talk().order(order)  # type: ignore[arg-type]  # each is an order
    shut = talk.stands(opening)
    talk.order(structs.replace(order, confirm_within=10))  # type: ignore[arg-type]
    assert talk.wait(after(talk.now, minutes(30))).stands(opening) is shut
    assert talk.wait(after(talk.now, minutes(31))).stands(opening) is not shut


def test_what_needs_no_confirmation_is_refused_one() -> None:
    talk = Talk()
    assert talk.order(orders.Confirm(by="Alex")).refusals()
    talk.order(orders.SetOpening(by="Alex", opening="portal", state=CLOSED))
    assert talk.order(
        orders.SetOpening(by="Alex", opening="portal", state=OPEN, confirm_within=60)
    ).refusals()
    both = orders.Isolate(by="Alex", asset="ward-pc", seconds=60, confirm_within=60)
    assert talk.order(both).refusals()


# -- barriers ----------------------------------------------------------------------------------------------------


def test_a_zone_is_shut_off_from_another_and_let_in_again() -> None:
    talk = Talk().order(orders.Bar(by="Alex", passage="wards>servers", reason="worm"))
    assert stops(talk.state).barred == {"wards>servers": None}
    talk.order(orders.Unbar(by="Alex", passage="wards>servers"))
    assert stops(talk.state).barred == {}
    assert isinstance(talk.commands[0], Seal)
    assert isinstance(talk.commands[1], Enforce)


@pytest.mark.parametrize("passage", ["servers>wards", "telephone:in", "portal:in", "nowhere", "a>b>c", ""])
def test_passages_that_cannot_be_barred_are_refused_with_the_reason(passage: str) -> None:
    """One that is shut already, a lifeline's, an opening of one way only, and none."""
    talk = Talk().order(orders.Bar(by="Alex", passage=passage))
    assert talk.refusals()[0].what
    assert talk.refusals()[0].now


# -- hours -------------------------------------------------------------------------------------------------------

WEEK = Hours()
FRIDAY_EVENING = from_datetime(datetime(2026, 11, 27, 18, 30, tzinfo=UTC))
MONDAY_MORNING = from_datetime(datetime(2026, 11, 30, 7, 0, tzinfo=UTC))  # eight o'clock in Belgium


def test_a_deadline_at_night_waits_for_somebody_to_be_there() -> None:
    assert staffed(WEEK, FRIDAY_EVENING) == MONDAY_MORNING
    assert staffed(WEEK, after(MONDAY_MORNING, hours(2))) == after(MONDAY_MORNING, hours(2))
    assert staffed(Hours(days=()), FRIDAY_EVENING) == FRIDAY_EVENING
    summer = from_datetime(datetime(2026, 3, 28, 20, 0, tzinfo=UTC))  # the clock changes that night
    assert staffed(WEEK, summer) == from_datetime(datetime(2026, 3, 30, 6, 0, tzinfo=UTC))


SUNDAYS = Hours(days=(7,))


@pytest.mark.parametrize(
    ("when", "at", "then"),
    [
        # From Saturday evening over the change of the clock: eight o'clock is eight o'clock.
        (SUNDAYS, datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)),
        (SUNDAYS, datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        (SUNDAYS, datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)),
        (SUNDAYS, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        # From two to three, which that Sunday does not have: a week later.
        (
            Hours(days=(7,), begins=120, ends=180),
            datetime(2026, 3, 28, 20, tzinfo=UTC),
            datetime(2026, 4, 5, 0, tzinfo=UTC),
        ),
        (Hours(days=(2,)), datetime(2028, 2, 28, 20, tzinfo=UTC), datetime(2028, 2, 29, 7, tzinfo=UTC)),
        # Nobody comes on New Year's Day, which is a Friday; whoever says so does.
        (WEEK, datetime(2026, 12, 31, 17, tzinfo=UTC), datetime(2027, 1, 4, 7, tzinfo=UTC)),
        (Hours(holidays=True), datetime(2026, 12, 31, 17, tzinfo=UTC), datetime(2027, 1, 1, 7, tzinfo=UTC)),
        (
            Hours(days=(1,)),
            datetime(2027, 3, 26, 17, tzinfo=UTC),
            datetime(2027, 4, 5, 6, tzinfo=UTC),
        ),  # Easter
        # Half past two: skipped in March, so from three; told twice in October, and both times somebody is there.
        (
            Hours(days=(7,), begins=150),
            datetime(2027, 3, 28, 0, 40, tzinfo=UTC),
            datetime(2027, 3, 28, 1, tzinfo=UTC),
        ),
        (
            Hours(days=(7,), begins=150),
            datetime(2027, 10, 31, 1, 10, tzinfo=UTC),
            datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
        ),
        (
            Hours(days=(7,), begins=60, ends=150),
            datetime(2027, 10, 31, 0, 40, tzinfo=UTC),
            datetime(2027, 10, 31, 1, tzinfo=UTC),
        ),
        (WEEK, datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), datetime(2038, 1, 19, 7, tzinfo=UTC)),
        (
            Hours(days=(1,), begins=0, ends=1440),
            datetime(2026, 11, 30, 23, tzinfo=UTC),
            datetime(2026, 12, 6, 23, tzinfo=UTC),
        ),
    ],
)
def test_staffed_hours_begin_when_the_clock_on_the_wall_says_so(
    when: Hours, at: datetime, then: datetime
) -> None:
    assert staffed(when, from_datetime(at)) == from_datetime(then)


def test_a_person_s_block_ends_when_somebody_is_there_and_is_announced_twice() -> None:
    talk = Talk()
    talk.terms = replace(talk.terms, site=replace(SITE, hours=WEEK))
    talk.now = FRIDAY_EVENING
    talk.order(orders.Block(by="Alex", target="198.51.100.66", seconds=3600))
    assert talk.state.blocked["198.51.100.66"].until == MONDAY_MORNING
    for before in (minutes(241), minutes(240), minutes(60), minutes(59)):
        talk.wait(
            after(MONDAY_MORNING, minutes(0)) if not before else type(talk.now)(MONDAY_MORNING - before)
        )
    announced = [fact.hours for fact in talk.sealed if isinstance(fact, facts.DeadlineNears)]
    assert announced == [4, 1]
    talk.wait(MONDAY_MORNING)
    assert "198.51.100.66" not in talk.state.blocked


def test_a_short_trial_is_not_announced_as_late() -> None:
    talk = reopen(contained(), "ehealth", length=1800)
    talk.wait(after(NOW, hours(1)))
    assert not any(isinstance(fact, facts.DeadlineNears) for fact in talk.sealed)
