import hashlib
from pathlib import Path

import pytest

from rempart.adapters import attachments
from rempart.adapters.attachments import Attachments
from rempart.errors import InputRefused

pytestmark = pytest.mark.edge

CONTENT = b"<script>alert(1)</script>"
NAME = hashlib.sha256(CONTENT).hexdigest()


def test_bytes_come_back_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    kept = Attachments(tmp_path / "files")
    kept.keep(CONTENT)
    kept.keep(CONTENT)
    assert kept.read(NAME) == CONTENT
    (file,) = (tmp_path / "files").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_what_was_changed_or_is_gone_is_said(tmp_path: Path) -> None:
    kept = Attachments(tmp_path)
    kept.keep(CONTENT)
    (tmp_path / NAME).write_bytes(b"other")
    with pytest.raises(InputRefused, match="not the one"):
        kept.read(NAME)
    (tmp_path / NAME).unlink()
    with pytest.raises(InputRefused, match="cannot be read"):
        kept.read(NAME)


def test_what_is_erased_is_gone_also_a_second_time(tmp_path: Path) -> None:
    kept = Attachments(tmp_path / "files")
    kept.erase(NAME)  # before anything was kept
    kept.keep(CONTENT)
    (tmp_path / "link").hardlink_to(tmp_path / "files" / NAME)
    for _ in range(2):
        kept.erase(NAME)
        assert not kept.holds(NAME)
    assert (tmp_path / "link").read_bytes() == bytes(len(CONTENT))  # overwritten, not only unnamed
    kept.erase("../link")
    assert (tmp_path / "link").exists()


@pytest.mark.parametrize("name", ["../journal.db", "", NAME + "/..", NAME.upper()])
def test_no_other_file_can_be_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused, match="SHA-256"):
        Attachments(tmp_path).read(name)


def test_there_is_an_end_to_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "ROOM", 40)
    kept = Attachments(tmp_path)
    kept.keep(CONTENT)
    with pytest.raises(InputRefused, match="room"):
        kept.keep(CONTENT + b"!")
