"""What the status says of names that were refused: as words, whatever the names are."""

from io import StringIO

from rich.console import Console

from engine.home import SITE
from engine.test_step import Talk
from rempart.cli.status import show
from rempart.console.words import words
from rempart.engine import orders
from rempart.engine.state import Posture
from rempart.instants import Instant
from rempart.messages import NameRefusal, NamesRefused, Status
from rempart.site.language import Language
from rempart.station.status import status


def shown(refused: NamesRefused | None = None, fault: str = "") -> str:
    told = Status(
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
        enforcement_fault=fault,
    )
    out = StringIO()
    show(Console(file=out, width=120), told)
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
    assert "names" not in shown()


def test_a_fault_and_its_cure_are_one_sentence_after_the_other() -> None:
    told = shown(
        fault="haproxy.sock: the proxy does not answer\nStart the proxy: it starts in the wanted state."
    )
    assert "the proxy does not answer Start the proxy" in " ".join(told.split())


def test_every_measure_that_stands_is_told() -> None:
    talk = Talk().order(orders.Block(by="Alex", target="198.51.100.66", reason="x"))
    talk.order(orders.Isolate(by="Alex", asset="ward-pc")).order(
        orders.Bar(by="Alex", passage="wards>servers")
    )
    told = status(SITE, talk.state, talk.now, head=(1, "00"), verified=None, fault="")
    out = StringIO()
    show(Console(file=out, width=120), told)
    for line in ("block 198.51.100.66", "isolate ward-pc", "bar wards>servers"):
        assert f"{line} until lifted, by Alex" in out.getvalue()
    for language in Language:
        assert all(words(language).has(f"measure.{each.action}") for each in told.measures)
