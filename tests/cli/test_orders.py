"""The verbs that speak to a running guard: a real guard and journal behind a real socket."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.home import RECORDS, SITE, shipped_policy
from rempart.__main__ import main
from rempart.adapters.attachments import Attachments
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import serve
from rempart.engine.inputs import Found, Started
from rempart.engine.step import Terms
from rempart.messages import FromOperator
from rempart.station.guard import Guard
from rempart.station.hearing import Hearing


@pytest.fixture
def station(tmp_path: Path, unhurried: None) -> Iterator[Path]:
    """The run folder of a guard in another thread, that has seen records taken."""
    up, stop = threading.Event(), threading.Event()

    async def life() -> None:
        journal = Journal.open(
            tmp_path / "journal.db", tmp_path / "keys", origin="rempart/t", now=SystemClock().now()
        )
        files = Attachments(tmp_path / "attachments")
        guard = Guard(
            Terms(SITE, shipped_policy()), journal, MemoryEnforcer(), SystemClock(), attachments=files
        )
        worker = asyncio.create_task(guard.run())
        await guard.ask(Started(guard.clock.now()))
        await guard.ask(Found(guard.clock.now(), RECORDS))
        door = await serve(
            tmp_path / "run/guard/operator.sock",
            mode=0o600,
            allowed_uids={os.getuid()},
            incoming=FromOperator,
            handler=Hearing(guard).operator,
        )
        up.set()
        await asyncio.to_thread(stop.wait)
        await door.close()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        guard.close()
        journal.close()

    thread = threading.Thread(target=asyncio.run, args=(life(),))
    thread.start()
    assert up.wait(60)
    yield tmp_path / "run"
    stop.set()
    thread.join()


def say(station: Path, *words: str) -> int:
    """Run a verb as Alex."""
    return main([*words, "--run", str(station), "--by", "Alex"])


def posture(station: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert main(["status", "--json", "--run", str(station)]) == 0
    status: dict[str, object] = json.loads(capsys.readouterr().out)
    return status


def test_contain_says_how_long_it_took_and_where_it_is_sealed(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(station, "contain", "--reason", "records are leaving") == 0
    told = capsys.readouterr().out
    assert told.startswith("done in ")
    assert "sealed as entry" in told
    assert say(station, "contain") == 0
    assert "it is so already" in capsys.readouterr().out
    assert posture(station, capsys)["posture"] == "contained"


def test_a_refusal_says_why_and_what_can_be_done(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(station, "block", "10.9.0.7") == 5
    told = capsys.readouterr().err
    assert told.startswith("refused: 10.9.0.7 may not be touched: ")
    assert say(station, "contain", "--lifeline", "telephone") == 5
    assert "fallback" in capsys.readouterr().err


def test_a_whole_reopening_by_hand(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(station, "contain")
    assert say(station, "reopen", "trial", "ehealth", "--for", "10m") == 5
    for gate in ("need", "cut-verified", "evidence", "eviction", "asset", "filter"):
        assert say(station, "reopen", "gate", "ehealth", gate, "yes", "--proof", "seen") == 0
    approve = ["reopen", "gate", "ehealth", "approval", "yes", "--proof", "agreed", "--run", str(station)]
    assert main([*approve, "--by", "Dr Peeters"]) == 0
    assert say(station, "reopen", "trial", "ehealth", "--for", "10m") == 0
    assert say(station, "reopen", "confirm", "ehealth") == 0
    assert say(station, "reopen", "normal") == 5
    assert posture(station, capsys)["posture"] == "reopening"


def test_blocks_isolations_openings_and_words(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(station, "block", "198.51.100.0/24", "--for", "1h") == 0
    assert say(station, "isolate", "ward-pc", "--for", "1d") == 0
    assert say(station, "opening", "portal", "closed") == 0
    status = posture(station, capsys)
    assert [m["target"] for m in status["measures"]] == ["198.51.100.0/24", "ward-pc"]  # type: ignore[attr-defined]
    incident = status["incidents"][0]["id"]  # type: ignore[index]
    assert say(station, "qualify", str(incident), "--ransom", "asked") == 0
    note = station / "note.txt"
    note.write_text("seen at 3 o'clock")
    for deed, *more in (
        ("comment", "slow"),
        ("assign",),
        ("attach", str(note)),
        ("answer", "fte", "62"),
        ("answer", "offence-suspected", "yes", "--since", "2024-01-01T00:00:00Z"),
        ("sent", "insurer", "--at", "2024-01-01T00:00:00Z", "--proof", "call 7"),
    ):
        assert say(station, "incident", deed, str(incident), *more) == 0, deed
    assert say(station, "incident", "split", str(incident), "nothing") == 5
    assert say(station, "incident", "merge", str(incident), "inc-x") == 5
    assert say(station, "incident", "attach", str(incident), "/nowhere") == 2
    assert say(station, "incident", "answer", str(incident), "fte", "many") == 2
    assert say(station, "approve", f"contain-{incident}-les-tilleuls") == 0
    assert say(station, "block", "198.51.100.0/24", "--lift") == 0
    assert say(station, "isolate", "ward-pc", "--lift") == 0
    capsys.readouterr()
    assert main(["status", "--run", str(station)]) == 0
    assert "contained since" in capsys.readouterr().out


def test_no_station_is_said_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contain", "--run", str(tmp_path), "--by", "Alex"]) == 4
    assert "rempart run" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "ten", "-1h", "1w", "9" * 9])
def test_a_length_of_time_that_is_none_is_a_usage_error(text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["block", "198.51.100.1", "--for", text])
    assert ended.value.code == 2


def test_an_alert_is_shown_taken_once_and_its_minutes_are_shown(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = posture(station, capsys)["alerts"][0]  # type: ignore[index]
    assert main(["status", "--run", str(station)]) == 0
    shown = capsys.readouterr().out
    assert "now: Care files are being opened in series" in " ".join(shown.split())
    assert main(["digest", "--run", str(station), "--language", "fr"]) == 1
    assert "Une alerte n'a été prise par personne" in capsys.readouterr().out
    assert say(station, "acknowledge", alert["code"].lower()) == 0
    assert say(station, "acknowledge", alert["code"]) == 5
    assert "taken already, by Alex" in capsys.readouterr().err
    assert main(["status", "--run", str(station)]) == 0
    assert "from alert to a person acting" in " ".join(capsys.readouterr().out.split())
    assert main(["digest", "--run", str(station), "--language", "nl"]) == 0
    assert "Niets te doen voor u." in capsys.readouterr().out
    assert main(["digest", "--run", str(station), "--last", "--language", "de"]) == 2


def test_a_code_that_nobody_has_and_a_test_for_nobody_are_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(station, "acknowledge", "AAAAAA") == 5
    assert say(station, "tell", "test") == 5
    assert "names nobody who is told" in capsys.readouterr().err
