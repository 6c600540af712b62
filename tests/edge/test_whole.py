"""A file is there whole: the old content or the new, and what was put is on the disk before anybody relies on it."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rempart.edge import whole


@contextmanager
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the disk was waited for, in order, by name; and how often each name had been taken by then."""
    said: list[str] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        said.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    yield said
    monkeypatch.undo()


def test_the_content_is_on_the_disk_before_its_name_and_its_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with synced(monkeypatch) as said:
        whole.put(tmp_path / "keys.json", b"new")
    assert said == [".keys.json.new", tmp_path.name]


def test_what_may_be_lost_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with synced(monkeypatch) as said:
        whole.put(tmp_path / "notice", b"new", lasting=False)
    assert said == []
    assert (tmp_path / "notice").read_bytes() == b"new"


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_file_has_the_mode_that_was_asked_for(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        whole.put(tmp_path / "key", b"secret")
        whole.put(tmp_path / "public", b"known", mode=0o644)
    finally:
        os.umask(before)
    assert [oct((tmp_path / name).stat().st_mode & 0o777) for name in ("key", "public")] == ["0o600", "0o644"]


def test_a_disk_that_refuses_leaves_the_old_content_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    whole.put(file, b"old")
    limits, handled = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            whole.put_parts(file, (bytes(512) for _ in range(1000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handled)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_parts_that_fail_midway_leave_the_old_content(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("the journal ends here")

    file = tmp_path / "journal.jsonl"
    whole.put(file, b"old")
    with pytest.raises(ValueError, match="ends here"):
        whole.put_parts(file, parts())
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_laid_where_the_draft_goes_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"theirs")
    (tmp_path / ".key.new").symlink_to(elsewhere)
    whole.put(tmp_path / "key", b"ours")
    assert (elsewhere.read_bytes(), (tmp_path / "key").read_bytes()) == (b"theirs", b"ours")
    assert not (tmp_path / "key").is_symlink()
