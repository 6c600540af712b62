"""Findings are kept until acknowledged, and what is settled is never more than that."""

import asyncio

import pytest

from rempart.adapters.store.events import Settled
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.instants import Instant
from rempart.station import outbox
from rempart.station.outbox import UNDER_WAY, Outbox


def finding(number: int, level: Level = Level.HIGH) -> Finding:
    return Finding(
        id=f"f{number}",
        rule="r",
        title="t",
        level=level,
        kind=Kind.OTHER,
        outcome=Outcome.ATTEMPT,
        time=Instant(number),
        source="a.log",
        record=number,
        spoofable=False,
    )


def test_nothing_is_settled_before_it_is_acknowledged() -> None:
    box = Outbox(Settled())
    box.put([], 1, Instant(10))
    assert box.settled == Settled(1, Instant(10))
    box.put([finding(1), finding(2)], 2, Instant(20))
    box.put([finding(3)], 3, Instant(15))
    assert box.settled == Settled(1, Instant(10))
    assert [each.id for each in box.take()] == ["f1", "f2", "f3"]
    assert box.take() == []
    box.accepted(["f2", "unknown"])
    assert box.settled == Settled(1, Instant(10))
    box.accepted(["f1"])
    assert box.settled == Settled(2, Instant(20))
    box.accepted(["f3"])
    assert box.settled == Settled(3, Instant(20))


def test_after_a_reconnection_all_that_was_not_acknowledged_is_sent_again_in_order() -> None:
    box = Outbox(Settled())
    box.put([finding(number) for number in range(UNDER_WAY + 50)], 1, Instant(1))
    assert len(box.take()) == UNDER_WAY
    assert box.take() == []
    box.accepted(["f0"])
    assert [each.id for each in box.take()] == [f"f{UNDER_WAY}"]
    box.disconnected()
    assert [each.id for each in box.take()][:2] == ["f1", "f2"]


def test_a_finding_made_twice_is_kept_once() -> None:
    box = Outbox(Settled())
    box.put([finding(1)], 1, Instant(1))
    box.put([finding(1)], 2, Instant(2))
    assert len(box.take()) == 1


def test_when_full_the_newest_of_the_least_serious_go_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "LIMIT", 3)
    box = Outbox(Settled())
    box.put([finding(1, Level.LOW), finding(2), finding(3, Level.LOW), finding(4), finding(5)], 1, Instant(1))
    assert [each.id for each in box.take()] == ["f2", "f4", "f5"]
    assert "2 of the least serious were dropped" in caplog.text


def test_it_wakes_who_waits() -> None:
    async def wait() -> None:
        box = Outbox(Settled())
        waiting = asyncio.create_task(box.changed())
        await asyncio.sleep(0)
        box.put([], 1, Instant(1))
        await asyncio.wait_for(waiting, 20)

    asyncio.run(wait())
