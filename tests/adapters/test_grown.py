"""Following EVTX files: each record once, over restarts, new versions and cleared logs."""

import shutil
import struct
from pathlib import Path

import orjson
import pytest

from rempart.adapters.collect import grown
from rempart.adapters.collect.evtx import records
from rempart.adapters.collect.grown import RecordFollower
from rempart.adapters.store.events import Batch, EventStore
from rempart.errors import Problem
from rempart.instants import Instant

pytestmark = pytest.mark.corpus


def ids(path: Path) -> list[int]:
    return [record[0] for record in records(str(path)) if not isinstance(record, Problem)]


def drain(follower: RecordFollower) -> list[int]:
    numbers: list[int] = []
    while read := follower.read():
        assert len(read.numbers) == len(read.bodies)
        assert all(b"\n" not in body and orjson.loads(body) for body in read.bodies)
        numbers += read.numbers
    return numbers


@pytest.fixture(scope="module")
def logs(corpus: Path) -> list[Path]:
    """Two undamaged logs, the one with the higher record ids last."""
    small = [path for path in sorted((corpus / "evtx").rglob("*.evtx")) if path.stat().st_size < 200_000]
    usable = [path for path in small[:60] if (found := ids(path)) and len(found) > 5]
    usable.sort(key=lambda path: max(ids(path)))
    return [usable[0], usable[-1]]


def test_a_file_that_comes_later_is_read_once(tmp_path: Path, logs: list[Path]) -> None:
    path = tmp_path / "security.evtx"
    follower = RecordFollower(path)
    assert follower.read() is None
    shutil.copy(logs[0], path)
    assert sorted(drain(follower)) == sorted(ids(logs[0]))
    assert drain(follower) == []


def test_a_new_version_gives_what_is_past_the_last_record(tmp_path: Path, logs: list[Path]) -> None:
    low, high = logs
    path = tmp_path / "security.evtx"
    follower = RecordFollower(path)
    shutil.copy(low, path)
    drain(follower)
    shutil.copy(high, path)
    last = max(ids(low))
    assert sorted(drain(follower)) == sorted(number for number in ids(high) if number > last)


def test_a_cleared_log_is_read_from_its_beginning_and_it_is_said(
    tmp_path: Path, logs: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    low, high = logs
    path = tmp_path / "security.evtx"
    follower = RecordFollower(path)
    shutil.copy(high, path)
    drain(follower)
    shutil.copy(low, path)
    assert drain(follower) == []
    assert sorted(drain(follower)) == sorted(ids(low))
    assert "was cleared" in caplog.text


def test_after_a_restart_in_the_middle_the_rest_is_given(
    tmp_path: Path, logs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grown, "_RECORDS", 2)
    path = tmp_path / "security.evtx"
    shutil.copy(logs[0], path)
    numbers: list[int] = []
    position = None
    while read := RecordFollower(path, position).read():
        numbers += read.numbers
        position = read.position
    assert numbers == ids(logs[0])


def test_a_damaged_file_gives_what_can_be_read_and_says_the_rest(
    tmp_path: Path, logs: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "security.evtx"
    content = bytearray(logs[0].read_bytes())
    content[4096 + 600 : 4096 + 700] = b"\xff" * 100
    path.write_bytes(content)
    drain(RecordFollower(path))
    assert str(path) in caplog.text
    path.write_bytes(b"no log at all")
    assert drain(RecordFollower(path)) == []


def test_a_record_with_a_forged_number_is_named_and_the_rest_is_stored(
    tmp_path: Path, logs: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite keeps no number of 64 bits without a sign: one such record ended watch at each of its starts."""
    path, content = tmp_path / "security.evtx", bytearray(logs[0].read_bytes())
    whole = ids(logs[0])
    struct.pack_into("<Q", content, content.index(b"\x2a\x2a\0\0") + 8, 2**64 - 2)
    path.write_bytes(content)
    read = RecordFollower(path).read()
    assert read
    assert list(read.numbers) == whole[1:]
    assert "18446744073709551614" in caplog.text
    store = EventStore(tmp_path / "events.db")
    store.append(
        [
            Batch(
                id=1,
                read=Instant(1),
                source="x",
                decoder="windows-json",
                numbers=read.numbers,
                bodies=read.bodies,
                position=read.position,
            )
        ]
    )
    store.close()


def test_a_record_that_is_no_json_is_named_and_the_rest_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deep = "[" * 5_000 + "]" * 5_000
    monkeypatch.setattr(
        grown, "records", lambda _: iter([(1, '{"a":1}'), (2, deep), (3, "no"), (4, '{"a":2}')])
    )
    path = tmp_path / "security.evtx"
    path.write_bytes(b"x")
    assert drain(RecordFollower(path)) == [1, 4]
    assert "record 2" in caplog.text
    assert "record 3" in caplog.text
