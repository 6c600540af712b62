"""Messages on their way: none lost, none doubled, by a restart or half a file."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from rempart.adapters.tell import spool as spools
from rempart.adapters.tell.spool import Spool
from rempart.incidents.incident import Sentence
from rempart.instants import Instant, after, hours, minutes, seconds
from rempart.site.telling import Channel
from rempart.telling.alert import Delivery, Urgency
from rempart.telling.message import Message, MessageKind

NOW = Instant(1_700_000_000_000_000)


def message(name: str = "m", urgency: Urgency = Urgency.NOW) -> Message:
    return Message(
        id=name,
        kind=MessageKind.ALERT,
        alert="inc-1",
        role="duty",
        channel=Channel.TEXT,
        urgency=urgency,
        code="ABCDEF",
        about=Sentence("alert.records", {"where": "Soins"}),
        todo="todo.look",
        raised=NOW,
        until=after(NOW, hours(6)),
    )


def delivery(name: str = "m", *, delivered: bool = True) -> Delivery:
    return Delivery(message=name, role="duty", channel=Channel.TEXT, at=NOW, delivered=delivered)


def test_what_was_taken_is_there_after_a_restart(tmp_path: Path) -> None:
    Spool(tmp_path).add(message(), NOW)
    (waiting,) = Spool(tmp_path).waiting()
    assert waiting.message == message()


def test_asked_twice_it_is_one_and_settled_it_stays_settled(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    waiting = spool.add(message(), NOW)
    assert waiting is not None
    spool.keep(msgspec.structs.replace(waiting, settled=delivery()))
    again = Spool(tmp_path).add(message(), NOW)
    assert again is not None
    assert again.settled == delivery()
    assert Spool(tmp_path).waiting() == []
    assert list(Spool(tmp_path).handed_over(Instant(0))) == [delivery()]


def test_a_full_disk_keeps_nothing_from_being_sent_and_is_caught_up_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool = Spool(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        waiting = spool.add(message(), NOW)
        assert waiting is not None
        assert spool.waiting() == [waiting]
        spool.keep(msgspec.structs.replace(waiting, settled=delivery()))
        assert spool.waiting() == []
    spool.add(message("later"), NOW)
    (later,) = Spool(tmp_path).waiting()
    assert later.message.id == "later"
    assert list(Spool(tmp_path).handed_over(Instant(0))) == [delivery()]


def test_what_is_urgent_goes_first_and_pauses_grow_to_ten_minutes(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(message("slow", Urgency.CAN_WAIT), NOW)
    spool.add(message("fast"), NOW)
    assert [each.message.id for each in spool.waiting()] == ["fast", "slow"]
    waiting = spool.waiting()[0]
    pauses = []
    for _ in range(8):
        waiting = waiting.failed(NOW)
        pauses.append(waiting.next - NOW)
    assert pauses[:3] == [seconds(5), seconds(15), seconds(45)]
    assert pauses[-1] == minutes(10)


def test_half_a_file_is_no_message_and_hurts_no_other(tmp_path: Path) -> None:
    Spool(tmp_path).add(message(), NOW)
    (tmp_path / "half.json").write_bytes(b'{"message": {"id": "x"')
    (tmp_path / "half.new").write_bytes(b"")
    assert len(Spool(tmp_path).waiting()) == 1


def test_it_is_bounded_and_forgets(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # a fixture
    monkeypatch.setattr(spools, "MOST", 2)
    spool = Spool(tmp_path)
    assert spool.add(message("a"), NOW)
    assert spool.add(message("b"), NOW)
    assert spool.add(message("c"), NOW) is None
    waiting = spool.add(message("a"), NOW)
    assert waiting is not None
    spool.keep(msgspec.structs.replace(waiting, settled=replace(delivery("a"))))
    spool.forget(after(NOW, hours(100)))
    assert spool.add(message("c"), NOW) is not None
