"""What watch looks for, as it lies on the disk: rules, lists of indicators, countries."""

import logging
from pathlib import Path

import pytest
from msgspec import structs

from rempart.config import Places
from rempart.detection.trait import Trait
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds
from rempart.messages import ExceptionStand
from rempart.site.description import parse
from rempart.station.rulebook import Rulebook

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules" / "ssh"
SITE = ROOT / "tests" / "attacks" / "site.toml"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(site=tmp_path / "site.toml", state=tmp_path / "state", run=tmp_path / "run", rules=(RULES,))


@pytest.fixture
def book(places: Places) -> Rulebook:
    return Rulebook(places, parse(SITE.read_text(), str(SITE)))


def test_lists_in_the_folder_are_looked_up_and_a_new_one_is_noticed(places: Places, book: Rulebook) -> None:
    asked = Event(LogSource(), {"query": "www.evil.example"}, "log", 1, Instant(seconds(1_795_000_000)))
    assert book.detection().feed(asked) == []
    places.indicators.mkdir(parents=True)
    (places.indicators / "bad.txt").write_text("evil.example\n")
    assert book.changed()
    assert [found.rule for found in book.detection().feed(asked)] == ["indicator.domain"]
    assert not book.changed()


def test_a_table_of_countries_that_is_none_is_named_and_left_out(
    places: Places, book: Rulebook, caplog: pytest.LogCaptureFixture
) -> None:
    places.countries.write_text("203.0.113.0/24,Belgium\n")
    with caplog.at_level(logging.ERROR):
        assert book.detection()
    assert "countries.csv:1" in caplog.text


def test_an_ordered_exception_that_cannot_be_read_takes_no_other_with_it(
    places: Places, book: Rulebook, caplog: pytest.LogCaptureFixture
) -> None:
    """A journal may hold one from before such were refused."""
    good = ExceptionStand(
        rule="r", traits=[Trait("c-ip", "10.0.2.7")], reason="export", by="Anne", until="2099-01-31"
    )
    bad = structs.replace(good, reason="on one line\nand another")
    places.ordered_exceptions.parent.mkdir(parents=True, exist_ok=True)
    book.take_orders([bad, good])
    assert "hides nothing" in caplog.text
    assert book.detection()
    _, ordered = book.written_exceptions()
    assert [each.reason for each in ordered] == ["export"]
