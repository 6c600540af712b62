"""Folding a journal again from the command line."""

import json
from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.adapters.journal import Journal
from rempart.engine.facts import AnyFact, Blocked, Contained, StationStarted, body_of, kind_of
from rempart.instants import Instant

NOW = Instant(1_700_000_000_000_000)
SITE = """
id = "les-tilleuls"
name = "Les Tilleuls"
template = "nursing-home"
languages = ["fr"]
phone = "04 000 00 10"
[uplink]
interface = "wan"
addresses = ["203.0.113.1/24"]
[[zones]]
id = "wards"
name = "Wards"
interface = "wards"
networks = ["10.1.0.0/24"]
[[openings]]
id = "browsing"
name = "Browsing"
direction = "out"
zones = ["wards"]
hosts = ["*"]
services = ["tcp/443"]
care = 6
fallback = { text = "telephone" }
[[safeguards]]
id = "operators"
interface = "mgmt"
networks = ["10.9.0.0/24"]
services = ["tcp/22"]
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with a site and a journal of three facts, one with a hostile reason."""
    (tmp_path / "site.toml").write_text(SITE)
    journal = Journal.open(tmp_path / "j" / "journal.db", tmp_path / "keys", origin="rempart/t", now=NOW)
    hostile = "\x1b[2J\u202eevil <b> =cmd()"
    these: tuple[AnyFact, ...] = (
        StationStarted(at=NOW, site="les-tilleuls"),
        Blocked(at=NOW, target="198.51.100.1", until=None, by="Alex", reason=hostile),
        Contained(at=NOW, by="Night nurse", reason="", incidents=[]),
    )
    for fact in these:
        journal.seal(kind_of(fact), body_of(fact), at=NOW)
    journal.close()
    return tmp_path


def replay(folder: Path, *more: str) -> int:
    return main(["replay", str(folder / "j/journal.db"), "--site", str(folder / "site.toml"), *more])


def test_it_tells_what_was_decided_and_hostile_text_stays_text(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(written) == 0
    told = capsys.readouterr().out
    assert "posture: contained" in told
    assert "\x1b[2J" not in told
    assert "\u202e" not in told
    assert "Night nurse" in told


def test_it_stops_where_it_is_told(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = Journal.read(written / "j/journal.db")
    count = last.head[0]
    last.close()
    assert replay(written, "--until", str(count - 1)) == 0
    assert "posture: normal" in capsys.readouterr().out


def test_json_lines_carry_the_bodies(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(written, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["kind"] for line in lines] == ["StationStarted", "Blocked", "Contained"]


def test_a_journal_changed_by_hand_is_not_folded(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written / "j/journal.db"
    data = path.read_bytes()
    assert data.count(b"Night nurse") == 1
    path.write_bytes(data.replace(b"Night nurse", b"Nigth nurse"))
    assert replay(written) == 1
    assert "does not verify" in capsys.readouterr().err


def test_a_file_that_is_no_journal_is_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["replay", str(written / "site.toml"), "--site", str(written / "site.toml")])
    assert code == 2
    assert "site.toml" in capsys.readouterr().err
