"""Machines reach one another through the gateway only, and a run leaves nothing behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo.addresses import Plan, plan
from demo.programs import python
from demo.world import GATEWAY, World, sweep, traces

pytestmark = pytest.mark.lab

_EMPTY = {"namespaces": [], "processes": [], "links": [], "tables": [], "files": []}


def test_the_way_from_one_zone_to_another_leads_over_the_gateway(world: World, day: Plan) -> None:
    route = world.run("ward-pc", ["ip", "route", "get", day.address("servers")]).stdout
    assert f"via {day.gateway['wards']}" in route
    neighbours = world.run("ward-pc", ["ip", "neighbour"]).stdout
    assert day.address("servers") not in neighbours


def test_the_gateway_has_one_interface_for_each_switch(world: World, day: Plan) -> None:
    links = world.run(GATEWAY, ["ip", "-brief", "link"]).stdout
    assert {line.split("@")[0] for line in links.splitlines()} >= set(day.gateway)


def test_nothing_is_left_after_a_run_with_programs_children_and_rules() -> None:
    with World(plan(3)) as world:
        world.start("servers", "parent", ["sh", "-c", "sleep 300 & setsid sleep 300 & wait"])
        world.run(GATEWAY, ["nft", "add", "table", "inet", "rempart"])
        limit = time.monotonic() + 30
        while len((left := world.leftovers())["processes"]) < 3 and time.monotonic() < limit:
            time.sleep(0.05)
        assert left["namespaces"]
        assert len(left["processes"]) >= 3
        assert left["files"]
    assert world.leftovers() == _EMPTY


def test_what_a_killed_run_left_is_swept_by_the_next_one() -> None:
    script = "import time; from demo.world import World; from demo.addresses import plan\n"
    script += "with World(plan(5)) as w: print(w.start('gp', 'one', ['sleep', '300']).pid, flush=True); time.sleep(60)"
    victim = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=_top())
    assert victim.stdout is not None
    orphan = int(victim.stdout.readline())
    victim.kill()
    victim.wait()
    victim.stdout.close()
    left = traces(f"rempart-demo.{victim.pid}.")
    assert left.namespaces
    assert left.files
    assert orphan in left.processes
    sweep()
    left = traces(f"rempart-demo.{victim.pid}.")
    assert not left.namespaces
    assert not left.files
    assert (
        not Path("/proc", str(orphan), "cmdline").read_bytes()
        if Path("/proc", str(orphan)).exists()
        else True
    )


def test_ending_the_world_ends_a_program_that_will_not_listen() -> None:
    with World(plan(6)) as world:
        deaf = world.start("servers", "deaf", [sys.executable, "-c", _DEAF])
        limit = time.monotonic() + 30
        while "deaf" not in world.said("deaf") and time.monotonic() < limit:
            time.sleep(0.05)
        started = time.monotonic()
        world.stop("deaf", patience=0.3)
        assert deaf.poll() == -signal.SIGKILL
        assert time.monotonic() - started < 20  # it would have slept for sixty seconds


def test_a_program_of_ours_is_started_with_this_python() -> None:
    assert python("demo.scanner")[0] == sys.executable


_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def _top() -> str:
    return str(Path(__file__).parent.parent.parent)
