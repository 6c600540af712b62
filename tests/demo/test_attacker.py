"""The attacker's programs really do what the story tells, and note it truly."""

import time
from pathlib import Path

import pytest
from demo.addresses import Plan
from demo.attacker import read_notes
from demo.programs import Programs, python
from demo.world import World

pytestmark = pytest.mark.lab


def _do(world: World, machine: str, verb: str, tmp_path: Path, module: str = "demo.attacker") -> list[dict]:
    notes = tmp_path / f"{verb}.jsonl"
    arguments = [verb] if module == "demo.attacker" else []
    done = world.run(machine, python(module, *arguments, str(world.plan.seed), str(notes)))
    assert done.returncode == 0, done.stderr
    return read_notes(notes)


def test_the_scan_finds_the_published_door(world: World, programs: Programs, tmp_path: Path) -> None:
    notes = _do(world, "attacker", "scan", tmp_path)
    assert notes[0]["what"] == "first packet"
    assert notes[-1]["what"] == "scanned"


def test_guessing_ends_in_a_sign_in(world: World, programs: Programs, day: Plan, tmp_path: Path) -> None:
    notes = _do(world, "attacker", "guess", tmp_path)
    assert [note["account"] for note in notes] == [day.guessed.name]
    lines = programs.portal_log.read_text().splitlines()
    mine = [line for line in lines if line.startswith(day.address("attacker"))]
    assert sum('" 401 ' in line for line in mine) == len(day.attack.passwords) - 1
    assert sum('" 200 ' in line for line in mine) == 3


def test_probes_reach_the_website(world: World, programs: Programs, day: Plan, tmp_path: Path) -> None:
    notes = _do(world, "attacker", "probe", tmp_path)
    assert len(notes) == 20
    assert all(note["status"] for note in notes)
    assert "jndi:ldap" in programs.website_log.read_text()


def test_the_scanner_is_somebody_else(world: World, programs: Programs, day: Plan, tmp_path: Path) -> None:
    notes = _do(world, "scanner", "sweep", tmp_path, "demo.scanner")
    assert notes[0]["what"] == "first packet"
    assert day.address("scanner") in programs.website_log.read_text()
    assert day.address("scanner") not in day.host("attacker").addresses


def test_malware_obeys_takes_and_sends_out(
    world: World, programs: Programs, day: Plan, tmp_path: Path
) -> None:
    server, taken = tmp_path / "command.jsonl", tmp_path / "malware.jsonl"
    world.start("command", "command", python("demo.attacker", "command", str(day.seed), str(server)))
    world.start("ward-pc", "malware", python("demo.attacker", "malware", str(day.seed), str(taken)))
    limit = time.monotonic() + 60
    while not any(note["what"] == "taken all" for note in read_notes(taken)) and time.monotonic() < limit:
        time.sleep(0.2)
    world.stop("malware")
    world.stop("command")
    opened = {
        note["number"] for note in read_notes(taken) if note["what"] == "asked" and note["status"] == 200
    }
    assert opened == set(day.attack.stolen) & set(day.patients)
    assert sum(note["what"] == "beacon" for note in read_notes(server)) >= day.attack.beacons
    assert sum(note.get("bytes", 0) for note in read_notes(server)) > 100_000
    lines = [
        line for line in programs.care_log.read_text().splitlines() if line.startswith(day.address("ward-pc"))
    ]
    assert len(lines) == len(day.attack.stolen)
    assert all(f" - {day.guessed.name} [" in line for line in lines)


def test_a_disabled_account_cannot_sign_in(
    world: World, programs: Programs, day: Plan, tmp_path: Path
) -> None:
    programs.disable(day.guessed)
    notes = _do(world, "attacker", "relapse", tmp_path)
    assert {note["status"] for note in notes} == {401}
