"""Leases in a real kernel: given, renewed, bounded, over by themselves; and what they cost the reader of blocks."""

import json
import subprocess
import time
from dataclasses import replace
from ipaddress import ip_address

import pytest

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.names import Lease
from rempart.errors import EnforcementFailed
from rempart.ports import Lessor
from rempart.site.description import parse
from rempart.site.opening import OpeningState
from rempart.site.site import Site

from .test_enforcer import SITE

pytestmark = pytest.mark.lab
OPEN = Enforcement(stands={"e-health": Stand(state=OpeningState.OPEN)})
WARD, HOST = ip_address("10.1.0.7"), ip_address("192.0.2.20")


@pytest.fixture
def site() -> Site:
    text = SITE.replace('hosts = ["192.0.2.20"]', 'hosts = ["care.example"]') + RESOLVER
    return parse(text, "test")


RESOLVER = """
[resolver]
opening = "names"
[[openings]]
id = "names"
mark = 20
name = "Names"
direction = "out"
zones = ["wards"]
hosts = ["192.0.2.53"]
services = ["udp/53", "tcp/53"]
care = 0
lifeline = true
fallback = { text = "paper", phone = "04 000 00 01" }
"""


@pytest.fixture
def kernel(alone: None, site: Site) -> Kernel:
    made = Kernel(site)
    made.enforce(OPEN, SystemClock().now())
    return made


def lease(seconds: int, client: str | None = "10.1.0.7", address: str = "192.0.2.20") -> Lease:
    return Lease(
        mark=1, client=ip_address(client) if client else None, address=ip_address(address), seconds=seconds
    )


def held(name: str) -> dict[str, int]:
    """Elements of a set with the seconds they have left."""
    told = subprocess.run(
        ["nft", "-j", "list", "set", "inet", "rempart", name], capture_output=True, text=True, check=True
    )
    [found] = [item["set"] for item in json.loads(told.stdout)["nftables"] if "set" in item]
    return {json.dumps(each["elem"]["val"]): each["elem"]["expires"] for each in found.get("elem", ())}


def test_the_twin_remembers(alone: None) -> None:
    twin = MemoryEnforcer()
    lessor: Lessor = twin
    lessor.hold([lease(5)])
    assert twin.leases == [lease(5)]


def test_leases_of_both_families_for_one_machine_and_for_any(kernel: Kernel) -> None:
    kernel.hold(
        [
            lease(90),
            lease(90, address="192.0.2.21"),
            lease(90, client=None),
            lease(90, client="fd00:1::7", address="2001:db8::20"),
            lease(90, client=None, address="2001:db8::21"),
        ]
    )
    pairs = ({"concat": ["10.1.0.7", "192.0.2.20"]}, {"concat": ["10.1.0.7", "192.0.2.21"]})
    assert held("leased4_1").keys() == {json.dumps(pair) for pair in pairs}
    assert held("leased6_1").keys() == {json.dumps({"concat": ["fd00:1::7", "2001:db8::20"]})}
    assert held("common4_1").keys() == {'"192.0.2.20"'}
    assert held("common6_1").keys() == {'"2001:db8::21"'}
    assert all(85 <= left <= 90 for left in held("leased4_1").values())


def test_a_second_answer_begins_again_longer_or_shorter(kernel: Kernel) -> None:
    for seconds in (5, 100, 40):
        kernel.hold([lease(seconds)])
        [left] = held("leased4_1").values()
        assert seconds - 2 <= left <= seconds


def test_a_lease_is_over_by_itself(kernel: Kernel) -> None:
    kernel.hold([lease(1)])
    time.sleep(1.3)
    assert held("leased4_1") == {}
    kernel.hold([lease(60)])  # what is over, but not yet swept up, is no obstacle
    assert len(held("leased4_1")) == 1


def test_no_room_is_said_and_nothing_is_half_done(kernel: Kernel) -> None:
    many = [lease(60, address=str(ip_address("198.51.0.0") + number)) for number in range(65535)]
    for start in range(0, len(many), 1000):
        kernel.hold(many[start : start + 1000])
    with pytest.raises(EnforcementFailed):
        kernel.hold([lease(60, client=None), lease(60)])
    assert held("common4_1") == {}


def test_without_the_table_it_is_said(kernel: Kernel) -> None:
    subprocess.run(["nft", "delete", "table", "inet", "rempart"], check=True)
    with pytest.raises(EnforcementFailed, match="removed or replaced"):
        kernel.hold([lease(60)])
    kernel.enforce(OPEN, SystemClock().now())
    kernel.hold([lease(60)])


def test_answers_do_not_make_the_guard_read_all_blocks_again(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()
    blocked = replace(OPEN, blocked={"198.51.100.66": None})
    kernel.enforce(blocked, now)
    kernel.read(now)
    read: list[str] = []
    elements = kernel._netlink.elements
    monkeypatch.setattr(kernel._netlink, "elements", lambda name: read.append(name) or elements(name))
    kernel.hold([lease(60)])
    assert kernel.read(now).blocked == {"198.51.100.66": None}
    assert "blocked4" not in read
