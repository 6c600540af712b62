"""Logs of every make are cut into what a decoder can read alone."""

import bz2
import gzip
import json
import os
from pathlib import Path

import pytest

from rempart.adapters.collect import files
from rempart.adapters.collect.files import Batch, LogFile
from rempart.errors import Problem

CALL = b'type=SYSCALL msg=audit(1.000:%d): arch=c000003e syscall=59 success=yes exe="/bin/a"\n'
RAN = b'type=EXECVE msg=audit(1.000:%d): a0="a"\n'


def lines_of(path: Path) -> list[bytes]:
    found = list(files.batches(str(path)))
    assert all(isinstance(batch, Batch) for batch in found)
    numbers = [
        each
        for batch in found
        if isinstance(batch, Batch)
        for each in range(batch.first, batch.first + len(batch.lines))
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    return [line for batch in found if isinstance(batch, Batch) for line in batch.lines]


def sample_of(path: Path) -> tuple[bytes, ...]:
    found = files.look(str(path))
    assert isinstance(found, LogFile)
    return found.sample


def test_records_in_an_array_become_lines(tmp_path: Path) -> None:
    records = [{"eventName": "a", "n": n} for n in range(3)]
    for name, document in (("a", records), ("b", {"Records": records}), ("c", {"value": records})):
        for text in (json.dumps(document), json.dumps(document, indent=1)):
            path = tmp_path / f"{name}.json.gz"
            path.write_bytes(gzip.compress(text.encode()))
            assert [json.loads(line) for line in lines_of(path)] == records
            assert [json.loads(line) for line in sample_of(path)] == records


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_text_as_windows_writes_it_is_read_packed_or_not(tmp_path: Path, codec: str) -> None:
    records = [{"eventName": "é", "n": n} for n in range(3)]
    text = "\r\n".join(json.dumps(each, ensure_ascii=False) for each in records)
    for name, pack in (("a.json", bytes), ("a.gz", gzip.compress), ("a.bz2", bz2.compress)):
        (tmp_path / name).write_bytes(pack(text.encode(codec)))
        assert [json.loads(line) for line in lines_of(tmp_path / name)] == records
        assert [json.loads(line) for line in sample_of(tmp_path / name)] == records


def test_what_is_cut_off_in_utf_16_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('{"a": 1}\n{"b'.encode("utf-16")[:-1])
    assert lines_of(path) == [b'{"a": 1}', b'{"\xef\xbf\xbd']


def test_elements_over_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    event = "<Event>\r\n <System>\r\n  <EventID>1</EventID>\r\n </System>\r\n</Event>\r\n"
    path.write_bytes(
        f"<?xml version='1.0' encoding='utf-16'?>\r\n<Events>\r\n{event * 900}</Events>".encode("utf-16")
    )
    assert lines_of(path) == [event.replace("\r", "").rstrip().encode()] * 900


def test_what_only_begins_like_an_array_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"[{broken\nsecond\nthird\n")
    assert lines_of(path) == [b"[{broken", b"second", b"third"]


def test_an_event_of_auditd_is_joined_over_the_end_of_a_batch(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"".join(CALL % n + RAN % n + RAN % n for n in range(1_500)))
    lines = lines_of(path)
    assert len(lines) == 4_500
    assert all(line.count(b"\n") == (2 if b"SYSCALL" in line else 0) for line in lines)


def test_rows_of_columns_are_whole_in_the_sample_and_in_the_batches(tmp_path: Path) -> None:
    path = tmp_path / "weird.log"
    path.write_bytes(b"#path\tweird\n#fields\tname\n#types\tstring\na\nb\n#close\t1\n")
    header = b"#path\tweird\n#fields\tname\n#types\tstring\n"
    assert sample_of(path) == (header + b"a", header + b"b")
    assert lines_of(path)[3:] == [header + b"a", header + b"b", b"#close\t1"]


def test_the_sample_is_taken_evenly(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"%d\n" % n for n in range(1_000)))
    sample = sample_of(path)
    assert 50 < len(sample) <= 100
    assert sample[0] == b"0"
    assert int(sample[-1]) > 950


def test_batches_grow_to_the_most(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_bytes(b"line\n" * 24_000)
    found = [batch for batch in files.batches(str(path)) if isinstance(batch, Batch)]
    assert [len(batch.lines) for batch in found] == [500, 1_000, 2_000, 4_000, 8_000, 8_000, 500]
    assert [batch.first for batch in found][:4] == [1, 501, 1_501, 3_501]


def test_what_stands_before_a_break_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 12)
    broken = {
        "a.log": b"1\n2\n" + bytes(1 << 13) + b"\n",
        "b.gz": gzip.compress(b"1\n2\n" + os.urandom(1 << 16))[:-99],
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        *found, last = files.batches(str(tmp_path / name))
        lines = [line for each in found if isinstance(each, Batch) for line in each.lines]
        assert lines[:2] == [b"1", b"2"]
        assert isinstance(last, Problem)
        assert last.where == f"{tmp_path / name}:{len(lines) + 1}"
