"""Folding a journal again from the command line."""

import json
import sys
from ipaddress import IPv4Address
from pathlib import Path
from types import FrameType

import pytest

from rempart.__main__ import main
from rempart.adapters.journal import Journal
from rempart.adapters.site_file import read_site
from rempart.engine.facts import AnyFact, Blocked, Contained, StationStarted, body_of, kind_of
from rempart.engine.state import State, enforcement, initial
from rempart.instants import Instant
from rempart.station.recall import image, recall

NOW = Instant(1_700_000_000_000_000)
FIRST = IPv4Address("198.18.0.0")
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


def with_snapshot(folder: Path, state: State) -> None:
    """A snapshot, and a block after it."""
    journal = Journal.open(folder / "j" / "journal.db", folder / "keys", origin="rempart/t", now=NOW)
    journal.snapshot(image(state), at=NOW)
    later = Blocked(at=NOW, target="198.51.100.2", until=None, by="Alex", reason="")
    journal.seal(kind_of(later), body_of(later), at=NOW)
    journal.close()


def test_the_last_snapshot_leads_to_the_same(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = read_site(written / "site.toml")
    journal = Journal.read(written / "j/journal.db")
    with_snapshot(written, recall(journal, site))
    journal.close()
    assert replay(written) == 0
    assert "otherwise" not in capsys.readouterr().out


def test_a_snapshot_that_tells_otherwise_is_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_snapshot(
        written, initial(read_site(written / "site.toml"))
    )  # it forgot the cut, and the block before it
    assert replay(written) == 1
    told = capsys.readouterr().out
    assert "otherwise: the site is not contained" in told
    assert "198.51.100.1" in told.rpartition("posture:")[2]
    assert "198.51.100.2" not in told.rpartition("posture:")[2]


def test_time_grows_with_the_facts_and_not_with_their_square(written: Path) -> None:
    """What was held is brought together once, at the end, and not at each fact."""
    journal = Journal.open(written / "j" / "journal.db", written / "keys", origin="rempart/t", now=NOW)
    blocks = [
        Blocked(at=NOW, target=str(FIRST + number), until=None, by="Alex", reason="")
        for number in range(2_000)
    ]
    journal.seal_all([(kind_of(block), body_of(block)) for block in blocks], at=NOW)
    journal.close()
    went_through = 0

    def seen(frame: FrameType, event: str, _: object) -> None:
        nonlocal went_through
        went_through += event == "call" and frame.f_code.co_name == enforcement.__name__

    sys.setprofile(seen)
    try:
        assert replay(written, "--json") == 0
    finally:
        sys.setprofile(None)
    assert went_through <= 2


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
