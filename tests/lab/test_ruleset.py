"""Who reaches whom through the loaded table."""

import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.containment.render.nftables import ruleset
from rempart.containment.traffic import traffic as passing
from rempart.errors import EnforcementFailed
from rempart.instants import Instant, seconds
from rempart.site.opening import OpeningState
from rempart.site.staff_page import StaffPage

pytestmark = [pytest.mark.lab, pytest.mark.timed]
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


@pytest.fixture
def doors(house):
    with ExitStack() as stack:
        for name, address, port in (
            ("out", "192.0.2.20", 443),
            ("out", "192.0.2.30", 443),
            ("out", "192.0.2.66", 443),
            ("out", "2001:db8:f::20", 443),
            ("out", "2001:db8:f::66", 443),
            ("out", "192.0.2.30", 25),
            ("servers", "10.2.0.5", 3389),
            ("servers", "fd00:2::5", 445),
            ("wards", "10.1.0.7", 445),
            ("dmz", "10.3.0.2", 8080),
            ("gw", "10.9.0.1", 2222),
            ("gw", "fd00:9::1", 2222),
            ("gw", "10.1.0.1", 2222),
        ):
            stack.enter_context(house.listen(name, address, port))
        yield house


def test_what_is_open_and_what_has_no_opening(doors, kernel: Kernel, present, all_open) -> None:
    kernel.enforce(all_open, present())
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    assert doors.answer("wards", "2001:db8:f::20", 443) == "yes"
    assert doors.answer("wards", "192.0.2.30", 443) == "yes"
    assert doors.answer("servers", "192.0.2.20", 443) == "yes"
    assert doors.answer("servers", "192.0.2.30", 443) == "refused"  # only wards browse
    assert doors.answer("wards", "192.0.2.30", 25) == "refused"  # no opening
    assert doors.answer("out", "10.2.0.5", 3389, "198.51.100.5") == "yes"
    assert doors.answer("out", "10.2.0.5", 3389, "192.0.2.66") == "silence"  # not the vendor
    assert doors.answer("out", "10.3.0.2", 8080) == "silence"  # published through the proxy alone
    assert doors.answer("gw", "192.0.2.20", 443) == "yes"  # the gateway uses openings like anybody


def test_closed_openings_refuse_inside_and_ignore_outside(doors, kernel: Kernel, present, contained) -> None:
    kernel.enforce(contained, present())
    assert doors.answer("wards", "192.0.2.20", 443) == "refused"
    assert doors.answer("wards", "2001:db8:f::20", 443) == "refused"
    assert doors.answer("gw", "192.0.2.20", 443) == "refused"
    assert doors.answer("out", "10.2.0.5", 3389, "198.51.100.5") == "silence"


def test_a_running_connection_from_inside_is_told_at_once(
    doors, kernel: Kernel, present, all_open, contained
) -> None:
    kernel.enforce(all_open, present())
    with doors.call("wards", "192.0.2.30", 443) as running:
        kernel.enforce(contained, present())
        running.send(b"after the cut")
        with pytest.raises(ConnectionResetError):
            running.recv(1)


def test_named_hosts_win_over_anywhere(doors, kernel: Kernel, present, all_open) -> None:
    one_closed = {**all_open.stands, "browsing": Stand(state=CLOSED)}
    kernel.enforce(replace(all_open, stands=one_closed), present())
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    assert doors.answer("wards", "192.0.2.30", 443) == "refused"


def test_what_passes_one_door_is_counted_for_that_door_alone(
    doors, kernel: Kernel, present, all_open, site
) -> None:
    kernel.enforce(all_open, present())
    before = kernel.refused()
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    steps = passing(site, before, kernel.refused(), seconds(60))
    assert {opening for opening, step in steps.items() if step} == {"e-health"}


def test_the_matrix_of_zones(doors, kernel: Kernel, present, contained) -> None:
    kernel.enforce(contained, present())
    assert doors.answer("wards", "10.2.0.5", 3389) == "yes"
    assert doors.answer("wards", "fd00:2::5", 445) == "yes"
    assert doors.answer("servers", "10.1.0.7", 445) == "refused"
    assert doors.answer("dmz", "10.2.0.5", 3389) == "refused"
    assert doors.answer("dmz", "10.1.0.7", 445) == "refused"


def test_the_operators_way_in_whatever_happens(doors, kernel: Kernel, present, contained) -> None:
    worst = replace(contained, blocked={"10.9.0.0/24": None, "fd00:9::/64": None, "0.0.0.0/1": None})
    kernel.enforce(worst, present())
    assert doors.answer("mgmt", "10.9.0.1", 2222) == "yes"
    assert doors.answer("mgmt", "fd00:9::1", 2222) == "yes"
    assert doors.answer("wards", "10.1.0.1", 2222) == "refused"
    counted = doors.at("gw", "nft", "list", "counter", "inet", "rempart", "safeguard_0")
    assert "packets 0 " not in counted


