"""``rempart account`` before a real guard: accounts are made, listed and ended from the box."""

import re
from pathlib import Path

import pytest

from cli.test_orders import say, station  # noqa: F401  the fixture
from rempart.__main__ import main
from rempart.errors import ExitCode


def test_an_account_is_made_listed_and_ended(station: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert say(station, "account", "add", "anne.dupont", "--name", "Anne Dupont", "--role", "duty") == 0
    said = capsys.readouterr().out
    assert re.search(r"/link\?secret=[A-Za-z0-9_-]{43}$", said.strip())
    assert say(station, "account", "roles", "anne.dupont", "--role", "approver", "--role", "duty") == 0
    assert say(station, "account", "disable", "anne.dupont", "--reason", "left") == 0
    assert main(["account", "list", "--run", str(station)]) == 0
    listed = capsys.readouterr().out
    assert re.search(
        r"anne\.dupont +Anne Dupont +disabled, approver, duty; has not used the link yet", listed
    )
    assert "envelope: none" in listed
    assert say(station, "account", "link", "anne.dupont") == ExitCode.REFUSED
    assert say(station, "account", "enable", "anne.dupont") == 0
    assert say(station, "account", "link", "anne.dupont") == 0
    assert say(station, "account", "sign-out", "anne.dupont") == 0


def test_the_envelopes_code_is_printed_once(station: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert say(station, "account", "envelope") == 0
    assert re.search(r"^([A-Z2-7]{4}-){7}[A-Z2-7]{4}$", capsys.readouterr().out.strip().splitlines()[-1])
    assert main(["account", "list", "--run", str(station)]) == 0
    assert "envelope: since 20" in capsys.readouterr().out


@pytest.mark.parametrize("person", ["Anne", "a", "anne dupont", "../x", "x" * 41])
def test_an_id_that_is_none_is_told(person: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["account", "add", person, "--name", "A", "--role", "duty"])
    assert "is no id of an account" in capsys.readouterr().err
