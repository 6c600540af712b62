"""The measuring streams see a cut as it is: what passed, what did not, what was lost."""

import json
import time
from pathlib import Path

import pytest
from demo.attacker import read_notes
from demo.programs import Programs, python
from demo.streams import INSIDE, Measurement, Way, passages
from demo.world import GATEWAY, World

pytestmark = [pytest.mark.lab, pytest.mark.timed]

_CUT = """
table inet cut {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname wards oifname wan meta l4proto tcp reject with tcp reset
    oifname wan drop
    iifname wan drop
  }
  chain input { type filter hook input priority 0; policy accept; iifname dmz drop; }
  chain output { type filter hook output priority 0; policy accept; oifname dmz drop; }
}
"""


@pytest.fixture(scope="module")
def measured(world: World, programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> list:
    """Everything runs for two seconds, then all that leaves or enters is cut for two."""
    rules: Path = tmp_path_factory.mktemp("rules") / "cut.nft"
    rules.write_text(_CUT)
    measurement = Measurement(world)
    measurement.start()
    time.sleep(3)
    assert world.run(GATEWAY, ["nft", "-f", str(rules)]).returncode == 0
    ack = time.monotonic_ns()
    time.sleep(2)
    seen = measurement.stop()
    world.run(GATEWAY, ["nft", "delete", "table", "inet", "cut"])
    return passages(measurement.streams, seen, ack)


def test_every_stream_ran_all_the_time(measured: list) -> None:
    """A thousand a second, that is; on a busy machine fewer, of which the demo itself complains."""
    slow = {
        p.stream.sender: p.sent / p.seconds
        for p in measured
        if p.stream.carrier == "udp" and p.sent / p.seconds < 300
    }
    assert not slow


def test_every_opening_has_a_stream_each_way_that_got_through(measured: list) -> None:
    ways = {(p.stream.opening, p.stream.way) for p in measured if p.arrived > 1000}
    openings = {p.stream.opening for p in measured} - {INSIDE}
    assert ways >= {(opening, way) for opening in openings for way in (Way.OUTWARD, Way.INWARD)}


def test_nothing_sent_after_the_cut_passed(measured: list) -> None:
    assert {
        p.stream.sender: p.passed_after for p in measured if p.passed_after and p.stream.way is not Way.INSIDE
    } == {}


def test_inside_nothing_was_lost(measured: list) -> None:
    inside = [p for p in measured if p.stream.way is Way.INSIDE]
    assert sum(p.sent for p in inside) >= 10_000
    assert [p.lost for p in inside] == [0] * len(inside)


def test_what_was_cut_was_lost_and_flows_begun_inside_were_told(measured: list) -> None:
    cut = [p for p in measured if p.stream.way is Way.OUTWARD]
    assert all(p.lost > 0 or p.refused > 0 for p in cut)
    assert next(p for p in measured if p.stream.sender == "ehealth-platform-out-tcp-near").refused > 0


def test_ordinary_people_go_about_their_day(world: World, programs: Programs, tmp_path: Path) -> None:
    notes = tmp_path / "people.jsonl"
    prefix = str(world.path("x"))[:-1]
    world.start(GATEWAY, "people", python("demo.people", str(world.plan.seed), prefix, str(notes)))
    everything = {"care-file", "ehealth-platform", "web-browse", "gp-portal", "website"}
    limit = time.monotonic() + 60
    while {note["what"] for note in read_notes(notes)} < everything and time.monotonic() < limit:
        time.sleep(0.2)
    world.stop("people")
    said = read_notes(notes)
    assert {note["what"] for note in said} == everything
    assert {note["status"] for note in said} <= {200, 404, 401}, json.dumps(said)


def test_telephones_speak_both_ways(world: World, programs: Programs) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and "call over" not in world.said("telephone-operator"):
        time.sleep(0.2)
    assert "call over" in world.said("telephone-exchange")
    assert "call over" in world.said("telephone-operator")
