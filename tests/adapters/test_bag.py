import subprocess
import sys
from pathlib import Path

import pytest

from rempart.adapters import bag
from rempart.errors import InputRefused, JournalBroken
from rempart.instants import parse_rfc3339

AT = parse_rfc3339("2026-11-20T15:00:00Z")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    content = tmp_path / "content"
    (content / "journal").mkdir(parents=True)
    (content / "journal" / "entries.jsonl").write_text("{}\n")
    bag.make(content, tmp_path / "bag", about={"External-Identifier": "I-7\nBag-Size: 0"}, dated=AT)
    return tmp_path / "bag"


def test_the_reference_tool_accepts_it(made: Path) -> None:
    tool = Path(sys.executable).with_name("bagit.py")
    done = subprocess.run([tool, "--validate", made], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert bag.check(made) == made / "data"


def test_a_hostile_value_stays_on_its_line(made: Path) -> None:
    info = (made / "bag-info.txt").read_text().splitlines()
    assert "External-Identifier: I-7Bag-Size: 0" in info
    assert "Bagging-Date: 2026-11-20" in info


@pytest.mark.parametrize("harm", ["change", "remove", "add"])
def test_any_change_is_found_and_named(made: Path, harm: str) -> None:
    entries = made / "data" / "journal" / "entries.jsonl"
    match harm:
        case "change":
            entries.write_text("[]\n")
        case "remove":
            entries.unlink()
        case _:
            (made / "data" / "added.txt").write_text("x")
    with pytest.raises(JournalBroken, match=r"Payload|entries\.jsonl|added\.txt"):
        bag.check(made)


def test_a_folder_that_exists_is_never_written_into(made: Path) -> None:
    with pytest.raises(InputRefused, match="exists already"):
        bag.make(made / "data", made, about={}, dated=AT)


def test_a_place_that_cannot_be_written_is_named(made: Path) -> None:
    with pytest.raises(InputRefused, match="cannot be written") as told:
        bag.make(made / "data", Path("/proc/evidence"), about={}, dated=AT)
    assert told.value.where == "/proc/evidence"


def test_a_folder_that_is_no_bag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="not an evidence bag"):
        bag.check(tmp_path)


def test_nothing_is_left_beside_it(made: Path) -> None:
    assert sorted(path.name for path in made.parent.iterdir()) == ["bag", "content"]
