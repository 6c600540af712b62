"""Times as people say them."""

import pytest

from rempart.console.when import clock, length, moment, to_type, typed
from rempart.console.words import words
from rempart.instants import hours, minutes, parse_rfc3339, seconds
from rempart.site.site import Language

FRENCH = words(Language.FRENCH)
NOW = parse_rfc3339("2026-11-21T02:12:03Z")


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("2026-11-21T02:09:00Z", "03 h 09"),
        ("2026-11-20T15:40:00Z", "vendredi 16 h 40"),
        ("2026-11-20T23:30:00Z", "00 h 30"),
        ("2026-11-01T00:30:00Z", "le 1 novembre 2026, 01 h 30"),
        ("2026-07-01T12:00:00Z", "le 1 juillet 2026, 14 h 00"),
    ],
)
def test_a_moment_is_said_as_near_as_it_is(then: str, said: str) -> None:
    assert moment(parse_rfc3339(then), NOW, FRENCH).replace("\u00a0", " ") == said


def test_the_clock_is_belgian() -> None:
    assert clock(NOW, FRENCH).replace("\u00a0", " ") == "samedi, 03 h 12"
    assert clock(NOW, words(Language.ENGLISH)) == "Saturday, 03:12"
    assert clock(NOW, words(Language.GERMAN)).startswith("Samstag, 03:12")


@pytest.mark.parametrize(
    ("language", "date"),
    [(Language.DUTCH, "1 juli 2026"), (Language.GERMAN, "1. Juli 2026"), (Language.ENGLISH, "1 July 2026")],
)
def test_a_date_is_in_its_languages_own_form(language: Language, date: str) -> None:
    assert date in moment(parse_rfc3339("2026-07-01T12:00:00Z"), NOW, words(language))


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (-5, "0 s"),
        (seconds(3.9), "3 s"),
        (seconds(119), "119 s"),
        (minutes(2), "2 min"),
        (minutes(119), "119 min"),
        (hours(41.5), "41 h"),
        (hours(72), "3 jours"),
    ],
)
def test_a_length_is_said_in_its_largest_sensible_unit(amount: int, said: str) -> None:
    assert length(amount, FRENCH).replace("\u00a0", " ") == said


@pytest.mark.parametrize("wall", ["2026-11-21T03:12", "2026-07-01T00:00"])
def test_a_field_for_a_moment_is_read_as_it_was_written(wall: str) -> None:
    assert to_type(typed(wall)) == wall


@pytest.mark.parametrize("nonsense", ["", "yesterday", "2026-13-01T00:00"])
def test_a_field_that_holds_no_moment_is_refused(nonsense: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        typed(nonsense)
