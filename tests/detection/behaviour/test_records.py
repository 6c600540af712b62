"""Care files: an account against its own past; the persons are told to nobody."""

from rempart.detection.behaviour.records import FLOOR, Records
from rempart.detection.behaviour.sighting import RecordOpened
from rempart.detection.finding import Finding, Kind
from rempart.events.event import Event, LogSource
from rempart.events.observable import ObservableKind, Role
from rempart.instants import Instant, hours, seconds

Opened = tuple[float, str, str]  # hour, account, person


def fed(opened: list[Opened]) -> list[Finding]:
    detector, found = Records(), []
    for record, (hour, account, person) in enumerate(opened, 1):
        time = Instant(hours(500_000) + seconds(round(hour * 3600)))
        event = Event(LogSource(), {"person": person}, "log", record, time)
        found += detector.see(RecordOpened(account, "10.0.1.5", person), event, time)
    return found


def shift(days: int, *, account: str = "anna", persons: int = 12) -> list[Opened]:
    hours_worked = [day * 24 + hour for day in range(days) for hour in range(8, 16)]
    return [(hour + n / 100, account, f"7700{n}") for hour in hours_worked for n in range(persons)]


def taken(hour: int, persons: int, account: str = "anna") -> list[Opened]:
    return [(hour + n / 1000, account, f"8800{n}") for n in range(persons)]


def test_far_more_persons_than_ever_are_found() -> None:
    found = fed(shift(3) + taken(80, 130))
    assert [each.count for each in found] == [40, 64, 128]
    assert found[0].kind is Kind.RECORDS
    assert found[0].those(Role.VICTIM, ObservableKind.ACCOUNT) == ("anna",)
    assert {proof.field: proof.value for proof in found[0].proofs}["usual in an hour (median)"] == "12"


def test_no_finding_names_a_person() -> None:
    assert "8800" not in str(fed(shift(3) + taken(80, 130)))


def test_the_same_files_again_and_again_are_not_more_persons() -> None:
    again = [(80 + n / 1000, "anna", f"8800{n % 20}") for n in range(500)]
    assert fed(shift(3) + again) == []


def test_who_always_opens_many_is_silent() -> None:
    assert fed(shift(5, account="admission", persons=90)) == []


def test_a_new_account_has_no_past_to_be_held_against() -> None:
    assert fed(shift(3) + taken(80, 500, account="new")) == []


def test_a_ward_is_not_too_many() -> None:
    assert fed(shift(3, persons=3) + taken(80, FLOOR - 1)) == []
