"""How much came from each log, and when it has fallen silent: by its own week, and not while nobody listened."""

from pathlib import Path

from rempart.adapters.store.intake import Intake
from rempart.instants import Instant, after, hours, minutes, parse_rfc3339

MONDAY = parse_rfc3339("2026-11-02T00:00:00Z")
LOG = "/var/log/portal.log"


def lived(path: Path, days: int = 8) -> tuple[Intake, Instant]:
    """A portal used from seven to eleven at night, and when it was heard last."""
    intake, last = Intake(path, MONDAY), MONDAY
    for day in range(days):
        for quarter in range(7 * 4, 23 * 4 + 1):
            last = after(MONDAY, minutes(day * 24 * 60 + quarter * 15))
            intake.heard(LOG, 3, last)
    return intake, last


def test_a_portal_that_sleeps_at_night_is_not_silent_before_it_slept_half_as_long_again(
    tmp_path: Path,
) -> None:
    intake, last = lived(tmp_path / "intake.json")
    assert not intake.silent(LOG, after(last, hours(12)))
    assert intake.silent(LOG, after(last, hours(12.1)))


def test_what_the_sites_file_allows_goes_before_what_is_usual(tmp_path: Path) -> None:
    intake, last = lived(tmp_path / "intake.json")
    assert intake.silent(LOG, after(last, hours(2)), hours(1))
    assert not intake.silent(LOG, after(last, hours(200)), hours(300))


def test_within_its_first_week_a_log_has_three_days(tmp_path: Path) -> None:
    intake, last = lived(tmp_path / "intake.json", days=3)
    assert not intake.silent(LOG, after(last, hours(72)))
    assert intake.silent(LOG, after(last, hours(73)))


def test_a_log_stays_silent_however_long_until_it_is_heard(tmp_path: Path) -> None:
    intake, last = lived(tmp_path / "intake.json")
    assert all(intake.silent(LOG, after(last, hours(13 + day * 24))) for day in range(60))
    intake.heard(LOG, 1, after(last, hours(60 * 24)))
    assert not intake.silent(LOG, after(last, hours(60 * 24 + 11)))


def test_a_restart_changes_nothing_and_a_night_without_power_is_no_silence(tmp_path: Path) -> None:
    path = tmp_path / "intake.json"
    intake, last = lived(path)
    intake.write(after(last, hours(10)))
    again = Intake(path, after(last, hours(10)))
    assert not again.silent(LOG, after(last, hours(12)))
    assert again.silent(LOG, after(last, hours(13)))
    again.write(after(last, hours(13)))

    asleep = Intake(path, after(last, hours(40)))
    assert asleep.silent(LOG, after(last, hours(40)))  # it was before, and was not heard since
    asleep.heard(LOG, 1, after(last, hours(41)))
    asleep.write(after(last, hours(41)))
    woken = Intake(path, after(last, hours(90)))
    assert not woken.silent(LOG, after(last, hours(90 + 11)))


def test_how_much_came_is_kept_in_the_form_it_always_had(tmp_path: Path) -> None:
    path = tmp_path / "intake.json"
    path.write_text('{"/var/log/portal.log":{"last":1793000000000000,"days":{"20752":7},"undecoded":{}}}')
    intake = Intake(path, Instant(1793000000000000))
    assert intake.of(LOG).last == 1793000000000000
    assert not intake.silent(LOG, after(Instant(1793000000000000), hours(71)))
    assert intake.silent(LOG, after(Instant(1793000000000000), hours(73)))


def test_a_log_that_was_never_heard_has_three_days_from_the_start(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "intake.json", MONDAY)
    assert not intake.silent(LOG, after(MONDAY, hours(71)))
    assert intake.silent(LOG, after(MONDAY, hours(73)))


def test_a_mirror_that_never_rests_is_missed_within_the_hour_and_its_quiet_nights_are_not(
    tmp_path: Path,
) -> None:
    intake = Intake(tmp_path / "intake.json", MONDAY)
    last = MONDAY
    for minute in range(8 * 24 * 60):
        by_day = 7 <= minute // 60 % 24 < 22
        if by_day or minute % 5 == 0:  # a line every minute by day, every five at night
            last = after(MONDAY, minutes(minute))
            intake.heard(LOG, 1, last)
            assert not intake.silent(LOG, last)
    assert not intake.silent(LOG, after(last, minutes(55)))
    assert intake.silent(LOG, after(last, minutes(61)))
    stream = intake.of(LOG)
    assert stream.pause == minutes(5)
    assert stream.every is not None
    assert minutes(1) < stream.every < minutes(2)


def test_a_clock_that_was_ahead_and_is_right_again_leaves_no_log_unwatched(tmp_path: Path) -> None:
    usual, last = lived(tmp_path / "usual.json")
    leapt, _ = lived(tmp_path / "leapt.json")
    leapt.heard(LOG, 3, after(last, hours(24 * 365 * 7)))  # an empty battery: seven years ahead, for one line
    assert not leapt.silent(LOG, after(last, minutes(1)))
    for intake in (usual, leapt):
        intake.heard(LOG, 3, after(last, minutes(15)))
    heard = after(last, minutes(15))
    for quiet in (11, 12.5, 13, 80):
        now = after(heard, hours(quiet))
        assert leapt.silent(LOG, now) == usual.silent(LOG, now)
    assert leapt.lines(LOG, heard)[:6] == usual.lines(LOG, heard)[:6]
