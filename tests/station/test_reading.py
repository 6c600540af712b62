"""What breaks on one line, or in one log, stays there, is counted, and is said without quoting the line."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from rempart.adapters.collect.grown import RecordFollower
from rempart.adapters.store.events import Batch, Segment
from rempart.adapters.store.intake import Intake
from rempart.detection import sigma
from rempart.detection.detector import Detection
from rempart.events.decode import DECODERS, Decoder
from rempart.events.event import Event
from rempart.instants import Instant, after, minutes, parse_rfc3339
from rempart.station.reading import Complaints, Reader

NOW = parse_rfc3339("2026-11-20T03:00:00Z")
PORTAL = "/var/log/portal.log"
EVIL = b"evil \x1b[2J dr.lambert"
RULE = """\
title: Environment file asked for
id: 5b1f8a3e-0000-4000-8000-000000000001
level: medium
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|contains: /.env}
  condition: asked
"""
ASKED = b'198.51.100.9 - - [20/Nov/2026:03:00:00 +0000] "GET /.env HTTP/1.1" 404 5 "-" "curl" "care.example"'


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "intake.json", NOW)


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> None:
    """nginx' decoder with a defect that one kind of line brings out."""
    whole = DECODERS["nginx"]

    def decode(line: bytes, source: str, record: int) -> Event | None:
        if line.startswith(b"evil"):
            raise KeyError(line.decode())
        return whole(line, source, record)

    table: dict[str, Decoder] = {**DECODERS, "nginx": decode}
    monkeypatch.setattr("rempart.station.reading.DECODERS", table)


def lines(*bodies: bytes, read: Instant = NOW) -> Batch:
    return Batch(
        id=1,
        read=read,
        source=PORTAL,
        decoder="nginx",
        numbers=range(1, len(bodies) + 1),
        bodies=bodies,
        position=b"",
    )


def detection() -> Detection:
    return Detection(sigma.load([("rule.yml", RULE)]))


@pytest.mark.usefixtures("fragile")
def test_a_line_that_breaks_a_decoder_is_counted_and_the_next_is_read(
    intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    reader = Reader(detection(), Complaints(intake))
    found, _ = reader.findings(lines(EVIL, ASKED, EVIL))
    assert [each.record for each in found] == [2]
    stream = intake.of(PORTAL)
    assert sum(stream.failed.values()) == 2
    assert sum(stream.undecoded.values()) == 0
    assert stream.failure
    assert (stream.failure.record, stream.failure.at) == (3, NOW)
    assert stream.failure.reason.startswith("KeyError in test_reading.py, line")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert f"{PORTAL}:1: a defect of ours" in caplog.text
    assert "lambert" not in caplog.text


@pytest.mark.usefixtures("fragile")
def test_a_flood_of_them_is_one_message_a_minute(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    reader = Reader(detection(), Complaints(intake))
    for minute in range(3):
        reader.findings(lines(*[EVIL] * 500, read=after(NOW, minutes(minute))))
    assert len(caplog.records) == 3
    assert sum(intake.of(PORTAL).failed.values()) == 1500


@pytest.mark.usefixtures("fragile")
def test_what_is_read_again_from_the_store_is_counted_once(intake: Intake) -> None:
    reader, batch = Reader(detection(), Complaints(intake)), lines(EVIL, b"?", ASKED)
    reader.findings(batch)
    reader.findings(
        Segment(id=1, read=NOW, source=PORTAL, decoder="nginx", numbers=batch.numbers, bodies=batch.bodies)
    )
    stream = intake.of(PORTAL)
    assert (sum(stream.failed.values()), sum(stream.undecoded.values())) == (1, 1)


def test_a_line_that_breaks_detection_is_counted_too(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    detecting = detection()
    feed = detecting.feed

    def broken(event: Event) -> Sequence[object]:
        if event.record == 1:
            raise RecursionError(EVIL.decode())
        return feed(event)

    monkeypatch.setattr(detecting, "feed", broken)
    found, _ = Reader(detecting, Complaints(intake)).findings(lines(ASKED, ASKED))
    assert [each.record for each in found] == [2]
    assert sum(intake.of(PORTAL).failed.values()) == 1
    assert "RecursionError" in caplog.text
    assert "lambert" not in caplog.text


def test_what_rust_calls_a_panic_costs_the_rest_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PyO3 raises it beside `Exception`, so that nobody catches it by accident."""
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    class Parser:
        def __init__(self, *_: object, **__: object) -> None:
            self._rest = iter([{"event_record_id": 1, "data": "{}"}])

        def records_json(self) -> "Parser":
            return self

        def __iter__(self) -> "Parser":
            return self

        def __next__(self) -> object:
            for record in self._rest:
                return record
            raise panic("index out of bounds")

    file = tmp_path / "security.evtx"
    file.write_bytes(b"ElfFile\0")
    monkeypatch.setattr("rempart.adapters.collect.evtx.PyEvtxParser", Parser)
    follower = RecordFollower(file)
    read = follower.read()
    assert read is not None
    assert read.bodies == [b"{}"]
    assert follower.read() is None
    assert "the parser failed on it" in caplog.text
