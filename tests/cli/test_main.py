"""What every verb shares: how it ends."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from rempart.__main__ import main, parser
from rempart.cli import drill
from rempart.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]


def test_a_reader_that_goes_away_never_makes_a_success() -> None:
    """``rempart verify bad.db | head -1`` must not answer 0."""
    asked = ["rules", "check", str(ROOT / "rules")]
    process = subprocess.Popen(
        [sys.executable, "-m", "rempart", *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141
    assert said == b""


def rempart(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """The command as a person starts it, whole."""
    return subprocess.run(
        [sys.executable, "-m", "rempart", *words],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **{"stdout": subprocess.PIPE, **more},
    )


def test_a_full_disk_below_standard_output_is_told_and_is_no_answer_of_the_check() -> None:
    """1 would say that something was found; a traceback would say nothing."""
    with Path("/dev/full").open("w") as full:
        done = rempart("drill", "chc", stdout=full)
    assert done.returncode == ExitCode.MACHINE
    assert done.stderr.splitlines() == [
        "rempart drill: the machine refuses: No space left on device",
        "Make room on the disk (df -h shows it), then do it again.",
    ]


def test_help_that_finds_no_room_is_told_as_well() -> None:
    with Path("/dev/full").open("w") as full:
        done = rempart("--help", stdout=full)
    assert done.returncode == ExitCode.MACHINE
    assert done.stderr.startswith("rempart --help: the machine refuses: ")


def test_a_path_that_no_file_system_takes_is_told() -> None:
    done = rempart("rules", "check", "x" * 300)
    assert done.returncode == ExitCode.MACHINE
    assert "the machine refuses: File name too long" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_utf8_is_written_to_with_escapes() -> None:
    done = rempart(
        "site", "new", "--template", "nursing-home", "--name", "Été", env={"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == ExitCode.OK
    assert "\\xc9t\\xe9" in done.stdout


def test_what_nobody_foresaw_is_called_a_defect_and_told_without_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an exception says may quote a resident's name out of a hostile line."""

    def broken(_: object) -> int:
        raise LookupError("Mrs Dupont")

    monkeypatch.setattr(drill, "run", broken)
    assert main(["drill", "chc"]) == ExitCode.MACHINE
    said = capsys.readouterr().err
    assert said.startswith("rempart drill: a defect of Rempart: LookupError in test_main.py, line ")
    assert "Dupont" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["contian"], "'contian' is unknown; did you mean contain?"),
        (["hope"], "'hope' is unknown\n`rempart --help` says more."),
        (["site", "chekc"], "'chekc' is unknown; did you mean check?\n`rempart site --help` says more."),
        (["drill", "chc", "--fact"], None),  # argparse takes a beginning for the whole
        (["drill", "chc", "--fcats"], "'--fcats' is unknown; did you mean --facts?"),
        (["attest", "ward", "maybe"], "'maybe' is unknown; known are: yes, no, unknown"),
        (["replay", "j", "--site", "s", "--until", "x"], "'x' is no whole number"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_what_may_have_been_meant(
    words: list[str], said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if said is None:
        assert main(words) == ExitCode.OK
        return
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == ExitCode.USAGE
    assert said in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == ExitCode.OK
    assert capsys.readouterr().out == f"rempart {version('rempart')}\n"


def test_each_argument_of_each_verb_says_what_it_is() -> None:
    """Nobody at a nursing home reads the source."""
    silent = [
        f"{verb.prog}: {argument.metavar or argument.dest}"
        for verb in every(parser())
        for argument in verb._actions
        if not argument.help and not isinstance(argument, argparse._SubParsersAction)
    ]
    assert silent == []


def test_each_verb_lists_its_exit_codes() -> None:
    """A step may leave that to its verb."""
    silent = [
        verb.prog
        for verb in below(parser())
        for each in below(verb) or [verb]
        if "exit codes:" not in f"{verb.description} {each.description}"
    ]
    assert silent == []


def below(whole: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers one step below."""
    return [
        each
        for action in whole._actions
        if isinstance(action, argparse._SubParsersAction)
        for each in action.choices.values()
    ]


def every(whole: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and all below it."""
    yield whole
    for each in below(whole):
        yield from every(each)
