"""Packed files are read as what is in them, and an archive that lies or is cut off is named."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest
import zstandard

from rempart.adapters.collect import files, packing
from rempart.adapters.collect.files import Batch, LogFile, Shape
from rempart.errors import Problem

TEXT = b"".join(b'{"eventName": "a", "n": %d}\n' % n for n in range(2_000))


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return path


def read(source: str) -> tuple[bytes, list[Problem]]:
    found = list(files.batches(source))
    lines = [line + b"\n" for each in found if isinstance(each, Batch) for line in each.lines]
    return b"".join(lines), [each for each in found if isinstance(each, Problem)]


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda text: lzma.compress(text) + bytes(8) + lzma.compress(b""),
        lambda text: zstandard.compress(text[:99]) + zstandard.compress(text[99:]),
    ],
)
def test_every_packing_alone_and_in_an_archive(tmp_path: Path, pack: object) -> None:
    packed = pack(TEXT)  # type: ignore[operator]
    path = tmp_path / "a.log.packed"
    path.write_bytes(packed)
    assert read(str(path)) == (TEXT, [])
    path.write_bytes(packed[:-9])
    text, problems = read(str(path))
    assert [each.what[:10] for each in problems] == ["breaks off"]
    assert text == TEXT[: len(text)]
    outer = archive(tmp_path / "a.zip", {"x/a.log.packed": packed})
    assert read(f"{outer}/x/a.log.packed") == (TEXT, [])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_of_an_archive_those_files_are_read_that_are_named_as_logs(tmp_path: Path, method: int) -> None:
    path = archive(tmp_path / "a.zip", {"readme.txt": b"x", ".b.log": b"x", "in/a.json": TEXT}, method)
    (found,) = files.find(str(path))
    assert isinstance(found, LogFile)
    assert (found.source, found.shape, found.size) == (f"{path}/in/a.json", Shape.LINES, len(TEXT))
    assert read(found.source) == (TEXT, [])
    batches = [each.read for each in files.batches(found.source) if isinstance(each, Batch)]
    assert batches[-1] == len(TEXT)
    assert [each.source for each in files.find(str(tmp_path)) if isinstance(each, LogFile)] == [found.source]


def test_an_event_log_in_an_archive_lies_on_the_disk_while_it_is_read(tmp_path: Path) -> None:
    content = b"ElfFile\0" + bytes(4088)
    path = archive(tmp_path / "a.zip", {"Security.evtx": content, "b.evtx.gz": gzip.compress(content)})
    found = [each for each in files.find(str(path)) if isinstance(each, LogFile)]
    assert [each.shape for each in found] == [Shape.EVTX, Shape.EVTX]
    for each in found:
        with packing.on_disk(each.source) as copy:
            assert Path(copy).read_bytes() == content
        assert not Path(copy).exists()
    alone = tmp_path / "c.evtx"
    alone.write_bytes(content)
    with packing.on_disk(str(alone)) as copy:
        assert copy == str(alone)


def test_what_cannot_be_read_of_an_archive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whats = {
        "empty": archive(tmp_path / "a.zip", {"readme.txt": b""}),
        "broken": tmp_path / "b.zip",
        "lzma": archive(tmp_path / "c.zip", {"a.log": TEXT}, zipfile.ZIP_LZMA),
        "nested": archive(
            tmp_path / "d.zip", {"a.zip": archive(tmp_path / "e", {"a.log": b""}).read_bytes()}
        ),
    }
    whats["broken"].write_bytes(whats["lzma"].read_bytes()[:-30])
    told = {name: next(files.find(str(path))) for name, path in whats.items()}
    assert {name: each.what for name, each in told.items() if isinstance(each, Problem)} == {
        "empty": "the archive has no file that is named as logs are",
        "broken": "cannot be read: File is not a zip file",
        "lzma": "cannot be read: it is packed in a way that is not read (method 14)",
        "nested": "is an archive within another",
    }
    assert [each.what for each in read(f"{whats['lzma']}/b.log")[1]] == [
        "breaks off: the archive has no b.log"
    ]
    monkeypatch.setattr(packing, "MOST_MEMBERS", 1)
    many = archive(tmp_path / "f.zip", {"a.log": b"", "b.log": b""})
    assert [each.what for each in files.find(str(many)) if isinstance(each, Problem)] == [
        "cannot be read: the archive has more than 1 entries"
    ]


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.log": TEXT})
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.find(mark) + place] |= 1
    path.write_bytes(content)
    (found,) = files.find(str(path))
    assert isinstance(found, Problem)
    assert "encrypted" in found.what


def test_a_copy_that_grows_too_large_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST_COPY", 100)
    path = tmp_path / "a.evtx.gz"
    path.write_bytes(gzip.compress(TEXT))
    with pytest.raises(OSError, match="more than 100 bytes"), packing.on_disk(str(path)):
        pass


def test_xz_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.log.xz"
    packer = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}])
    path.write_bytes(packer.compress(TEXT) + packer.flush())
    assert [each.what for each in read(str(path))[1]] == ["breaks off: Memory usage limit exceeded"]


def test_the_records_of_a_member_are_those_of_the_file(tmp_path: Path) -> None:
    text = io.BytesIO(json.dumps({"Records": [{"eventName": "a"}, {"eventName": "b"}]}).encode("utf-16"))
    path = archive(tmp_path / "a.zip", {"a.json": text.getvalue()})
    assert read(f"{path}/a.json")[0] == b'{"eventName":"a"}\n{"eventName":"b"}\n'
