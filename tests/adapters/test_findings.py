"""The store of findings: bunches as they come, paging, bounds, masks, damage."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rempart.adapters.store.findings import PAGE, FindingStore, Seen, day_of
from rempart.detection.exception import Exemption, Value
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.trait import Trait
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant, hours, parse_rfc3339

NOW = parse_rfc3339("2026-11-21T02:12:03Z")
KEY = b"k" * 32


def seen(
    number: int,
    *,
    rule: str = "web-probe",
    level: Level = Level.MEDIUM,
    kind: Kind = Kind.PROBE,
    actor: str = "203.0.113.66",
    victim: str = "10.0.1.12",
    account: str = "",
    read: Instant | None = None,
) -> Seen:
    """One finding, read so many seconds after `NOW`."""
    things = [
        Observable(ObservableKind.ADDRESS, Role.ACTOR, actor),
        Observable(ObservableKind.ADDRESS, Role.VICTIM, victim),
        *([Observable(ObservableKind.ACCOUNT, Role.VICTIM, account)] if account else []),
    ]
    finding = Finding(
        id=f"finding-{number}",
        rule=rule,
        title="Seen in a test",
        level=level,
        kind=kind,
        outcome=Outcome.ATTEMPT,
        time=NOW,
        source="portal.log",
        record=number,
        spoofable=False,
        observables=tuple(things),
        proofs=(Proof("cs-username", account), Proof("c-ip", actor)),
        count=2,
    )
    return Seen(finding, read or Instant(NOW + number * 1_000_000), (Trait("c-ip", actor),))


def ours(address: str) -> bool:
    return address.startswith("10.")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FindingStore]:
    kept = FindingStore(tmp_path / "watch" / "findings.db", KEY, ours)
    yield kept
    kept.close()


def test_a_sweep_of_many_addresses_is_one_bunch_and_a_machine_of_ours_has_its_own(
    store: FindingStore,
) -> None:
    store.keep([seen(n, actor=f"198.51.100.{n % 200}") for n in range(300)])
    store.keep([seen(300, actor="10.0.1.44"), seen(301, actor="10.0.1.45", level=Level.CRITICAL)])
    found = store.bunches(day_of(NOW))
    assert [(each.level, each.findings, each.events) for each in found] == [
        (Level.CRITICAL, 1, 2),
        (Level.MEDIUM, 1, 2),
        (Level.MEDIUM, 300, 600),
    ]
    assert found[2].first == NOW
    assert found[2].last == Instant(NOW + 299_000_000)


def test_what_is_read_again_after_a_restart_counts_once(store: FindingStore) -> None:
    store.keep([seen(1), seen(2)])
    store.keep([seen(1), seen(2), seen(3)])
    assert store.days() == [(day_of(NOW), 3)]
    assert store.bunches(day_of(NOW))[0].findings == 3


def test_pages_follow_one_another_without_gap_or_repeat(store: FindingStore) -> None:
    store.keep([seen(n, victim=f"10.0.{n % 7}.{n}", level=Level(n % 5)) for n in range(2 * PAGE + 20)])
    day, got, after = day_of(NOW), [], None
    while page := store.bunches(day, after=after):
        got += page
        after = (int(page[-1].level), page[-1].last, page[-1].id)
    assert len({each.id for each in got}) == len(got) == 2 * PAGE + 20
    assert got == sorted(got, key=lambda each: (each.level, each.last, each.id), reverse=True)


def test_it_filters_by_level_kind_and_day(store: FindingStore) -> None:
    tomorrow = Instant(NOW + hours(24))
    store.keep([seen(1), seen(2, kind=Kind.SCAN, victim="10.0.1.1"), seen(3, level=Level.HIGH, rule="other")])
    store.keep([seen(4, read=tomorrow)])
    day = day_of(NOW)
    assert [each.latest.id for each in store.bunches(day, kind=Kind.SCAN)] == ["finding-2"]
    assert [each.latest.id for each in store.bunches(day, level=Level.HIGH)] == ["finding-3"]
    assert [each.latest.id for each in store.bunches(day, level=Level.HIGH, kind=Kind.SCAN)] == []
    assert [each.latest.id for each in store.bunches(day_of(tomorrow))] == ["finding-4"]


def test_the_findings_of_a_bunch_come_in_pages_the_latest_first(store: FindingStore) -> None:
    store.keep([seen(n) for n in range(PAGE + 5)])
    (bunch,) = store.bunches(day_of(NOW))
    first = store.findings(bunch.day, bunch.id)
    rest = store.findings(bunch.day, bunch.id, before=first[-1].number)
    assert [each.finding.record for each in (*first, *rest)] == list(range(PAGE + 4, -1, -1))


def test_no_account_is_written(store: FindingStore) -> None:
    store.keep([seen(1, account="anne.dupont"), seen(2, account="anne.dupont")])
    (bunch,) = store.bunches(day_of(NOW))
    masks = {
        each.finding.those(Role.VICTIM, ObservableKind.ACCOUNT)
        for each in store.findings(bunch.day, bunch.id)
    }
    assert len(masks) == 1  # the same person in the same bunch, so that it can be followed
    store.close()
    held = b"".join(file.read_bytes() for file in store.path.parent.iterdir())
    assert b"anne.dupont" not in held
    assert b"203.0.113.66" in held


def test_what_an_exception_would_hide_is_told_of_its_rule_only(store: FindingStore) -> None:
    store.keep([seen(1), seen(2, actor="198.51.100.7"), seen(3, rule="another")])
    wanted = Exemption(
        rules=("web-probe",),
        fields=(("c-ip", (Value("198.51.100.0/24"),)),),
        reason="",
        author="",
        until=date(2027, 1, 1),
    )
    assert [(kept.finding.record, covered) for kept, covered in store.covered(wanted)] == [
        (2, True),
        (1, False),
    ]


def test_the_oldest_go_and_their_days_with_them(tmp_path: Path) -> None:
    store = FindingStore(tmp_path / "findings.db", KEY, ours, most=200)
    store.keep([seen(0, read=Instant(NOW - hours(24)))])
    for start in range(1, 400, 20):
        store.keep([seen(start + n, victim=f"10.0.0.{n}") for n in range(20)])
    assert [day for day, _ in store.days()] == [day_of(NOW)]
    assert store.bunches(day_of(Instant(NOW - hours(24)))) == []
    left = sum(len(store.findings(each.day, each.id)) for each in store.bunches(day_of(NOW)))
    assert 180 <= left <= 200
    store.close()


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "findings.db"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    store = FindingStore(path, KEY, ours)
    store.keep([seen(1)])
    assert store.days() == [(day_of(NOW), 1)]
    assert path.with_name("findings.db.damaged").exists()
    store.close()
