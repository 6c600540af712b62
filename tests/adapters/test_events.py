"""The event store: what was acknowledged is there, once, in order; damage is told by file and place."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rempart.adapters.store.events import Batch, Damage, EventStore, Segment, Settled, StoreFailed
from rempart.instants import Instant

LINE = st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"."))


def batch(
    *bodies: bytes,
    source: str = "a.log",
    first: int = 1,
    numbers: Sequence[int] | None = None,
    segment: int = 0,
    read: int = 0,
) -> Batch:
    """A batch whose id and instant of reading are the number of its first line, unless said otherwise."""
    return Batch(
        id=segment or first,
        read=Instant(read or first),
        source=source,
        decoder="nginx",
        numbers=numbers or range(first, first + len(bodies)),
        bodies=bodies,
        position=b"after %d" % (first + len(bodies) - 1),
    )


def lines(store: EventStore, since: int = 0) -> list[tuple[str, int, bytes]]:
    return [
        (segment.source, number, body)
        for segment in whole(store, since)
        for number, body in zip(segment.numbers, segment.bodies, strict=True)
    ]


def whole(store: EventStore, since: int = 0) -> Iterator[Segment]:
    for segment in store.since(Instant(since)):
        assert isinstance(segment, Segment), segment
        yield segment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watch" / "events.db"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    written=st.lists(st.lists(LINE, min_size=1, max_size=6), max_size=8),
    numbered=st.booleans(),
    joined=st.sampled_from([b"", b"\n", b"\n-", b"\n+\n"]),
)
def test_lines_in_are_lines_out_in_order(
    tmp_path_factory: pytest.TempPathFactory, written: list[list[bytes]], numbered: bool, joined: bytes
) -> None:
    path = tmp_path_factory.mktemp("store") / "events.db"
    store = EventStore(path)
    expected = []
    first = 1
    for each in written:
        bodies = each if numbered else [body + joined + body for body in each]
        numbers = (
            [first + 3 * place for place in range(len(bodies))]
            if numbered
            else range(first, first + len(bodies))
        )
        store.append([batch(*bodies, first=first, numbers=numbers)])
        expected += [("a.log", number, body) for number, body in zip(numbers, bodies, strict=True)]
        first += 3 * len(bodies)
    assert lines(store) == expected
    store.close()
    again = EventStore(path)
    assert lines(again) == expected
    again.close()


def test_positions_and_marks_come_back(path: Path) -> None:
    store = EventStore(path)
    assert store.position("a.log") is None
    store.append([batch(b"1"), batch(b"x", b"y", source="b.log", segment=2)])
    store.settle(Settled(1, Instant(9)))
    store.close()
    store = EventStore(path)
    assert (store.position("a.log"), store.position("b.log")) == (b"after 1", b"after 2")
    assert (store.settled, store.last) == (Settled(1, Instant(9)), 2)
    assert path.stat().st_mode & 0o077 == 0
    store.close()


def test_replay_begins_at_an_instant(path: Path) -> None:
    store = EventStore(path)
    for instant in range(1, 6):
        store.append([batch(b"line %d" % instant, first=instant, read=instant * 100)])
    assert [number for _, number, _ in lines(store, since=300)] == [3, 4, 5]
    assert [number for _, number, _ in lines(store, since=301)] == [4, 5]
    assert lines(store, since=501) == []
    store.close()


def test_the_oldest_go_first_at_the_limit_and_it_is_said(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = EventStore(path, limit=1 << 20)
    count = 200
    for number in range(1, count + 1):
        store.append([batch(os.urandom(20_000).replace(b"\n", b"."), first=number)])
    kept = [number for _, number, _ in lines(store)]
    assert kept == list(range(kept[0], count + 1))
    assert 20 < len(kept) < 60
    assert store.dropped == kept[0] - 1
    assert "oldest lines were dropped" in caplog.text
    assert path.stat().st_size < 2 << 20
    store.close()


KILLED = """
    import sys
    from pathlib import Path
    from rempart.adapters.store.events import Batch, EventStore
    store = EventStore(Path(sys.argv[1]))
    number = int(store.position("a.log") or b"0")
    while True:
        numbers = range(number + 1, number + 11)
        number += 10
        bodies = [b"line %d" % one for one in numbers]
        position = b"%d" % number
        lines = dict(source="a.log", decoder="x", numbers=numbers, bodies=bodies, position=position)
        store.append([Batch(id=number, read=number, **lines)])
        print(number, flush=True)
