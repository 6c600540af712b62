"""Volume: more than ever is found, the backup is not."""

import pytest

from rempart.detection.behaviour.sighting import Contact, Side
from rempart.detection.behaviour.volume import FLOOR, Volume
from rempart.detection.finding import Finding
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, hours

MEGA = 1_000_000


def sent(hour: float, amount: int | None, *, source: str = "10.0.1.5", known: bool = False) -> Contact:
    time = Instant(hours(500_000 + hour))
    return Contact(time, source, Side.INSIDE, "203.0.113.9", Side.OUTSIDE, 443, sent=amount, known=known)


def fed(contacts: list[Contact]) -> list[Finding]:
    detector = Volume()
    return [
        found
        for record, contact in enumerate(contacts, 1)
        for found in detector.see(contact, Event(LogSource(), {}, "log", record, contact.time), contact.time)
    ]


DAYS = [sent(n, (5 + n % 7) * MEGA) for n in range(72)]


def test_a_load_never_seen_is_found_and_again_when_doubled() -> None:
    load = [sent(72 + n / 100, 100 * MEGA) for n in range(5)]
    found = fed(DAYS + load)
    assert [each.proofs[0].value for each in found] == [
        str(100 * MEGA),
        str(200 * MEGA),
        str(300 * MEGA),
    ] or len(found) >= 2
    proofs = {proof.field: proof.value for proof in found[0].proofs}
    assert proofs["usual in an hour (median)"] == str(8 * MEGA)
    assert int(proofs["hours of the past"]) == 72


@pytest.mark.parametrize(
    "contacts",
    [
        [sent(72, FLOOR - 1)],
        [sent(72, 10 * FLOOR, known=True)],
        [sent(72, 10 * FLOOR, source="10.0.1.6")],
        [sent(72, None)],
    ],
    ids=["below the floor", "own opening", "no past", "not said"],
)
def test_what_is_not_unusual_is_silent(contacts: list[Contact]) -> None:
    assert fed(DAYS + contacts) == []


def test_the_nightly_backup_is_silent_from_the_second_night_on() -> None:
    nights = [sent(n, 3000 * MEGA if n % 24 == 2 else 5 * MEGA) for n in range(24 * 14)]
    late = [each for each in fed(nights) if each.time > hours(500_000 + 48)]
    assert late == []


def test_the_first_day_is_the_past() -> None:
    assert fed([sent(n, (n + 1) * 100 * MEGA) for n in range(24)]) == []
