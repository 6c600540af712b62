"""The day's summary: when it ends, what it says, who gets it."""

from hypothesis import given
from hypothesis import strategies as st

from rempart.instants import Instant, after, hours, parse_rfc3339
from rempart.site.belgian_time import on_the_wall
from rempart.site.language import Language
from rempart.site.telling import Channel, Recipient, Telling
from rempart.telling.digest import Day, due, ends, sentences

SINCE = parse_rfc3339("2026-11-22T06:30:20+00:00")  # 07:30:20 in Belgium


@given(st.integers(0, 2**51), st.integers(0, 24 * 60 - 1))
def test_there_is_one_summary_a_day_at_the_hour_named(since: int, minute: int) -> None:
    begun = Instant(since)
    end = ends(Day(since=begun), minute)
    again = ends(Day(since=end), minute)
    day, next_day = on_the_wall(end), on_the_wall(again)
    assert begun < end <= begun + hours(25)
    assert next_day.toordinal() == day.toordinal() + 1
    left_out = day.hour * 60 + day.minute == minute + 60  # summer time leaves that hour out: an hour later
    assert day.hour * 60 + day.minute == minute or (left_out and day.month == 3 and day.hour == 3)


def test_the_day_of_25_hours_has_one_summary_at_its_hour_and_not_one_before() -> None:
    saturday = parse_rfc3339("2027-10-30T05:30:00+00:00")  # 07:30 in summer
    sunday = ends(Day(since=saturday), 7 * 60 + 30)
    assert sunday == parse_rfc3339("2027-10-31T06:30:00+00:00")  # 07:30 in winter
    assert ends(Day(since=sunday), 7 * 60 + 30) == parse_rfc3339("2027-11-01T06:30:00+00:00")
    assert ends(Day(since=parse_rfc3339("2027-03-27T06:30:00Z")), 450) == parse_rfc3339(
        "2027-03-28T05:30:00Z"
    )


def test_a_summary_just_sent_is_not_sent_again_the_same_minute() -> None:
    assert ends(Day(since=SINCE), 7 * 60 + 30) == parse_rfc3339("2026-11-23T06:30:00+00:00")


def test_it_says_first_whether_there_is_something_to_do() -> None:
    calm = Day(since=SINCE, incidents=37, asked=0, blocked=12)
    assert sentences(calm)[0].key == "digest.nothing-to-do"
    assert sentences(calm)[1].arguments == {"count": 37}
    assert sentences(Day(since=SINCE, unanswered=1))[0].key == "digest.to-do"


def test_who_wants_it_gets_it_by_mail_or_else_as_a_text_while_it_is_news() -> None:
    telling = Telling(
        recipients=(
            Recipient(role="director", language=Language.FRENCH, mail="d@x.be", text="+3247", digest=True),
            Recipient(role="duty", language=Language.FRENCH, text="+3248", digest=True),
            Recipient(role="other", language=Language.FRENCH, mail="o@x.be"),
        )
    )
    sent = due(telling, Day(since=SINCE), after(SINCE, hours(24)), after(SINCE, hours(24)))
    assert [(m.role, m.channel) for m in sent] == [("director", Channel.MAIL), ("duty", Channel.TEXT)]
    assert due(telling, Day(since=SINCE), after(SINCE, hours(24)), after(SINCE, hours(48))) == ()
