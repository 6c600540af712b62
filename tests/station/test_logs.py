"""Logs that others write stay bounded, and watch loses none of their lines."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rempart.adapters.collect.tail import Follower
from rempart.station.logs import bound


def test_a_short_log_and_one_that_is_not_there_are_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    bound(log, longest=4)
    assert not log.exists()
    log.write_text("1234")
    bound(log, longest=4)
    assert log.read_text() == "1234"
    assert not (tmp_path / "access.log.1").exists()


def test_one_older_part_is_kept_whose_readers_and_owner_are_the_log_s(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    for content in ("first of all", "second line"):
        log.write_text(content)
        log.chmod(0o640)
        bound(log, longest=4)
        part = tmp_path / "access.log.1"
        assert (log.read_text(), part.read_text()) == ("", content)
        assert part.stat().st_mode & 0o777 == 0o640
        assert (part.stat().st_uid, part.stat().st_gid) == (log.stat().st_uid, log.stat().st_gid)


def test_a_log_is_emptied_although_its_part_cannot_be_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "access.log"
    log.write_text("too long")
    (tmp_path / "access.log.1").mkdir()
    bound(log, longest=4)
    assert log.read_text() == ""
    assert "could not be kept" in caplog.text


def taken(follower: Follower) -> list[bytes]:
    """What it gives in some turns: the turn that finds a log begun again gives nothing."""
    return [line for _ in range(4) if (read := follower.read()) for line in read.bodies]


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder of root's that others may enter and not list, as the run folder is."""
    folder = Path(tempfile.mkdtemp(prefix="rempart-logs."))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.edge
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_watch_reads_on_in_the_part_although_it_may_not_list_the_folder(closed: Path) -> None:
    log, watch = closed / "access.log", 65534
    log.write_bytes(b"one\n")
    os.chown(log, 0, watch)
    log.chmod(0o640)
    os.setegid(watch)
    os.seteuid(watch)
    try:
        follower = Follower(log, None)
        assert taken(follower) == [b"one"]
        os.seteuid(0)
        with log.open("ab") as more:
            more.write(b"two\n")
        bound(log, longest=4)
        with log.open("ab") as more:
            more.write(b"three\n")
        os.seteuid(watch)
        assert taken(follower) == [b"two", b"three"]
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.edge
def test_it_is_a_program(tmp_path: Path) -> None:
    (tmp_path / "packets").mkdir()
    log = tmp_path / "packets" / "ulogd.json"
    with log.open("wb") as file:
        file.truncate((64 << 20) + 1)
    subprocess.run([sys.executable, "-m", "rempart.station.logs", "--run", str(tmp_path)], check=True)
    assert log.stat().st_size == 0
    assert log.with_name("ulogd.json.1").stat().st_size == (64 << 20) + 1
