"""What behaviour detectors remember, on the disk: whole or not believed."""

import os
from pathlib import Path

import pytest

from rempart.adapters.store.pasts import Kept, Pasts
from rempart.instants import Instant

KEPT = Kept(7, Instant(9), b"anything" * 100)


@pytest.fixture
def pasts(tmp_path: Path) -> Pasts:
    return Pasts(tmp_path / "pasts")


def test_what_was_kept_comes_back_and_is_for_its_user_alone(pasts: Pasts) -> None:
    assert pasts.read() is None
    pasts.write(Kept(1, Instant(1), b""))
    pasts.write(KEPT)
    assert pasts.read() == KEPT
    assert pasts.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in pasts.path.parent.iterdir()] == ["pasts"]


def test_any_damage_is_named_and_nothing_is_believed(pasts: Pasts, caplog: pytest.LogCaptureFixture) -> None:
    pasts.write(KEPT)
    whole = pasts.path.read_bytes()
    for place in range(len(whole)):
        pasts.path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        assert pasts.read() is None
    for length in range(len(whole)):
        pasts.path.write_bytes(whole[:length])
        assert pasts.read() is None
    assert caplog.text.count(f"{pasts.path}: what was usual until now is not known any more") == 2 * len(
        whole
    )


def test_what_others_could_have_written_is_not_believed(
    pasts: Pasts, caplog: pytest.LogCaptureFixture
) -> None:
    pasts.write(KEPT)
    pasts.path.chmod(0o666)
    assert pasts.read() is None
    assert "others" in caplog.text
    pasts.path.rename(pasts.path.with_name("real"))
    pasts.path.symlink_to("real")
    assert pasts.read() is None
    pasts.path.unlink()
    os.mkfifo(pasts.path, 0o600)
    assert pasts.read() is None


def test_a_write_that_was_cut_off_leaves_the_old_one(pasts: Pasts) -> None:
    pasts.write(KEPT)
    pasts.path.with_name("pasts.new").write_bytes(b"half")
    assert pasts.read() == KEPT
    pasts.write(Kept(8, Instant(9), b""))
    assert pasts.read() == Kept(8, Instant(9), b"")


def test_a_disk_that_refuses_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Pasts(tmp_path / "gone" / "pasts").write(KEPT)
    assert "could not be kept" in caplog.text
