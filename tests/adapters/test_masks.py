"""The key that makes masks: made once, and on the disk with its name before anybody is shown a mask."""

import os
import stat
from pathlib import Path

import pytest

from rempart.adapters.masks import key


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = key(tmp_path / "masks.key")
    assert key(tmp_path / "masks.key") == made
    assert (tmp_path / "masks.key").stat().st_mode & 0o777 == 0o600


def test_its_name_is_on_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that only the folder in memory knows is gone after a power cut, and with it everybody's mask."""
    synced: list[tuple[bool, bool]] = []
    really = os.fsync

    def noted(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, (tmp_path / "masks.key").exists()))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    key(tmp_path / "masks.key")
    assert synced == [(False, False), (True, True)]
