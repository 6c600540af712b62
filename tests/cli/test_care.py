"""The verbs about care, with a real guard and journal behind a real socket."""

import json
from pathlib import Path

import pytest
import zstandard
from pypdf import PdfReader

from cli.test_orders import posture, say, station  # noqa: F401  the fixture
from cli.test_papers import SITE as SITE_TOML
from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.store.events import Batch, EventStore
from rempart.care.rehearsal import Question

WITH_WARDS = SITE_TOML + '\n[[wards]]\nid = "ground"\nname = "Rez"\n[[wards]]\nid = "first"\nname = "Étage"\n'


def test_a_rehearsal_from_the_cut_to_the_report(
    station: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert main(["rehearse", "report", "--run", str(station)]) == 2
    assert say(station, "rehearse", "cut", "--for", "2m") == 0
    for ward in ("ground", "first"):
        for question in Question:
            assert say(station, "rehearse", "tick", ward, question.value, "yes") == 0
    assert say(station, "rehearse", "correct", "ehealth", "lifeline", "--reason", "tablets hung") == 0
    assert say(station, "rehearse", "end") == 0
    site = tmp_path / "site.toml"
    site.write_text(WITH_WARDS)
    capsys.readouterr()
    out = tmp_path / "report.pdf"
    words = ["rehearse", "report", "--out", str(out), "--lang", "de", "--site", str(site)]
    assert main([*words, "--run", str(station)]) == 1
    told = capsys.readouterr().out
    assert "ground call yes (Alex)" in told
    assert "ehealth becomes lifeline: tablets hung (Alex); still to be written in site.toml" in told
    assert "not passed: the last rehearsal was ended before its time" in told
    assert "Probe der Trennung" in PdfReader(out).pages[0].extract_text()


def test_wards_troubles_paper_and_outside(station: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    say(station, "contain")
    assert say(station, "attest", "ground", "yes") == 0
    assert say(station, "attest", "attic", "yes") == 5
    assert say(station, "trouble", "report", "printing", "slow", "--ward", "first") == 0
    assert say(station, "catch-up", "keep", "ehealth", "sheets, first floor") == 0
    assert say(station, "outside", "tick", "Microsoft 365", "yes", "--proof", "admin centre, 3 sessions") == 0
    status = posture(station, capsys)
    main(["status", "--run", str(station)])
    told = " ".join(capsys.readouterr().out.split())
    assert "care goes on: 1 of 2 wards say so this shift, the last at " in told
    assert "First floor: not heard this shift, 04 000 00 21" in told
    assert "troubles open: 1 (printing)" in told
    assert "paper to catch up on: 1" in told
    assert "outside the wall, to do: 2 of 3" in told
    assert "the station does not contain by itself: no cut was ever rehearsed" in told
    assert [each["standing"] for each in status["care"]["wards"]] == ["goes-on", "unheard"]  # type: ignore[index]
    for verb in ("trouble", "outside", "catch-up"):
        assert main([verb, "list", "--run", str(station)]) == 1
    listed = capsys.readouterr().out
    assert "t1 " in listed
    assert "done: Microsoft 365, 1: end all sessions (admin centre, 3 sessions, Alex)" in listed
    assert "p2 waits: ehealth, sheets, first floor" in listed
    assert say(station, "trouble", "settle", "t1", "by address") == 0
    assert say(station, "catch-up", "entered", "p2") == 0
    assert main(["trouble", "list", "--run", str(station)]) == 0
    assert main(["catch-up", "list", "--run", str(station)]) == 0


def test_the_fallbacks_are_printed_with_and_without_a_station(
    station: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(WITH_WARDS)
    out = tmp_path / "fallback.pdf"
    words = ["paper", "fallback", "--site", str(site), "--out", str(out)]
    assert main([*words, "--lang", "nl", "--run", str(tmp_path / "nowhere")]) == 0
    assert "Er is niets afgesloten" in PdfReader(out).pages[0].extract_text()
    say(station, "contain")
    assert main([*words, "--lang", "fr", "--run", str(station)]) == 0
    assert "La maison est coupée" in PdfReader(out).pages[0].extract_text()


def flow(source: str, destination: str, port: int) -> bytes:
    said = {
        "src_ip": source,
        "dest_ip": destination,
        "orig.l4.dport": port,
        "orig.ip.protocol": 6,
        "ct.event": 4,
        "ct.mark": 0,
    }
    return json.dumps(said).encode()


def test_a_forecast_from_the_events_of_the_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.toml"
    site.write_text(WITH_WARDS)
    now = SystemClock().now()
    bodies = [
        flow("10.10.0.7", "192.0.2.25", 443),
        flow("10.10.0.7", "198.51.100.9", 9000),
        b"{",
    ]
    store = EventStore(tmp_path / "events.db")
    store.append(
        [
            Batch(
                id=1,
                read=now,
                source="/ulogd.json",
                decoder="ulogd",
                numbers=range(1, 4),
                bodies=bodies,
                position=b"",
            )
        ]
    )
    words = ["rehearse", "forecast", "--site", str(site)]
    assert main([*words, "--events", str(tmp_path / "events.db")]) == 0
    told = capsys.readouterr().out
    store.close()
    assert "1 unlisted machine → Mail: stops; instead: telephone" in told
    assert "unknown: 1" in told
    assert "198.51.100.9 tcp/9000, 1 times: stops" in told
    assert "not counted: 1 lines that are no flow" in told
    assert main([*words, "--events", str(tmp_path / "none.db")]) == 2
    (tmp_path / "bad.db").write_bytes(zstandard.compress(b"x" * 4096))
    assert main([*words, "--events", str(tmp_path / "bad.db")]) == 2