def test_the_staff_page_is_read_in_the_whole_house_while_all_is_cut_and_never_from_outside(
    house, site, present, contained
) -> None:
    with house.inside("gw"):
        kernel = Kernel(replace(site, staff_page=StaffPage(address="10.1.0.1")))
    kernel.enforce(contained, present())
    with house.listen("gw", "10.1.0.1", 8421), house.listen("gw", "10.1.0.1", 8422):
        assert house.answer("wards", "10.1.0.1", 8421) == "yes"
        assert house.answer("servers", "10.1.0.1", 8421) == "yes"
        assert house.answer("wards", "10.1.0.1", 8422) == "refused"  # that port alone
        assert house.answer("out", "10.1.0.1", 8421) == "silence"


def test_a_block_stops_one_address_only(doors, kernel: Kernel, present, all_open) -> None:
    kernel.enforce(all_open, present())
    with doors.call("wards", "192.0.2.66", 443) as running:
        blocked = {"192.0.2.66": None, "2001:db8:f::66": None, "10.2.0.0/24": None}
        kernel.enforce(replace(all_open, blocked=blocked), present())
        running.send(b"after the block")
        with pytest.raises(ConnectionResetError):
            running.recv(1)
    assert doors.answer("wards", "192.0.2.66", 443) == "refused"
    assert doors.answer("wards", "2001:db8:f::66", 443) == "refused"
    assert doors.answer("wards", "192.0.2.30", 443) == "yes"
    assert doors.answer("wards", "10.2.0.5", 3389) == "yes"  # a block never touches the inside
    kernel.enforce(all_open, present())
    assert doors.answer("wards", "192.0.2.66", 443) == "yes"


def test_a_network_within_a_network_and_an_address_in_both(doors, kernel: Kernel, present, all_open) -> None:
    hour = Instant(present() + 3_600_000_000)
    wanted = replace(
        all_open,
        blocked={"192.0.2.66": None, "192.0.2.64/26": hour, "192.0.2.64/30": hour, "::ffff:192.0.2.67": hour},
    )
    kernel.enforce(wanted, present())
    assert disagreements(wanted, kernel.read(present()), present()) == ()
    assert doors.answer("wards", "192.0.2.66", 443) == "refused"
    kernel.enforce(all_open, present())
    assert disagreements(all_open, kernel.read(present()), present()) == ()


def test_an_isolated_machine_reaches_nothing(doors, kernel: Kernel, present, all_open) -> None:
    kernel.enforce(all_open, present())
    with doors.call("wards", "10.2.0.5", 3389, "10.1.0.8") as running:
        kernel.enforce(replace(all_open, isolated={"pc-8": None}), present())
        running.send(b"after the isolation")
        with pytest.raises(ConnectionResetError):
            running.recv(1)
    assert doors.answer("wards", "10.2.0.5", 3389, "10.1.0.8") == "refused"
    assert doors.answer("wards", "192.0.2.20", 443, "10.1.0.8") == "refused"
    assert doors.answer("wards", "10.2.0.5", 3389, "10.1.0.7") == "yes"
    kernel.enforce(all_open, present())
    assert doors.answer("wards", "10.2.0.5", 3389, "10.1.0.8") == "yes"


def test_the_operators_still_reach_an_isolated_machine_as_they_did_before(
    house, doors, site, present, all_open
) -> None:
    way_in = replace(site.safeguards[0], interface="wards", networks=("10.1.0.7/32",))
    server = replace(site.assets[0], id="files", zone="servers", addresses=("10.2.0.5",))
    technician = replace(site, safeguards=(*site.safeguards, way_in), assets=(*site.assets, server))
    with house.inside("gw"):
        kernel = Kernel(technician)
    kernel.enforce(replace(all_open, isolated={"files": None}), present())
    assert doors.answer("wards", "10.2.0.5", 3389, "10.1.0.7") == "yes"
    assert doors.answer("wards", "10.2.0.5", 3389, "10.1.0.8") == "refused"
    assert doors.answer("servers", "192.0.2.20", 443) == "refused"
    assert (
        doors.answer("servers", "10.1.0.7", 445) == "refused"
    )  # what it begins itself, to the operators too


def test_a_filtered_opening_bounds_new_connections(doors, kernel: Kernel, present, all_open) -> None:
    stands = {**all_open.stands, "e-health": Stand(state=FILTERED)}
    kernel.enforce(replace(all_open, stands=stands), present())
    answers = [doors.answer("wards", "192.0.2.20", 443) for _ in range(150)]
    assert answers[:40] == ["yes"] * 40
    assert "refused" in answers
    assert kernel.refused()["limited_2"] == answers.count("refused")
    assert doors.answer("wards", "192.0.2.30", 443) == "yes"  # another opening has its own bound


