"""Time as conversations: what cannot be undone waits while the clock is not believed; a person has the last word."""

import pytest

from engine.home import NOW, SITE
from engine.test_retention import DAYS, FILE, SHA256, House
from rempart.detection.finding import Finding
from rempart.engine import facts, listening, orders
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Listened, Ordered, Refuse, Started, Ticked
from rempart.engine.orders import AnyOrder
from rempart.engine.state import initial
from rempart.engine.tell import CLOCK, RETURNED
from rempart.engine.timekeeping import LEAP, Reckoning
from rempart.instants import Duration, Instant, after, hours, minutes, parse_rfc3339, seconds
from rempart.telling.alert import AlertState, Urgency

YEARS = hours(24 * 365 * 6)
DAY = hours(24)
_REBOOT = minutes(1)
BOOTED = hours(5)
"""How long the box was up when the guard first said so."""


class Box(House):
    """A house on a box with a clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.lived = BOOTED
        super().__init__()
        self.kept_right: bool | None = True
        self.tick()

    def give(self, *given: AnyOrder | Finding) -> "House":
        super().give(*given)
        self.lived = Duration(self.lived + minutes(len(given)))
        return self

    def tick(self) -> "Box":
        self.tell(Ticked(self.now, Reckoning(lived=self.lived, kept_right=self.kept_right)))
        return self

    def live(self, time: Duration) -> "Box":
        """Time passes, and both clocks show it."""
        self.now, self.lived = after(self.now, time), Duration(self.lived + time)
        return self.tick().tick()

    def leap(self, time: Duration) -> "Box":
        """Somebody or something sets the clock."""
        self.now = after(self.now, time)
        return self.tick().tick()

    def restart(self, off: Duration = _REBOOT) -> "Box":
        """The box is off for a while, and boots."""
        self.now, self.lived = after(self.now, off), seconds(20)
        self.tell(Started(self.now))
        return self.tick().tick()

    def confirm(self) -> "Box":
        self.tell(Ordered(self.now, orders.ConfirmClock(by="Anne", reason="the calendar says so")))
        return self.tick().tick()


def box() -> Box:
    house = Box()
    house.give(FILE)
    house.live(DAY)  # what is over is sealed, and the incident is closed
    return house


def test_a_clock_that_leaps_ahead_erases_nothing_and_asks_a_person_once() -> None:
    house = box().leap(YEARS)
    assert house.erased == []
    (leapt,) = house.sealed(facts.ClockLeapt)
    assert isinstance(leapt, facts.ClockLeapt)
    assert (leapt.at, leapt.believed) == (house.now, Instant(house.now - YEARS))
    alert = house.state.alerts[CLOCK]
    assert alert.about.arguments == {"days": 6 * 365}
    house.live(DAY).live(DAY)
    assert house.erased == []
    assert len(house.sealed(facts.ClockLeapt)) == 1


def test_a_person_who_looked_at_a_calendar_has_the_last_word() -> None:
    house = box().leap(YEARS).confirm()
    assert house.erased == [SHA256]
    assert house.state.alerts[CLOCK].state is AlertState.OVER
    (confirmed,) = house.sealed(facts.ClockConfirmed)
    assert isinstance(confirmed, facts.ClockConfirmed)
    assert confirmed.by == "Anne"


def test_a_clock_that_is_set_right_again_is_believed_again() -> None:
    house = box().leap(YEARS).live(DAY).leap(Duration(-YEARS))
    assert house.erased == []
    assert house.state.timekeeping.leapt is None
    assert house.state.alerts[CLOCK].state is AlertState.OVER
    house.live(hours(24 * DAYS))
    assert house.erased == [SHA256]


def test_a_leap_while_the_box_was_off_is_seen_at_the_start_and_outlives_restarts() -> None:
    house = box().restart(off=YEARS)
    assert house.erased == []
    assert house.sealed(facts.ClockLeapt)
    house.restart().live(DAY).restart()
    assert house.erased == []
    assert len(house.sealed(facts.ClockLeapt)) == 1
    assert house.confirm().erased == [SHA256]


def test_many_small_leaps_of_one_run_are_one_large_one() -> None:
    house = box()
    for _ in range(12 * 30):
        house.leap(hours(24 * 6))
    assert house.erased == []
    assert house.state.timekeeping.leapt is not None


def test_a_long_week_end_without_power_asks_nobody() -> None:
    house = box().restart(off=hours(24 * 4)).live(DAY)
    assert house.sealed(facts.ClockLeapt) == []
    house.live(hours(24 * DAYS))
    assert house.erased == [SHA256]


@pytest.mark.parametrize(("kept_right", "erased"), [(True, [SHA256]), (None, [SHA256]), (False, [])])
def test_a_clock_that_nothing_keeps_right_erases_nothing(kept_right: bool | None, erased: list[str]) -> None:
    house = box()
    house.kept_right = kept_right
    house.live(hours(24 * DAYS))
    assert house.erased == erased
    house.kept_right = True
    assert house.live(minutes(1)).erased == [SHA256]


def test_what_was_sealed_between_the_leap_and_the_next_tick_is_not_believed_either() -> None:
    house = box()
    house.now = after(house.now, YEARS)
    house.tell(Ordered(house.now, orders.CommentIncident(by="Anne", incident=FILE.incident, text="odd")))
    house.tick().restart()
    assert house.erased == []
    assert house.state.timekeeping.last < after(NOW, hours(48))


def test_a_box_that_starts_years_behind_and_is_told_the_time_asks_nobody() -> None:
    house = box().restart(off=Duration(-YEARS)).leap(Duration(YEARS + minutes(2)))
    assert house.sealed(facts.ClockLeapt) == []
    assert house.leap(YEARS).sealed(facts.ClockLeapt)
    assert house.erased == []


def test_only_a_doubted_clock_can_be_confirmed() -> None:
    house = box()
    house.tell(Ordered(house.now, orders.ConfirmClock(by="Anne")))
    (refused,) = [said for said in house.said if isinstance(said, Refuse)]
    assert refused.said.key == "clock-not-doubted"


def test_a_file_goes_no_earlier_than_a_leap_that_is_believed() -> None:
    house = box().live(hours(24 * (DAYS - 9)))
    assert house.leap(LEAP).erased == []
    assert house.live(hours(48)).erased == [SHA256]


@pytest.mark.parametrize(
    "turn",
    [
        "2026-10-25T01:00:00Z",  # summer time ends in Belgium
        "2027-03-28T01:00:00Z",  # and begins
        "2016-12-31T23:59:59Z",  # before the last leap second
        "2027-12-31T23:59:59Z",
        "2028-02-29T23:59:59Z",
    ],
)
def test_the_turns_of_the_calendar_are_no_leaps(turn: str) -> None:
    house = box()
    house.now = Instant(parse_rfc3339(turn) - minutes(1))
    house.restart().confirm()
    sealed = len(house.sealed(facts.ClockLeapt))
    for _ in range(240):
        house.live(minutes(1))
    house.leap(seconds(-1)).leap(seconds(1)).leap(hours(1)).leap(Duration(-hours(1)))
    assert len(house.sealed(facts.ClockLeapt)) == sealed
    assert house.state.timekeeping.leapt is None


def test_a_journal_tells_the_same_of_the_clock_as_the_one_who_lived_it() -> None:
    house = Box()
    house.leap(YEARS)
    sealed = [fact for each in house.said if hasattr(each, "facts") for fact in each.facts]
    assert folded(initial(SITE), SITE, sealed).timekeeping == house.state.timekeeping


def test_after_a_clock_that_was_ahead_each_day_is_summed_up_again() -> None:
    house = box().leap(YEARS).live(DAY).leap(Duration(-YEARS))
    before = len(house.sealed(facts.DayEnded))
    for _ in range(3):
        house.live(DAY)
    assert len(house.sealed(facts.DayEnded)) - before >= 3
    assert house.state.day.since <= house.now


def test_after_a_clock_that_was_ahead_logs_that_fall_silent_are_told_again() -> None:
    path = next(iter(listening.OWN))

    def silent(house: Box) -> list[object]:
        house.tell(Listened(house.now, frozenset({path})))
        house.live(DAY)
        house.tell(Listened(house.now, frozenset()))
        house.live(DAY)
        return house.sealed(facts.LogsTurned)

    house = box()
    usual = len(silent(house))
    house.leap(YEARS)
    ahead = len(silent(house))
    house.leap(Duration(-YEARS))
    assert usual
    assert ahead > usual
    assert len(silent(house)) > ahead


# -- a box that comes back -----------------------------------------------------------------------------------------


def test_a_box_that_was_off_for_days_asks_whether_another_has_taken_its_place() -> None:
    house = box().restart(hours(72))
    alert = house.state.alerts[RETURNED]
    assert alert.urgency is Urgency.NOW
    assert (alert.about.key, alert.todo) == ("alert.returned", "todo.returned")
    assert alert.about.arguments == {"hours": 72}
    (*_, started) = house.sealed(facts.StationStarted)
    assert isinstance(started, facts.StationStarted)
    assert started.last == house.now - hours(72)
    house.restart()
    assert house.sealed(facts.StationStarted)[-1].last is None  # type: ignore[attr-defined]


def test_a_power_cut_or_an_update_on_a_quiet_station_asks_nobody() -> None:
    house = box()
    for _ in range(3):
        house.live(DAY).restart(minutes(20))
    assert RETURNED not in house.state.alerts


def test_a_clock_that_leapt_asks_once_and_not_at_each_start() -> None:
    house = box().restart(YEARS)
    assert {CLOCK, RETURNED} <= house.state.alerts.keys()
    raised = len(house.sealed(facts.AlertRaised))
    house.restart()
    assert len(house.sealed(facts.AlertRaised)) == raised


def test_the_box_that_was_restored_is_the_one() -> None:
    house = box()
    house.now = after(house.now, hours(96))
    made = facts.BoxRestored(at=house.now, made=NOW, entries=12, by="Bert")
    house.state = folded(house.state, SITE, [made])
    house.restart()
    assert RETURNED not in house.state.alerts
