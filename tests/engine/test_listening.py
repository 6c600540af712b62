"""Silent logs as conversations: each silence asks once, all that fall silent ask together, and hearing them ends it."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.home import NOW
from engine.test_tell import HOME, Night
from rempart.engine import facts, orders
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Awaited, Listened, Rebuilding, Ticked
from rempart.engine.listening import APART, GROWN, OWN, PATIENCE, SETTLES, SURE
from rempart.engine.state import initial
from rempart.engine.tell import SILENCE, WATCH
from rempart.instants import Duration, Instant, after, hours, minutes, seconds
from rempart.site.site import LogSource
from rempart.site.telling import QuietHours
from rempart.telling.alert import AlertState, Urgency

MANY = tuple(f"/var/log/remote/{number}.log" for number in range(100))
PORTAL = LogSource(path="/var/log/portal.log", decoder="nginx", name="Portail")
CARE = LogSource(path="/var/log/care.log", decoder="nginx", name="Dossiers", wakes=True)
PLACE = replace(HOME, logs=(PORTAL, CARE, *(LogSource(path=each, decoder="syslog") for each in MANY)))
A_MINUTE = minutes(1)


class Watching(Night):
    """A night in which watch says once a minute which logs are silent."""

    def __init__(self) -> None:
        super().__init__(PLACE)

    def hear(self, *silent: str, length: Duration = A_MINUTE) -> "Watching":
        """So long these logs, and no others, are silent."""
        end = after(self.now, length)
        while self.now < end:
            self.now = after(self.now, minutes(1))
            self.tell(Listened(self.now, frozenset(silent)))
        return self

    @property
    def raised(self) -> list[facts.AlertRaised]:
        return [each for each in self.sealed if isinstance(each, facts.AlertRaised) and each.alert == SILENCE]

    @property
    def missed(self) -> list[facts.AlertRaised]:
        """The alerts that nothing is watched."""
        return [each for each in self.sealed if isinstance(each, facts.AlertRaised) and each.alert == WATCH]

    @property
    def muted(self) -> list[facts.WatchMuted | facts.WatchHeard]:
        return [each for each in self.sealed if isinstance(each, facts.WatchMuted | facts.WatchHeard)]

    def tick(self, length: Duration) -> "Watching":
        """So long nobody says anything, and the guard looks at the clock every half minute."""
        end = after(self.now, length)
        while self.now < end:
            self.now = after(self.now, seconds(30))
            self.tell(Ticked(self.now))
        return self

    @property
    def turned(self) -> list[facts.LogsTurned]:
        return [fact for fact in self.sealed if isinstance(fact, facts.LogsTurned)]


def test_a_log_that_fell_silent_is_told_once_and_calmly_by_the_name_in_the_sites_file() -> None:
    night = Watching().hear(length=minutes(30)).hear(PORTAL.path, length=hours(200))
    (asked,) = night.raised
    assert (asked.key, asked.arguments) == ("alert.silence-named", {"count": 1, "where": "Portail"})
    assert (asked.urgency, asked.todo) == (Urgency.CAN_WAIT, "todo.logs")
    assert night.roles == ["duty", "technician"]
    assert [(fact.silent, fact.heard) for fact in night.turned] == [([PORTAL.path], [])]


def test_a_calm_alert_waits_for_the_morning_and_is_not_sent_when_the_log_speaks_before() -> None:
    sleepers = tuple(replace(each, quiet=QuietHours(22 * 60, 7 * 60)) for each in HOME.telling.recipients)
    night = Watching()
    night.terms = replace(
        night.terms, site=replace(PLACE, telling=replace(HOME.telling, recipients=sleepers))
    )
    night.hear(PORTAL.path, length=minutes(20))
    assert night.raised
    assert night.sent == []
    night.hear(length=minutes(20)).wait(after(night.now, hours(24)))
    assert [m.alert for m in night.sent if m.alert == SILENCE] == []


def test_a_log_that_speaks_again_takes_it_back_and_its_next_silence_is_told_anew() -> None:
    night = Watching().hear(PORTAL.path, length=minutes(15)).hear(length=minutes(15))
    assert night.state.alerts[SILENCE].state is AlertState.OVER
    assert night.state.listening.silent == {}
    night.hear(length=APART).hear(PORTAL.path, length=minutes(15))
    assert night.state.alerts[SILENCE].waits
    assert len(night.raised) == 2


def test_one_of_two_that_speaks_again_takes_nothing_back() -> None:
    night = Watching().hear(PORTAL.path, MANY[0], length=minutes(15)).hear(MANY[0], length=minutes(15))
    assert night.state.alerts[SILENCE].waits
    assert night.state.listening.silent.keys() == {MANY[0]}


def test_a_hundred_logs_that_fall_silent_at_once_are_one_message() -> None:
    night = Watching().hear(*MANY, length=hours(48))
    (asked,) = night.raised
    assert (asked.key, asked.arguments["count"]) == ("alert.silence", 100)
    assert night.roles == ["duty", "technician"]


def test_a_hundred_logs_that_fall_silent_one_after_the_other_are_a_handful() -> None:
    night = Watching()
    for number in range(100):
        night.hear(*MANY[: number + 1], length=minutes(20))
    asked = [fact.arguments["count"] for fact in night.raised]
    assert asked[:3] == [1, GROWN, GROWN**2]
    assert len(asked) <= 9  # 33 hours: one in six, and three for how many they became


def test_another_silence_after_somebody_took_the_first_is_told() -> None:
    night = Watching().hear(PORTAL.path)
    night.order(orders.Acknowledge(by="Anna", code=night.sent[0].code))
    night.hear(PORTAL.path, length=hours(100))
    assert len(night.raised) == 1
    night.hear(PORTAL.path, MANY[0], length=hours(1))
    assert [fact.arguments["count"] for fact in night.raised] == [1, 2]


def test_a_log_that_the_site_says_wakes_somebody_does_so_also_behind_a_calm_one() -> None:
    night = Watching().hear(PORTAL.path, length=minutes(11)).hear(PORTAL.path, CARE.path)
    assert [fact.urgency for fact in night.raised] == [Urgency.CAN_WAIT, Urgency.NOW]
    assert night.raised[1].arguments["where"] == "Dossiers, Portail"


@pytest.mark.parametrize("own", OWN)
def test_the_stations_own_logs_count(own: str) -> None:
    assert Watching().hear(own).raised


def test_what_the_site_does_not_follow_is_not_believed() -> None:
    night = Watching().hear("/etc/passwd", "call +32 900 00 00 00")
    assert (night.raised, night.turned) == ([], [])


def test_a_log_that_is_followed_no_more_asks_no_more() -> None:
    night = Watching().hear(PORTAL.path)
    night.terms = replace(night.terms, site=replace(PLACE, logs=(CARE,)))
    night.hear(PORTAL.path, length=minutes(11))
    assert night.state.alerts[SILENCE].state is AlertState.OVER


def test_a_restart_tells_nothing_twice_and_forgets_nothing() -> None:
    night = Watching().hear(PORTAL.path, length=minutes(30))
    again = folded(initial(PLACE), PLACE, night.sealed)
    assert again == night.state
    night.state = again
    night.hear(PORTAL.path, length=minutes(30))
    assert len(night.raised) == 1
    night.hear(length=minutes(1))
    assert night.state.alerts[SILENCE].state is AlertState.OVER


# -- watch itself ------------------------------------------------------------------------------------------------

MISSED: Duration = Duration(PATIENCE + SURE + minutes(1))


def test_a_watch_that_says_nothing_any_more_is_missed_once_and_at_once_until_it_speaks_again() -> None:
    night = Watching().hear(length=minutes(20))
    spoke = night.now
    night.tick(MISSED)
    (asked,) = night.missed
    assert (asked.key, asked.urgency, asked.todo) == ("alert.watch", Urgency.NOW, "todo.technician")
    assert night.roles[0] == "duty"
    assert night.state.listening.mute == spoke
    night.tick(hours(3))
    assert night.roles[:2] == ["duty", "technician"]
    (muted,) = night.muted
    assert muted == facts.WatchMuted(at=asked.at, since=spoke)
    night.hear()
    assert night.state.listening.mute is None
    assert night.muted[1:] == [facts.WatchHeard(at=night.now)]
    assert night.state.alerts[WATCH].state is AlertState.OVER
    assert len(night.missed) == 1


def test_a_watch_that_never_came_after_the_start_is_missed_too() -> None:
    night = Watching()
    night.tell(Awaited(NOW))
    night.tick(MISSED)
    assert night.state.listening.mute == NOW
    assert len(night.missed) == 1


def start(night: Watching, *done: int, total: int = 900) -> Watching:
    """A start of watch that comes so far, said every half minute."""
    for each in done:
        night.tick(seconds(30))
        night.tell(Rebuilding(night.now, each, total))
    return night


def test_a_watch_that_reads_for_long_what_it_kept_is_not_missed() -> None:
    night = Watching()
    night.tell(Awaited(night.now))
    start(night, *range(60))
    assert night.missed == []
    rebuilding = night.state.listening.rebuilding
    assert rebuilding
    assert (rebuilding.done, rebuilding.total) == (59, 900)
    night.hear()
    assert night.state.listening.rebuilding is None


def test_a_watch_that_is_stuck_or_ends_again_and_again_is_missed() -> None:
    for steps in ([5] * 30, list(range(5)) * 6):
        night = Watching()
        night.tell(Awaited(night.now))
        start(night, *steps)
        assert len(night.missed) == 1
        start(night, 6)
        assert night.state.listening.mute is not None  # it comes further, and follows no log yet
        night.hear()
        assert night.state.listening.mute is None


def test_nobody_misses_a_watch_that_nobody_expects() -> None:
    assert Watching().tick(hours(2)).muted == []


def test_a_clock_that_is_set_right_is_no_silence() -> None:
    night = Watching().hear(length=minutes(5))
    night.now = after(night.now, hours(72))
    night.tick(minutes(1)).hear(length=minutes(5))
    assert (night.muted, night.missed) == ([], [])


def test_a_short_silence_is_none() -> None:
    assert Watching().hear().tick(PATIENCE).hear(length=minutes(2)).muted == []


def test_a_watch_that_somebody_looks_after_asks_nobody_again_and_stays_told() -> None:
    night = Watching().hear().tick(MISSED)
    night.order(orders.Acknowledge(by="Anna", code=night.sent[0].code))
    night.tick(hours(5))
    assert len(night.missed) == 1
    assert night.state.listening.mute is not None


def test_a_watch_that_comes_and_goes_asks_seldom_and_at_last_when_it_stays_away() -> None:
    night = Watching().hear()
    for _ in range(10):
        night.tick(MISSED).hear()
    assert len(night.missed) <= 4
    asked = len(night.missed)
    night.tick(hours(1))
    assert len(night.missed) in (asked, asked + 1)
    assert night.state.alerts[WATCH].waits


def test_a_guard_that_starts_again_knows_that_watch_was_missed_and_hears_it_come_back() -> None:
    night = Watching().hear().tick(MISSED)
    again = Watching()
    again.state, again.now = folded(initial(PLACE), PLACE, night.sealed), night.now
    again.tell(Awaited(again.now))
    again.tick(MISSED)
    assert again.muted == []
    assert again.state.listening.mute is not None
    again.hear()
    assert [type(each) for each in again.muted] == [facts.WatchHeard]


SAID = st.lists(
    st.tuples(st.integers(1, 600), st.none() | st.frozensets(st.sampled_from([*MANY[:6], CARE.path, "x"]))),
    max_size=60,
)


@settings(deadline=None)
@given(SAID)
def test_whatever_watch_says_facts_and_alerts_stay_apart_and_the_fold_is_what_was_lived(
    said: Iterable[tuple[int, frozenset[str] | None]],
) -> None:
    night = Watching()
    for wait, silent in said:
        night.now = after(night.now, minutes(wait))
        night.tell(Ticked(night.now) if silent is None else Listened(night.now, silent))
    apart = [later.at - former.at for former, later in zip(night.turned, night.turned[1:], strict=False)]
    assert all(gap >= SETTLES for gap in apart)
    for former, later in zip(night.raised, night.raised[1:], strict=False):
        worse = later.urgency > former.urgency
        grown = int(later.arguments["count"]) >= GROWN * int(former.arguments["count"])
        assert worse or grown or later.at - former.at >= APART
    assert folded(initial(PLACE), PLACE, night.sealed) == night.state
    alert = night.state.alerts.get(SILENCE)
    assert alert is None or alert.state is not AlertState.WAITING or night.state.listening.silent
    assert all(Instant(NOW) < since for since in night.state.listening.silent.values())
