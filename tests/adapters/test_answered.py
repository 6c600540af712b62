"""The answers' file: for one user, whole or the old one; site.toml is never lost."""

import os
import stat
from pathlib import Path

import pytest

from rempart.adapters import answered
from rempart.errors import InputRefused
from rempart.first_hour.answers import Answers, Institution
from rempart.instants import parse_rfc3339
from rempart.site.language import Language

NOW = parse_rfc3339("2026-11-27T03:05:00Z")
GIVEN = Answers(
    language=Language.FRENCH, institution=Institution(template="nursing-home", name="Les Tilleuls")
)


def test_answers_come_back_and_only_their_user_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "state" / "first-hour.json"
    assert answered.read(file) == Answers()
    answered.write(file, GIVEN)
    assert answered.read(file) == GIVEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["first-hour.json"]


def test_a_file_left_half_by_a_power_cut_is_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "first-hour.json"
    answered.write(file, GIVEN)
    (tmp_path / ".first-hour.json.new").write_text('{"language"')
    assert answered.read(file) == GIVEN
    answered.write(file, GIVEN)
    assert not (tmp_path / ".first-hour.json.new").exists()


@pytest.mark.parametrize("kept", ["not json", '{"language": "it"}', '{"network": 1}'])
def test_what_is_not_understood_is_said_and_left(tmp_path: Path, kept: str) -> None:
    file = tmp_path / "first-hour.json"
    file.write_text(kept)
    with pytest.raises(InputRefused, match="not understood"):
        answered.read(file)
    assert file.read_text() == kept


def test_no_link_and_no_pipe_is_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(InputRefused):
            answered.read(tmp_path / name)


def test_an_earlier_description_is_kept_and_the_same_one_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "site.toml"
    assert answered.put_site(file, "one\n", NOW) is None
    assert answered.put_site(file, "one\n", NOW) is None
    earlier = answered.put_site(file, "two\n", NOW)
    assert file.read_text() == "two\n"
    assert earlier == file.with_name("site.toml.until-2026-11-27T030500Z")
    assert earlier.read_text() == "one\n"
