"""Changes that fall back with everybody dead, and barriers: one passage shut, all around it as it was."""

import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.opening import OpeningState

pytestmark = [pytest.mark.lab, pytest.mark.timed]
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED

LOCKED_OUT = """
import os, signal, sys, time
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement
from rempart.engine import facts
from rempart.engine.fold.fold import folded
from rempart.engine.state import enforcement, initial
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.site.opening import OpeningState
site = parse(sys.stdin.read(), "lab")
now = Instant(time.time_ns() // 1000)
until = Instant(now + 2_500_000)
by = {"by": "Alex", "reason": "", "at": now}
state = folded(initial(site), site, [
    facts.OpeningSet(opening="browsing", state=OpeningState.CLOSED, **by),
    facts.Blocked(target="192.0.2.66", until=None, **by),
])
kernel = Kernel(site)
kernel.enforce(enforcement(state), now)
state = folded(state, site, [
    facts.Contained(incidents=[], until=until, **by),
    facts.Isolated(asset="pc-8", until=until, provisional=True, **by),
    facts.Barred(passage="wards>servers", until=until, provisional=True, **by),
])
kernel.enforce(enforcement(state), now)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def doors(house):
    with ExitStack() as stack:
        for name, address, port in (
            ("out", "192.0.2.20", 443),
            ("out", "192.0.2.30", 443),
            ("out", "2001:db8:f::20", 443),
            ("servers", "10.2.0.5", 3389),
            ("servers", "fd00:2::5", 445),
            ("wards", "10.1.0.7", 445),
        ):
            stack.enter_context(house.listen(name, address, port))
        yield house


def test_who_locked_himself_out_is_let_back_in_by_time_alone_and_nothing_else_reopens(
    description, doors, house, kernel: Kernel, present
) -> None:
    begun = time.monotonic()
    dead = subprocess.run(
        ["ip", "netns", "exec", house.space("gw"), sys.executable, "-c", LOCKED_OUT],
        input=description,
        text=True,
        check=False,
    )
    assert dead.returncode == -9
    killed = time.monotonic()
    technician = ("out", "10.2.0.5", 3389, "198.51.100.5")
    assert doors.answer(*technician) == "silence"
    assert doors.answer("wards", "10.2.0.5", 3389) == "refused"
    assert kernel.read(present()).contained
    while doors.answer(*technician) != "yes":
        assert time.monotonic() < killed + 6
    assert begun + 2.4 < time.monotonic()
    time.sleep(0.1)
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    assert doors.answer("wards", "2001:db8:f::20", 443) == "yes"
    assert doors.answer("wards", "10.2.0.5", 3389, "10.1.0.8") == "yes"
    assert doors.answer("wards", "192.0.2.30", 443) == "refused"  # closed before, by itself
    held = kernel.read(present())
    assert not held.contained
    assert held.blocked == {"192.0.2.66": None}
    assert held.stands["telephone"] == Stand(state=OPEN)


def test_a_zone_is_shut_off_from_another_running_connections_too(
    doors, kernel: Kernel, present, all_open
) -> None:
    kernel.enforce(all_open, present())
    barred = replace(all_open, barred={"wards>servers": Instant(present() + 60_000_000)})
    with doors.call("wards", "10.2.0.5", 3389) as running:
        kernel.enforce(barred, present())
        running.send(b"after the barrier")
        with pytest.raises(ConnectionResetError):
            running.recv(1)
    assert disagreements(barred, kernel.read(present()), present()) == ()
    assert doors.answer("wards", "fd00:2::5", 445) == "refused"
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    assert doors.answer("servers", "192.0.2.20", 443) == "yes"
    kernel.enforce(all_open, present())
    assert doors.answer("wards", "10.2.0.5", 3389) == "yes"


@pytest.mark.parametrize("way", ["in", "out"])
def test_one_way_of_an_opening_is_shut_and_the_other_goes_on(
    traffic, kernel: Kernel, present, all_open, way: str
) -> None:
    kernel.enforce(all_open, present())
    traffic.flow("wards", "out", "udp", "192.0.2.10", 5060)
    traffic.flow("out", "wards", "udp", "10.1.0.7", 10001, "192.0.2.10")
    traffic.begin()
    time.sleep(0.4)
    kernel.enforce(replace(all_open, barred={f"telephone:{way}": None}), present())
    acknowledged = time.monotonic_ns()
    time.sleep(0.4)
    seen = traffic.finish()
    shut, free = ("udp/10001", "udp/5060") if way == "in" else ("udp/5060", "udp/10001")
    for place in seen.values():
        for end in place.get(shut, ()):
            assert len(end["arrived"]) > 20
            assert [stamp for _, stamp in end["arrived"] if stamp > acknowledged] == []
    one, other = seen["wards"][free][0], seen["out"][free][0]
    assert (one["sent"], other["sent"]) == (len(other["arrived"]), len(one["arrived"]))


def test_a_passage_that_the_site_has_not_is_refused(kernel: Kernel, present, all_open) -> None:
    with pytest.raises(InputRefused, match="no passage"):
        kernel.enforce(replace(all_open, barred={"servers>wards": None}), present())


def test_a_confirmed_cut_stays(doors, kernel: Kernel, present, contained: Enforcement) -> None:
    until = Instant(present() + 800_000)
    waiting = {
        name: Stand(state=stand.state, until=until, then=OPEN) for name, stand in contained.stands.items()
    }
    kernel.enforce(replace(contained, stands=waiting, contained_until=until), present())
    assert (
        disagreements(
            replace(contained, stands=waiting, contained_until=until), kernel.read(present()), present()
        )
        == ()
    )
    kernel.enforce(contained, present())
    time.sleep(1.1)
    assert doors.answer("wards", "192.0.2.20", 443) == "refused"
    assert kernel.read(present()).contained
