"""Entries of a zip archive are counted before its directory is read."""

import io
import zipfile

import pytest

from rempart.edge import archive
from rempart.edge.archive import zip_entries


def packed(names: int) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in range(names):
            made.writestr(f"{number}.log", b"a line\n" * number)
    return file


def test_every_entry_is_counted_and_the_file_is_read_on_from_its_beginning() -> None:
    file = packed(70)
    assert zip_entries(file, 1000) == 70
    assert file.tell() == 0


@pytest.mark.parametrize("size", range(1, 12))
def test_an_entry_between_two_pieces_is_counted_once(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(archive, "_PIECE", size)
    assert zip_entries(packed(70), 1000) == 70


def test_no_more_is_read_than_is_needed_to_know_that_it_is_too_much() -> None:
    file = io.BytesIO(archive._ENTRY * (archive._PIECE // 2))
    assert zip_entries(file, 10) == archive._PIECE // 4
