"""What is kept is believed only when it is ours and whole; otherwise rules are simply compiled again."""

import os
from pathlib import Path

import pytest

from rempart.adapters import compiled
from rempart.adapters.compiled import KeptFiles
from rempart.detection import sigma
from rempart.detection.match import Matcher
from rempart.events.event import Event, LogSource

KEY = "k" * 64
FILES = [
    (
        "a.yml",
        "title: a\nlogsource: {product: linux}\nlevel: high\ndetection:\n  a: {line|contains: [needle, thread]}\n"
        "  f: {user: root}\n  condition: a and not f\n",
    ),
    ("b.yml", "title: b\nlogsource: {product: linux}\ndetection: {a: {x|expand: '%names%'}, condition: a}\n"),
    ("c.yml", "no rule"),
]


@pytest.fixture
def kept(tmp_path: Path) -> KeptFiles:
    return KeptFiles(tmp_path / "compiled")


def test_what_is_put_is_given_back_and_private(kept: KeptFiles, tmp_path: Path) -> None:
    assert kept.get(KEY) is None
    kept.put(KEY, b"data")
    assert kept.get(KEY) == b"data"
    assert (tmp_path / "compiled").stat().st_mode & 0o777 == 0o700
    assert [each.name for each in (tmp_path / "compiled").iterdir()] == [KEY]
    assert (tmp_path / "compiled" / KEY).stat().st_mode & 0o777 == 0o600


def test_what_is_damaged_open_to_others_or_a_link_is_not_there(kept: KeptFiles, tmp_path: Path) -> None:
    file = tmp_path / "compiled" / KEY
    kept.put(KEY, b"data")
    file.chmod(0o644)
    assert kept.get(KEY) is None
    file.chmod(0o600)
    whole = file.read_bytes()
    for damaged in (whole[:-1], b"", whole[:-1] + b"b", whole + b"more"):
        file.write_bytes(damaged)
        assert kept.get(KEY) is None
    file.write_bytes(whole)
    other = file.rename(file.with_name("o" * 64))
    assert kept.get(other.name) is None, "one key's file is not another's"
    file.symlink_to(other)
    assert kept.get(KEY) is None


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    kept = KeptFiles(tmp_path / "file")
    kept.put(KEY, b"data")
    assert kept.get(KEY) is None
    assert len(compiled.load(kept, FILES).rules) == 1


def test_rules_come_back_as_they_were(kept: KeptFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = compiled.load(kept, FILES)
    assert loaded == sigma.load(FILES)
    assert loaded.waiting
    assert loaded.refused
    monkeypatch.setattr(sigma, "load", lambda *_: pytest.fail("read again"))
    assert compiled.load(kept, FILES) == loaded


def test_other_files_or_placeholders_are_other_rules(kept: KeptFiles) -> None:
    first = compiled.load(kept, FILES)
    assert compiled.load(kept, FILES[1:]).rules == ()
    assert len(compiled.load(kept, FILES, {"names": ["x"]}).rules) == 2
    assert compiled.load(kept, FILES) == first


def test_kept_databases_give_the_same_answers(kept: KeptFiles) -> None:
    rules = sigma.load(FILES).rules
    events = [
        Event(LogSource("linux"), {"line": line, "user": "x"}, "s", 1) for line in ("a Needle", "nothing")
    ]
    answers = []
    for _ in range(2):
        matcher = Matcher(rules, kept)
        matcher.warm()
        answers.append([matcher.matches(event) for event in events])
    assert answers == [[rules, ()], [rules, ()]]


def test_what_was_longest_not_used_makes_room(
    kept: KeptFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_ROOM", 3_500)
    for age, name in enumerate("cba"):
        kept.put(name, bytes(1_000))
        os.utime(tmp_path / "compiled" / name, (age, age))
    assert kept.get("c") == bytes(1_000)
    kept.put("d", bytes(1_000))
    assert {each.name for each in (tmp_path / "compiled").iterdir()} == {"a", "c", "d"}


def test_a_change_in_any_module_of_a_package_is_another_program() -> None:
    package = Path(sigma.__file__).parent
    whole = compiled._source("sigma")
    assert all(module.read_bytes() in whole for module in package.glob("*.py"))
