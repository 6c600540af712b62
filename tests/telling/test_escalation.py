"""Who is told when: contacts in order, quiet hours, rounds, and the relief when somebody has it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.incidents.incident import Sentence
from rempart.instants import Instant, after, hours, minutes, parse_rfc3339
from rempart.site.belgian_time import on_the_wall
from rempart.site.language import Language
from rempart.site.telling import Channel, QuietHours, Recipient, Telling
from rempart.telling.alert import TEST, Alert, Delivery, Urgency, code
from rempart.telling.escalation import AGAIN, ROUNDS, due, next_due, owed
from rempart.telling.message import MessageKind

NIGHT = parse_rfc3339("2026-11-22T02:12:00+00:00")  # 03:12 in Belgium
DUTY = Recipient(role="duty", language=Language.FRENCH, text="+32470000001", mail="duty@example.be")
SECOND = Recipient(
    role="technician",
    language=Language.DUTCH,
    text="+32470000002",
    mail="tech@example.be",
    after=10,
    quiet=QuietHours(22 * 60, 7 * 60),
)
TELLING = Telling(recipients=(DUTY, SECOND))


def alert(urgency: Urgency = Urgency.NOW, name: str = "inc-1", raised: Instant = NIGHT) -> Alert:
    return Alert(
        id=name,
        code=code("site", name, raised),
        urgency=urgency,
        about=Sentence("alert.records", {"where": "Soins"}),
        todo="todo.look",
        raised=raised,
    )


def roles(one: Alert, at: Instant) -> list[tuple[str, str]]:
    return [(m.role, m.channel.value) for m in due(TELLING, one, at)]


def test_the_first_is_told_at_once_by_every_way_and_the_second_when_nobody_answers() -> None:
    assert roles(alert(), NIGHT) == [("duty", "mail"), ("duty", "text")]
    assert roles(alert(), after(NIGHT, minutes(9))) == [("duty", "mail"), ("duty", "text")]
    assert ("technician", "text") in roles(alert(), after(NIGHT, minutes(10)))
    assert next_due(TELLING, alert(), NIGHT) == after(NIGHT, minutes(10))


def test_everybody_is_told_again_and_it_ends() -> None:
    late = after(NIGHT, hours(24 * 30))
    assert len(due(TELLING, alert(), late)) == ROUNDS * 4
    assert next_due(TELLING, alert(), late) is None
    again = [m for m in due(TELLING, alert(), after(NIGHT, AGAIN)) if m.kind is MessageKind.AGAIN]
    assert {m.role for m in again} == {"duty"}


def test_what_can_wait_rings_no_telephone_and_wakes_nobody() -> None:
    calm = alert(Urgency.CAN_WAIT)
    assert roles(calm, after(NIGHT, minutes(30))) == [("duty", "mail")]
    morning = next_due(TELLING, calm, NIGHT)
    assert morning is not None
    assert f"{on_the_wall(morning):%H:%M}" == "07:00"
    assert ("technician", "mail") in roles(calm, morning)


def test_whoever_was_reached_hears_that_somebody_has_it_but_not_the_one_who_has() -> None:
    told = tuple(
        Delivery(message="m", role=role, channel=Channel.TEXT, at=NIGHT, delivered=reached)
        for role, reached in (("duty", True), ("technician", True), ("gone", True))
    )
    taken = replace(alert(), told=told, taken=after(NIGHT, minutes(12)), taken_by="technician")
    relief = due(TELLING, taken, after(NIGHT, minutes(13)))
    assert [(m.role, m.kind) for m in relief] == [("duty", MessageKind.TAKEN)]
    assert due(TELLING, taken, after(NIGHT, hours(3))) == ()


def test_a_test_goes_to_everybody_by_every_way_at_any_hour_once() -> None:
    trial = alert(Urgency.CAN_WAIT, TEST)
    assert len(due(TELLING, trial, NIGHT)) == 4
    assert len(due(TELLING, trial, after(NIGHT, hours(5)))) == 4


def test_what_was_handed_over_or_given_up_is_owed_no_more() -> None:
    first = due(TELLING, alert(), NIGHT)
    told = tuple(
        Delivery(message=m.id, role=m.role, channel=m.channel, at=NIGHT, delivered=False) for m in first
    )
    assert owed(TELLING, replace(alert(), told=told), NIGHT) == ()
    assert owed(TELLING, alert(), after(NIGHT, hours(200))) == ()


def test_the_hours_of_quiet_may_lie_over_midnight() -> None:
    over = QuietHours(22 * 60, 7 * 60)
    assert [over.covers(hour * 60) for hour in (21, 22, 0, 6, 7)] == [False, True, True, True, False]
    assert [QuietHours(60, 120).covers(minute) for minute in (59, 60, 119, 120)] == [False, True, True, False]


@settings(deadline=None)
@given(st.integers(0, 2**50), st.integers(0, 3 * 24 * 3600 * 1_000_000), st.sampled_from(Urgency))
def test_nothing_that_is_due_stops_being_due_while_nobody_answers(
    raised: int, later: int, urgency: Urgency
) -> None:
    one = alert(urgency, raised=Instant(raised))
    sooner, at = Instant(raised + later // 2), Instant(raised + later)
    assert {m.id for m in due(TELLING, one, sooner)} <= {m.id for m in due(TELLING, one, at)}
    coming = next_due(TELLING, one, at)
    if coming is not None:
        assert len(due(TELLING, one, coming)) > len(due(TELLING, one, at))


@settings(deadline=None)
@given(st.text(), st.text(), st.integers(0, 2**60))
def test_a_code_is_six_letters_that_nobody_takes_for_others(site: str, name: str, raised: int) -> None:
    said = code(
        site.encode("utf-8", "ignore").decode(), name.encode("utf-8", "ignore").decode(), Instant(raised)
    )
    assert len(said) == 6
    assert not set(said) & set("0O1IGSZ256")


@given(st.integers(0, 2**51), st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1))
def test_what_can_wait_is_told_at_the_first_instant_that_is_not_quiet(
    raised: int, begin: int, end: int
) -> None:
    quiet = QuietHours(begin, end)
    telling = Telling(recipients=(replace(SECOND, after=0, quiet=quiet),))
    one = alert(Urgency.CAN_WAIT, raised=Instant(raised))
    told = next_due(telling, one, Instant(raised - 1))
    assert told is not None
    assert raised <= told <= raised + hours(25)
    wall = on_the_wall(told)
    assert not quiet.covers(wall.hour * 60 + wall.minute)
    for moment in range(raised, told, minutes(15)):
        then = on_the_wall(Instant(moment))
        assert quiet.covers(then.hour * 60 + then.minute)


def test_the_night_of_nine_hours_is_quiet_to_its_end() -> None:
    evening = parse_rfc3339("2027-10-30T21:00:00+00:00")  # 23:00; summer time ends that night
    told = next_due(
        Telling(recipients=(replace(SECOND, after=0),)), alert(Urgency.CAN_WAIT, raised=evening), evening
    )
    assert told == parse_rfc3339("2027-10-31T06:00:00+00:00")  # 07:00 in winter
