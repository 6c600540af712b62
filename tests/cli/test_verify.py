"""``rempart verify`` as a person uses it: on a journal, while the guard writes it, on an export, on damage."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rempart.__main__ import main
from rempart.adapters import bag
from rempart.adapters.journal import Journal
from rempart.cli._terminal import harmless
from rempart.instants import Instant

NOW = Instant(1_790_000_000_000_000)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal of 201 entries with its key, to be copied."""
    folder = tmp_path_factory.mktemp("sealed")
    made = Journal.open(folder / "journal.db", folder / "keys", origin="rempart/home", now=NOW)
    for _ in range(10):
        made.seal_all([("finding", {"n": n, "text": "x" * 200}) for n in range(20)], at=NOW)
    made.close()
    return folder


@pytest.fixture
def copied(sealed: Path, tmp_path: Path) -> Path:
    """A copy of the journal that a test may damage."""
    return Path(shutil.copy(sealed / "journal.db", tmp_path / "journal.db"))


@pytest.fixture
def journal(copied: Path, sealed: Path, tmp_path: Path) -> Iterator[Journal]:
    """The copy, open as a guard has it."""
    shutil.copytree(sealed / "keys", tmp_path / "keys")
    made = Journal.open(copied, tmp_path / "keys", origin="rempart/home", now=NOW)
    yield made
    made.close()


def verified(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = main(["verify", "--json", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def test_a_journal_verifies_while_it_is_written(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    code, verdict = verified(capsys, journal.path)
    assert (code, verdict["entries"], verdict["faults"]) == (0, 201, [])
    journal.seal("finding", {}, at=NOW)
    assert verified(capsys, journal.path)[1]["entries"] == 202


def test_a_copy_on_a_medium_that_cannot_be_written_verifies_and_stays_untouched(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exhibit = tmp_path / "exhibit"
    exhibit.mkdir()
    copy = exhibit / "journal.db"
    copy.write_bytes(copied.read_bytes())
    copy.chmod(0o400)
    assert verified(capsys, copy)[0] == 0
    assert [file.name for file in exhibit.iterdir()] == ["journal.db"]


def test_the_words_say_what_is_proved_and_what_is_not(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = tmp_path / "left.txt"
    left.write_text(journal.checkpoint(at=NOW).note)
    assert main(["verify", str(journal.path)]) == 0
    assert "Hold it against a checkpoint that left the box" in capsys.readouterr().out
    assert main(["verify", str(journal.path), "--checkpoint", str(left), "--key", journal.key]) == 0
    assert "Hold it" not in capsys.readouterr().out


def test_a_key_that_is_not_the_journals_is_found(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Journal.open(
        tmp_path / "o" / "journal.db", tmp_path / "o" / "keys", origin="rempart/home", now=NOW
    )
    other.close()
    code, verdict = verified(capsys, journal.path, "--key", other.key)
    assert (code, verdict["first_bad"]) == (1, 1)


@pytest.mark.parametrize("number", [1, 2, 77, 200, 201])
@pytest.mark.parametrize("field", ["previous", "at"])
def test_the_altered_entry_is_named(
    copied: Path, number: int, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(copied) as db:
        db.execute("DROP TRIGGER entries_stand")
        data = db.execute("SELECT entry FROM entries WHERE number = ?", (number,)).fetchone()[0]
        entry = json.loads(data)
        entry[field] = entry[field] + 1 if field == "at" else "f" * 64
        coded = json.dumps(entry, separators=(",", ":")).encode()
        db.execute("UPDATE entries SET entry = ? WHERE number = ?", (coded, number))
    db.close()
    code, verdict = verified(capsys, copied)
    assert code == 1
    fault = verdict["faults"][0]
    if (number, field) == (201, "at"):  # nothing is chained to the last entry: the head alone tells
        assert fault["first"] <= number == fault["last"]
    else:
        assert verdict["first_bad"] == number
        assert fault["last"] in (None, number)


def test_a_damaged_page_is_named_with_its_place_and_nothing_is_swallowed(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(copied) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entries'").fetchone()[0]
        # the root holds cells (page, key); the first four bytes of a cell are a leaf's number
    db.close()
    data = bytearray(copied.read_bytes())
    start = (page - 1) * 4096
    cell = int.from_bytes(data[start + 12 : start + 14])
    leaf = int.from_bytes(data[start + cell : start + cell + 4])
    data[(leaf - 1) * 4096 : (leaf - 1) * 4096 + 8] = bytes(8)
    copied.write_bytes(data)
    code, verdict = verified(capsys, copied)
    assert code == 1
    assert f"page {leaf} (bytes {(leaf - 1) * 4096} to" in json.dumps(verdict["faults"])
    assert verdict["first_bad"] is not None
    with pytest.raises(Exception, match="rempart verify"):
        Journal.open(copied, copied.parent / "keys", origin="rempart/home", now=NOW)


def test_what_is_no_journal_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, other, folder = tmp_path / "a\x1b[31m.txt", tmp_path / "other.db", tmp_path / "folder"
    text.write_text("no database at all, but long enough to be looked at" * 20)
    folder.mkdir()
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    for path in (text, other, folder, tmp_path / "absent.db"):
        assert main(["verify", str(path)]) == 2
        assert harmless(str(path)) in capsys.readouterr().err
    assert main(["verify", str(other), "--checkpoint", str(text)]) == 2
    assert main(["verify", str(other), "--key", "nonsense"]) == 2


def test_a_bag_verifies_and_a_change_in_it_is_found(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.export(tmp_path / "content" / "journal")
    bag.make(tmp_path / "content", tmp_path / "bag", about={}, dated=NOW)
    assert verified(capsys, tmp_path / "bag")[0] == 0
    entries = tmp_path / "bag" / "data" / "journal" / "journal.jsonl"
    lines = entries.read_bytes().split(b"\n")
    lines[6] = lines[6].replace(b'"n":5', b'"n":6')
    entries.write_bytes(b"\n".join(lines))
    code, verdict = verified(capsys, tmp_path / "bag")
    assert (code, verdict["first_bad"]) == (1, 7)
    assert "the bag" in [fault["place"] for fault in verdict["faults"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="a file that one may not read needs another user")
def test_somebody_without_the_right_is_told_so(journal: Journal) -> None:
    journal.path.parent.chmod(0o700)
    command = [sys.executable, "-m", "rempart", "verify", str(journal.path)]
    done = subprocess.run(command, user=65534, capture_output=True, text=True, cwd="/")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