def test_a_stream_that_nobody_answers_passes_whole_through_a_filtered_lifeline(
    house, kernel: Kernel, present, contained
) -> None:
    """An alarm, or one-way voice: to the kernel each of its packets is `new`."""
    kernel.enforce(contained, present())
    with house.inside("out"):
        there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        there.bind(("192.0.2.10", 5060))
        there.settimeout(1)
    with house.inside("wards"):
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with here, there:
        for number in range(150):
            here.sendto(number.to_bytes(2, "big"), ("192.0.2.10", 5060))
        assert [int.from_bytes(there.recv(2), "big") for _ in range(150)] == list(range(150))


def test_running_connections_are_adopted_when_the_table_is_loaded(
    doors, kernel: Kernel, present, all_open
) -> None:
    door = doors.listen("out", "192.0.2.30", 80)
    with door, doors.call("wards", "192.0.2.30", 80) as running:
        kernel.enforce(all_open, present())
        there, _ = door.accept()
        with there:
            there.send(b"pushed by the server first")
            assert running.recv(64) == b"pushed by the server first"
            running.send(b"and back")
            assert there.recv(64) == b"and back"


def test_running_connections_survive_another_layout(
    house, site, doors, kernel: Kernel, present, all_open
) -> None:
    kernel.enforce(all_open, present())
    door = doors.listen("out", "192.0.2.30", 80)
    with door, doors.call("wards", "192.0.2.30", 80) as running:
        with house.inside("gw"):
            other = Kernel(replace(site, safeguards=()))
        with pytest.raises(EnforcementFailed):
            other.read(present())
        other.enforce(all_open, present())
        running.send(b"still")
        there, _ = door.accept()
        with there:
            assert there.recv(64) == b"still"


def test_marks_of_other_tools_survive(doors, kernel: Kernel, present, all_open) -> None:
    neighbour = (
        "table inet lab_marks {\n chain in {\n type filter hook prerouting priority mangle;\n"
        " ct mark set ct mark or 0x5000\n }\n}\n"
    )
    doors.at("gw", "nft", "-f", "-", given=neighbour)
    try:
        kernel.enforce(all_open, present())
        with doors.call("wards", "192.0.2.20", 443):
            listed = doors.at("gw", "conntrack", "-L", "-d", "192.0.2.20")
        assert f"mark={0x5000 | 2}" in listed
    finally:
        doors.at("gw", "nft", "delete", "table", "inet", "lab_marks")


def test_neighbours_tables_are_untouched(house, kernel: Kernel, present, all_open, contained) -> None:
    before = house.at("gw", "nft", "-s", "list", "table", "ip", "neighbour")
    kernel.enforce(all_open, present())
    kernel.enforce(contained, present())
    assert house.at("gw", "nft", "-s", "list", "table", "ip", "neighbour") == before


def test_repeating_changes_nothing(house, kernel: Kernel, present, contained) -> None:
    minute = Instant(present() + 60_000_000)
    trial = {"e-health": Stand(state=FILTERED, until=minute, then=CLOSED)}
    wanted = replace(
        contained,
        stands={**contained.stands, **trial},
        blocked={"192.0.2.66": minute, "192.0.2.128/25": None},
        isolated={"pc-8": minute},
    )
    kernel.enforce(wanted, present())
    monitor = house.start("gw", "nft", "monitor", stdout=subprocess.PIPE)
    time.sleep(0.3)
    for _ in range(20):
        kernel.enforce(wanted, present())
    time.sleep(0.3)
    monitor.terminate()
    said = [line for line in monitor.stdout.read().splitlines() if not line.startswith("# new generation")]
    assert said == []


def test_a_plain_cut_is_one_netlink_transaction(kernel: Kernel, present, all_open, contained) -> None:
    kernel.enforce(all_open, present())
    kernel.read(present())  # as the guard does every few seconds
    before = kernel._netlink.generation()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "_run", lambda text: pytest.fail(f"libnftables was asked for {text}"))
        kernel.enforce(contained, present())
    assert kernel._netlink.generation() == before + 1
    assert disagreements(contained, kernel.read(present()), present()) == ()


def test_what_was_tampered_with_is_seen_and_mended(house, kernel: Kernel, present, contained) -> None:
    kernel.enforce(contained, present())
    for tampering in (
        ("flush", "set", "inet", "rempart", "contained"),
        ("delete", "element", "inet", "rempart", "state", "{ 1 }"),
        ("delete", "table", "inet", "rempart"),
    ):
        house.at("gw", "nft", *tampering)
        try:
            assert disagreements(contained, kernel.read(present()), present()) != ()
        except EnforcementFailed:
            assert "table" in tampering
        kernel.enforce(contained, present())
        assert disagreements(contained, kernel.read(present()), present()) == ()


