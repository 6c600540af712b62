"""What the status says of names that were refused: as words, whatever the names are."""

from io import StringIO

from rich.console import Console

from rempart.cli.status import show
from rempart.engine.state import Posture
from rempart.instants import Instant
from rempart.messages import NameRefusal, NamesRefused, Status


def shown(refused: NamesRefused | None) -> str:
    status = Status(
        site="small",
        now=Instant(2_000_000),
        posture=Posture.NORMAL,
        since=Instant(1_000_000),
        openings=[],
        incidents=[],
        measures=[],
        journal_entries=1,
        journal_root="00" * 32,
        enforcement_verified=None,
        names_refused=refused,
    )
    out = StringIO()
    show(Console(file=out, width=120), status)
    return out.getvalue()


def test_refused_names_are_told_as_words() -> None:
    names = ["evil.example", "\x1b]0;owned\x07.example", "\u202eelpmaxe"]
    latest = [NameRefusal(name=name, reason="name", times=3, last=Instant(0)) for name in names]
    told = shown(NamesRefused(times={"name": 9, "address": 1}, latest=latest))
    assert "names refused: 1 address, 9 name" in told
    assert "evil.example: name, 3 times" in told
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_nothing_is_said_when_nothing_was_refused() -> None:
    assert "names" not in shown(None)