"""


def test_killed_at_any_time_what_was_acknowledged_is_there_once(path: Path) -> None:
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout
        acknowledged = [int(process.stdout.readline()) for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout if line.endswith(b"\n")]
        process.wait()
        process.stdout.close()
        store = EventStore(path)
        stored = [number for _, number, _ in lines(store)]
        assert stored == list(range(1, int(store.position("a.log") or b"0") + 1))
        assert len(stored) >= acknowledged[-1]
        store.close()


def test_a_changed_byte_is_told_by_file_and_segment_and_hides_no_other(path: Path) -> None:
    store = EventStore(path)
    for number in range(1, 31):
        store.append([batch(b"line %d " % number + os.urandom(40_000).replace(b"\n", b"."), first=number)])
    store.close()
    content = bytearray(path.read_bytes())
    marked = content.find(b"line 17 ")  # random bytes do not compress: zstd keeps them as they are
    assert marked > 0
    content[marked + 2] ^= 0x40
    path.write_bytes(content)
    store = EventStore(path)
    read = list(store.since(Instant(0)))
    (damage,) = [segment for segment in read if isinstance(segment, Damage)]
    assert (damage.first, damage.last, damage.path) == (17, 17, path)
    assert str(path) in str(damage)
    assert "segment 17" in str(damage)
    assert [segment.id for segment in read if isinstance(segment, Segment)] == [*range(1, 17), *range(18, 31)]
    store.close()


def test_damaged_pages_are_put_aside_and_writing_goes_on(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = EventStore(path)
    for number in range(1, 400):
        store.append([batch(os.urandom(300).replace(b"\n", b"."), first=number)])
    store.close()
    with sqlite3.connect(path) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    for page in range(5, pages):
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.seek(page * 16384)
            file.write(os.urandom(16384))
        store = EventStore(path)
        for more in range(3):
            store.append([batch(b"after the damage", first=1000 + more)])
        read = list(store.since(Instant(0)))
        kept = [segment.numbers[0] for segment in read if isinstance(segment, Segment)]
        assert kept[-3:] == [1000, 1001, 1002]
        assert kept == sorted(set(kept))
        assert len(kept) > 250
        assert store.position("a.log") == b"after 1002"
        store.close()
        for leftover in path.parent.iterdir():
            leftover.unlink()
        path.write_bytes(content)


@pytest.mark.parametrize("content", [b"a text somebody put here" * 1000, os.urandom(50_000)])
def test_what_is_no_store_is_put_aside(path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = EventStore(path)
    store.append([batch(b"one")])
    assert [body for *_, body in lines(store)] == [b"one"]
    store.close()
    assert path.with_name("events.db.damaged-1").read_bytes() == content
    assert str(path) in caplog.text


FULL = """
    import os, sys
    from pathlib import Path
    from rempart.adapters.store.events import Batch, EventStore
    folder = Path(sys.argv[1])
    store = EventStore(folder / "events.db")
    for number in range(1, 500):
        body = os.urandom(50_000).replace(b"\\n", b".")
        lines = dict(source="a", decoder="x", numbers=[number], bodies=[body], position=b"%d" % number)
        store.append([Batch(id=number, read=number, **lines)])
    ids = [segment.numbers[0] for segment in store.since(0)]
    assert ids == list(range(ids[0], 500)), ids
    assert len(ids) > 20, ids
    assert store.dropped == ids[0] - 1
    store.close()
    print("kept", len(ids))
"""


@pytest.mark.lab
def test_a_full_disk_drops_the_oldest_and_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "full.py"
    script.write_text(textwrap.dedent(FULL))
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = f"mount -t tmpfs -o size=32m full {disk} && exec {sys.executable} {script} {disk}"
    ended = subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "kept" in ended.stdout
    assert "oldest lines were dropped" in ended.stderr


def test_a_disk_that_refuses_is_told_with_what_to_do(path: Path) -> None:
    store = EventStore(path)
    store.append([batch(b"one")])
    store._connection.execute("PRAGMA query_only=1")
    with pytest.raises(StoreFailed, match="Detection goes on") as caught:
        store.append([batch(b"two", first=2)])
    assert caught.value.where == str(path)
    store._connection.execute("PRAGMA query_only=0")
    store.append([batch(b"two", first=2)])
    assert [number for _, number, _ in lines(store)] == [1, 2]
    store.close()