def test_a_confirmed_trial_stays(doors, kernel: Kernel, present, contained) -> None:
    trial = Stand(state=OPEN, until=Instant(present() + 1_000_000), then=CLOSED)
    kernel.enforce(replace(contained, stands={**contained.stands, "e-health": trial}), present())
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    confirmed = {**contained.stands, "e-health": Stand(state=OPEN)}
    kernel.enforce(replace(contained, stands=confirmed), present())
    time.sleep(1.3)
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"


DYING = """
import json, os, signal, sys, time
from pathlib import Path
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, Stand
from rempart.instants import Instant, seconds
from rempart.site.description import parse
from rempart.site.opening import OpeningState
site = parse(sys.stdin.read(), "lab")
now = Instant(time.time_ns() // 1000)
stands = {opening.id: Stand(state=OpeningState.CLOSED) for opening in site.openings}
until = Instant(now + 1_500_000)
stands["e-health"] = Stand(state=OpeningState.OPEN, until=until, then=OpeningState.CLOSED)
stands["telephone"] = Stand(state=OpeningState.OPEN, until=until, then=OpeningState.FILTERED)
Kernel(site).enforce(Enforcement(stands=stands, contained=True), now)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_trial_ends_although_everybody_is_dead(
    description, doors, house, traffic, site, kernel: Kernel, present, all_open
) -> None:
    kernel.enforce(all_open, present())  # a whole load may cost a packet (docs/design/ruleset.md)
    traffic.flow("wards", "out", "udp", "192.0.2.10", 5060)
    traffic.begin()
    begun = time.monotonic_ns()
    dead = subprocess.run(
        ["ip", "netns", "exec", house.space("gw"), sys.executable, "-c", DYING],
        input=description,
        text=True,
        check=False,
    )
    assert dead.returncode == -9
    after_call = last_answered = time.monotonic_ns()
    assert doors.answer("wards", "192.0.2.20", 443) == "yes"
    while True:
        asked = time.monotonic_ns()
        if doors.answer("wards", "192.0.2.20", 443) != "yes":
            break
        last_answered = asked
        assert last_answered < after_call + 1_600_000_000
        time.sleep(0.01)
    # It closed between the last question that was answered and the end of the first that was not.
    assert time.monotonic_ns() > begun + 1_400_000_000
    time.sleep(0.3)
    seen = traffic.finish()
    assert seen["wards"]["udp/5060"][0]["sent"] == len(seen["out"]["udp/5060"][0]["arrived"])
    held = kernel.read(present()).stands
    assert held["e-health"] == Stand(state=CLOSED)
    assert held["telephone"] == Stand(state=FILTERED)


def test_every_refusal_says_what_and_where(doors, kernel: Kernel, present, contained) -> None:
    kernel.enforce(contained, present())
    doors.answer("wards", "192.0.2.20", 443)
    listed = json.loads(doors.at("gw", "nft", "-j", "list", "counters", "table", "inet", "rempart"))
    counted = {
        item["counter"]["name"]: item["counter"]["packets"]
        for item in listed["nftables"]
        if "counter" in item
    }
    assert counted["closed_2"] >= 1
    assert kernel.refused() == counted
    assert counted["open_2"] == 0


@pytest.mark.parametrize(
    "hostile", ['"; flush ruleset; "', "x\n}\nflush ruleset\n", "\x1b[31m$(reboot)`", "é" * 300, ""]
)
def test_hostile_words_load_as_words(house, site, present, hostile: str) -> None:
    """site.toml refuses such ids; the renderer must hold even so."""
    first, *rest = site.openings
    spoken = replace(site, name=hostile, openings=(replace(first, id=hostile, name=hostile), *rest))
    before = house.at("gw", "nft", "-s", "list", "table", "ip", "neighbour")
    house.at("gw", "nft", "-f", "-", given=ruleset(spoken, all_open_of(spoken), present()))
    assert house.at("gw", "nft", "-s", "list", "table", "ip", "neighbour") == before


def all_open_of(site) -> Enforcement:
    return Enforcement(stands={opening.id: Stand(state=OPEN) for opening in site.openings})


def test_programs_on_the_gateway_itself_are_cut_too(
    house, kernel: Kernel, present, all_open, contained
) -> None:
    with house.listen("out", "192.0.2.20", 443), house.listen("out", "2001:db8:f::20", 443):
        kernel.enforce(all_open, present())
        kernel.enforce(contained, present())
        assert house.answer("gw", "192.0.2.20", 443) != "yes"
        assert house.answer("gw", "2001:db8:f::20", 443) != "yes"
