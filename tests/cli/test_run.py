"""What cannot be started on is said before anything is started: which file, where, and the exit code of the help."""

from dataclasses import fields
from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.config import Places
from rempart.errors import EnforcementFailed, ExitCode, InputRefused, PrivilegeMissing
from rempart.station.supervisor import Program, Supervisor
from rempart.station.users import User, Users
from station.empty import EMPTY


@pytest.fixture
def start(tmp_path: Path) -> list[str]:
    site = tmp_path / "site.toml"
    assert main(["site", "new", "--template", "medical-house", "--name", "Test", "--out", str(site)]) == 0
    return ["run", "--site", str(site), "--state", str(tmp_path / "state"), "--run", str(tmp_path / "run")]


@pytest.mark.parametrize("content", [b"x = [", b"caf\xe9 = 1", None])
def test_a_policy_that_cannot_be_used(
    start: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    policy = tmp_path / "policy.toml"
    if content is None:
        policy.mkdir()
    else:
        policy.write_bytes(content)
    assert main([*start, "--policy", str(policy)]) == ExitCode.USAGE
    assert str(policy) in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_rules_that_are_not_there(
    start: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*start, "--rules", str(tmp_path / "none")]) == ExitCode.USAGE
    assert str(tmp_path / "none") in capsys.readouterr().err


def station_of(places: Places) -> Supervisor:
    own = User("", 0, 0)
    return Supervisor(places, EMPTY, Users(*[own] * (len(fields(Users)) - 1), "in a test"), 1)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    places = Places(site=tmp_path, state=tmp_path / "state", run=tmp_path / "run", rules=())
    station = station_of(places)
    with pytest.raises(InputRefused, match="cannot be made ready") as told:
        station._prepare()
    assert told.value.where == str(tmp_path / "run")


def test_a_missing_program_is_named_before_the_guard_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(site=tmp_path, state=tmp_path, run=tmp_path, rules=())
    station = station_of(places)
    monkeypatch.setattr(Supervisor, "_prepare", lambda _: None)  # needs a network of one's own
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(PrivilegeMissing, match="nginx is not installed"):
        station.run()
    assert station.programs == []


@pytest.mark.parametrize(("code", "ours"), [(1, 1), (2, 2), (0, 6), (99, 6)])
def test_a_guard_that_does_not_come_up_ends_the_station_with_its_exit_code(
    tmp_path: Path, code: int, ours: int
) -> None:
    places = Places(site=tmp_path, state=tmp_path, run=tmp_path, rules=())
    station = station_of(places)
    guard = Program("guard", ["sh", "-c", f"exit {code}"])
    guard.start()
    with pytest.raises(EnforcementFailed, match="guard did not come up") as told:
        station._await(guard, lambda: False)
    assert told.value.exit_code == ours


def test_a_hostile_file_name_reaches_the_terminal_as_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "/nowhere/\x1b[2J\u202e"]) == ExitCode.USAGE
    assert "\\u{1b}[2J\\u{202e}" in capsys.readouterr().err


def test_a_changed_description_goes_on_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    places = Places(site=tmp_path, state=tmp_path, run=tmp_path, rules=())
    station, other = station_of(places), station_of(places)
    station.renew = lambda: other
    station._make_heir()
    assert station.stopping
    assert station.heir is other


@pytest.mark.parametrize("missing", [True, False])
def test_a_description_that_cannot_be_used_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, missing: bool
) -> None:
    places = Places(site=tmp_path, state=tmp_path, run=tmp_path, rules=())
    station = station_of(places)

    def renew() -> Supervisor:
        if not missing:
            raise InputRefused("it is not TOML", where="site.toml")
        return station_of(places)

    station.renew = renew
    if missing:
        monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    station._make_heir()
    assert not station.stopping
    assert station.heir is None
    assert ("is not installed" if missing else "it is not TOML") in caplog.text
