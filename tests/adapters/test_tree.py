"""Looking at a real tree: links, pipes, odd names, closed folders, and what changes meanwhile."""

import os
from pathlib import Path

import pytest

from rempart.adapters import tree
from rempart.evidence.baseline import Looked


def seen(root: Path, *skip: str) -> dict[str, Looked]:
    return {each.path: each for each in tree.look(root, skip)}


def test_everything_is_looked_at_and_nothing_followed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").write_bytes(b"abc")
    (tmp_path / "bin/tool").chmod(0o4755)
    (tmp_path / "link").symlink_to("/etc/shadow")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/na\xffme"))).write_bytes(b"")
    found = seen(tmp_path)
    assert set(found) == {".", "bin", "bin/tool", "link", "loop", "pipe", "na%FFme"}
    assert found["bin/tool"].digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (found["bin/tool"].mode, found["bin/tool"].size) == (0o4755, 3)
    assert (found["link"].kind, found["pipe"].kind, found["pipe"].digest) == ("link", "pipe", "")
    assert all(each.why == "" for each in found.values())


def test_what_is_left_out_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/a").write_text("x")
    found = seen(tmp_path, "log")
    assert found["log"].why == "left out"
    assert "log/a" not in found


def test_another_file_system_is_not_entered() -> None:
    if os.lstat("/proc").st_dev == os.lstat("/").st_dev:
        pytest.skip("/proc is not mounted here")
    looked = tree.look(Path("/"), ("[!p]*",))
    found = {each.path: each for each in looked}
    assert found["proc"].why == "on another file system"


def test_a_file_that_changes_while_it_is_read_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "growing"
    file.write_bytes(b"x")
    reading = os.read

    def read(descriptor: int, size: int) -> bytes:
        with file.open("ab") as more:
            more.write(b"y")
        return reading(descriptor, size) if file.stat().st_size < 5 else b""

    monkeypatch.setattr(tree.os, "read", read)
    assert seen(tmp_path)["growing"].why == "it changed while it was read"


def test_a_root_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        seen(tmp_path / "none")


def test_a_folder_that_may_not_be_entered_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    entering = Path.iterdir

    def iterdir(self: Path) -> object:  # as for anybody but root
        if self.name == "closed":
            raise PermissionError(13, "Permission denied")
        return entering(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert seen(tmp_path)["closed"].why == "Permission denied"
