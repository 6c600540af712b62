"""One suite for every enforcer: what goes in is read back, repeated changes nothing, deadlines fall by themselves."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rempart.adapters.enforce import netlink as netlink_module
from rempart.adapters.enforce import nftables
from rempart.adapters.enforce.gateway import Gateway
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.enforce.netlink import Change, Member, Netlink
from rempart.adapters.enforce.nftables import Kernel
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.errors import EnforcementFailed, InputRefused
from rempart.instants import Instant
from rempart.ports import Enforcer
from rempart.site.description import parse
from rempart.site.opening import OpeningState

OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED
SECOND = 1_000_000
SITE = """
id = "enforced"
name = "Enforced"
template = "nursing-home"
languages = ["fr"]
phone = "04 000 00 00"
uplink = { interface = "wan", addresses = ["127.0.0.2/8"] }
[[zones]]
id = "wards"
name = "Wards"
interface = "wards"
networks = ["10.1.0.0/24", "fd00:1::/64"]
[[openings]]
id = "e-health"
mark = 1
name = "eHealth"
direction = "out"
zones = ["wards"]
hosts = ["192.0.2.20"]
services = ["tcp/443"]
care = 1
lifeline = true
fallback = { text = "paper", phone = "04 000 00 01" }
[[openings]]
id = "website"
mark = 2
name = "Website"
direction = "in"
zones = ["wards"]
hosts = ["*"]
services = ["tcp/80"]
care = 5
lifeline = false
fallback = { text = "telephone", phone = "04 000 00 02" }
publication = { host = "www.enforced.example", zone = "wards", address = "10.1.0.5", port = 8080 }
[[openings]]
id = "vendor"
mark = 3
name = "Supplier"
direction = "in"
zones = ["wards"]
hosts = ["198.51.100.0/29", "2001:db8:a::/64"]
services = ["tcp/3389"]
normally = "closed"
care = 3
lifeline = false
fallback = { text = "telephone", phone = "04 000 00 03" }
[[openings]]
id = "console"
mark = 4
name = "Supplier's console"
direction = "in"
zones = ["wards"]
hosts = ["198.51.100.0/29"]
services = ["tcp/443"]
normally = "closed"
care = 3
lifeline = false
fallback = { text = "telephone", phone = "04 000 00 04" }
publication = { host = "console.enforced.example", zone = "wards", address = "10.1.0.6", port = 8080 }
[[assets]]
id = "pc"
name = "PC"
zone = "wards"
addresses = ["10.1.0.7", "fd00:1::7"]
kind = "workstation"
"""


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


def memory(_request: pytest.FixtureRequest) -> Iterator[Enforcer]:
    yield MemoryEnforcer()


def kernel(request: pytest.FixtureRequest) -> Iterator[Enforcer]:
    request.getfixturevalue("alone")
    yield Kernel(parse(SITE, "test"))


def gateway(request: pytest.FixtureRequest) -> Iterator[Enforcer]:
    request.getfixturevalue("alone")
    if not shutil.which("haproxy"):
        pytest.skip("needs haproxy: apt install haproxy")
    folder: Path = request.getfixturevalue("tmp_path")
    places = Places(site=folder, state=folder, run=folder / "run", rules=())
    site = parse(SITE, "test")
    made = Gateway(site, places, PublicFace(site))
    with pytest.raises(EnforcementFailed, match="proxy does not answer"):
        made.enforce(Enforcement(stands={}), now())
    proxy = subprocess.Popen(
        ["haproxy", "-db", "-f", str(places.proxy_config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while not places.proxy_socket.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    yield made
    proxy.kill()
    proxy.wait()


@pytest.fixture(
    params=[
        memory,
        pytest.param(kernel, marks=pytest.mark.lab),
        pytest.param(gateway, marks=pytest.mark.lab),
    ]
)
def enforcer(request: pytest.FixtureRequest) -> Iterator[Enforcer]:
    make: Callable[[pytest.FixtureRequest], Iterator[Enforcer]] = request.param
    yield from make(request)


def both(e_health: Stand, website: Stand, **more: object) -> Enforcement:
    """With the doors for visits shut."""
    shut = {"vendor": Stand(state=CLOSED), "console": Stand(state=CLOSED)}
    return Enforcement(stands={"e-health": e_health, "website": website, **shut}, **more)  # type: ignore[arg-type]


def visiting(opening: str, limits: Limits | None) -> Enforcement:
    visit = Stand(state=FILTERED, until=Instant(now() + 60 * SECOND), then=CLOSED, limits=limits)
    return replace(ALL_OPEN, stands={**ALL_OPEN.stands, opening: visit})


ALL_OPEN = both(Stand(state=OPEN), Stand(state=OPEN))
CUT = both(Stand(state=FILTERED), Stand(state=CLOSED), contained=True)


def holds(enforcer: Enforcer, wanted: Enforcement) -> None:
    assert disagreements(wanted, enforcer.read(now()), now()) == ()


def test_what_is_wanted_is_held(enforcer: Enforcer) -> None:
    minute = Instant(now() + 60 * SECOND)
    for wanted in (
        ALL_OPEN,
        CUT,
        both(Stand(state=FILTERED), Stand(state=OPEN, until=minute, then=CLOSED), contained=True),
        both(Stand(state=CLOSED, until=minute, then=OPEN), Stand(state=FILTERED)),
        both(
            Stand(state=FILTERED),
            Stand(state=CLOSED),
            contained=True,
            blocked={
                "192.0.2.66": minute,
                "198.51.100.0/24": None,
                "2001:db8::66": None,
                "2001:db8:1::/48": minute,
            },
            isolated={"pc": minute},
        ),
        both(Stand(state=OPEN), Stand(state=OPEN), blocked={"192.0.2.66": None}, isolated={"pc": None}),
        ALL_OPEN,
    ):
        enforcer.enforce(wanted, now())
        holds(enforcer, wanted)
        enforcer.enforce(wanted, now())
        holds(enforcer, wanted)


def test_a_visit_is_limited_and_another_one_otherwise(enforcer: Enforcer) -> None:
    four = Limits(source="198.51.100.5", hosts=("10.1.0.5", "10.1.0.7"))
    six = Limits(source="2001:db8:a::5", hosts=("fd00:1::7",))
    wanted = [visiting("vendor", limits) for limits in (four, six, replace(four, hosts=("10.1.0.7",)), None)]
    if not isinstance(enforcer, Kernel):  # the proxy's limits are not the kernel's
        shown = Limits(source="198.51.100.5", certificate="ab" * 32)
        wanted += [
            visiting("console", limits) for limits in (shown, None, replace(shown, certificate="cd" * 32))
        ]
    for each in (*wanted, CUT, ALL_OPEN):
        enforcer.enforce(each, now())
        holds(enforcer, each)
        enforcer.enforce(each, now())
        holds(enforcer, each)


@pytest.mark.lab
def test_a_visitor_whom_nobody_let_in_is_found_and_put_out(alone: None) -> None:
    machine = Kernel(parse(SITE, "test"))
    wanted = visiting("vendor", Limits(source="198.51.100.5", hosts=("10.1.0.7",)))
    machine.enforce(wanted, now())
    stranger = "add element inet rempart visit4_3 { 198.51.100.6 . 10.1.0.7 }"
    subprocess.run(["nft", stranger], check=True)
    assert disagreements(wanted, machine.read(now()), now()) == (
        "opening vendor lets in others than was decided",
    )
    machine.enforce(wanted, now())
    holds(machine, wanted)


def test_the_widest_networks_and_neighbouring_ones(enforcer: Enforcer) -> None:
    targets = (
        "128.0.0.0/1",
        "0.0.0.0/8",
        "10.0.0.0/25",
        "10.0.0.128/25",
        "ffff::/16",
        "::/32",
        "255.255.255.254",
    )
    wanted = both(Stand(state=OPEN), Stand(state=OPEN), blocked=dict.fromkeys(targets))
    enforcer.enforce(wanted, now())
    holds(enforcer, wanted)


@pytest.mark.parametrize("days", [2, 7, 365, 36_500])
def test_a_deadline_may_be_days_or_years_away(enforcer: Enforcer, days: int) -> None:
    """The table is loaded whole, as at boot, and read back: nft reads eight digits of milliseconds and no more."""
    away = Instant(now() + days * 86_400 * SECOND + 343_000)
    wanted = both(
        Stand(state=FILTERED),
        Stand(state=OPEN, until=away, then=CLOSED),
        contained=True,
        blocked={"192.0.2.66": away, "2001:db8::/64": away},
        isolated={"pc": away},
    )
    enforcer.enforce(wanted, now())
    holds(enforcer, wanted)


@pytest.mark.lab
def test_deadlines_are_right_however_long_loading_takes(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is told how long, not until when; and a hundred thousand elements take seconds to load."""
    made = Kernel(parse(SITE, "test"))
    run = made._run

    def slow(text: str) -> str:
        time.sleep(2.2)
        return run(text)

    monkeypatch.setattr(made, "_run", slow)
    until = Instant(now() + 60 * SECOND)
    wanted = both(
        Stand(state=FILTERED),
        Stand(state=OPEN, until=until, then=CLOSED),
        blocked={"192.0.2.66": until},
    )
    made.enforce(wanted, now())
    held = Kernel(parse(SITE, "test")).read(now())  # by one that did not load it, and remembers nothing
    assert abs((held.blocked["192.0.2.66"] or 0) - until) < SECOND
    assert disagreements(wanted, held, now()) == ()


@pytest.mark.lab
def test_any_number_of_elements_changes_in_one_transaction(alone: None) -> None:
    """More than one message holds (64 KiB): the cut of a site with some thousand openings is one transaction too."""
    text = "chain door { }\nmap doors { type mark : verdict; flags timeout; }\nset who { type ipv4_addr; }\n"
    subprocess.run(["nft", f"table inet many {{\n{text}}}"], check=True)
    netlink = Netlink("many")
    marks = {n.to_bytes(4, sys.byteorder): Member(60_000, "door") for n in range(1, 1_200)}
    addresses = {n.to_bytes(4, "big"): Member() for n in range(1, 2_400)}
    assert netlink.change({"doors": Change(come=marks), "who": Change(come=addresses)})
    held = netlink.elements("doors")
    assert held is not None
    assert {element.key for element in held} == marks.keys()
    assert not netlink.change({"who": Change(gone=[*addresses, b"none"])})
    assert len(netlink.elements("who") or ()) == len(addresses)
    assert netlink.change({"doors": Change(gone=[*marks]), "who": Change(gone=[*addresses])})
    assert netlink.elements("who") == []


@pytest.mark.lab
def test_a_change_that_is_refused_in_every_message_is_answered(alone: None) -> None:
    subprocess.run(["nft", "table inet many {\n}"], check=True)
    netlink = Netlink("many")
    addresses = {n.to_bytes(4, "big"): Member() for n in range(1, 10_000)}
    assert not netlink.change({"none": Change(come=addresses)})


@pytest.mark.lab
def test_answers_that_are_lost_are_said_and_the_next_question_is_answered(alone: None) -> None:
    """The kernel drops what the socket cannot hold (ENOBUFS), and then all else until it was emptied."""
    subprocess.run(["nft", "table inet many {\n}"], check=True)
    netlink = Netlink("many")
    for _ in range(2_000):
        netlink._send((netlink_module._GET_GENERATION, netlink_module._REQUEST, netlink_module._header(0)))
    with pytest.raises(EnforcementFailed, match="answers of the kernel were lost"):
        netlink.generation()
    assert netlink.generation() > 0
    assert not netlink.has_chain("none")


def test_deadlines_fall_by_themselves(enforcer: Enforcer) -> None:
    soon = Instant(now() + SECOND)
    wanted = both(
        Stand(state=OPEN, until=soon, then=FILTERED),
        Stand(state=OPEN),
        contained=True,
        blocked={"192.0.2.66": soon},
        isolated={"pc": soon},
    )
    enforcer.enforce(wanted, now())
    time.sleep(1.2)
    held = enforcer.read(now())
    assert held.stands["e-health"] == Stand(state=FILTERED)
    assert (held.blocked, held.isolated, held.contained) == ({}, {}, True)
    enforcer.enforce(wanted, now())
    assert enforcer.read(now()).stands["e-health"] == Stand(state=FILTERED)


def test_what_is_over_already_is_not_begun(enforcer: Enforcer) -> None:
    past = Instant(now() - SECOND)
    wanted = both(
        Stand(state=OPEN, until=past, then=FILTERED), Stand(state=CLOSED), blocked={"192.0.2.66": past}
    )
    enforcer.enforce(wanted, now())
    held = enforcer.read(now())
    assert held.stands["e-health"] == Stand(state=FILTERED)
    assert held.blocked == {}


def test_a_relapse_closes_a_running_trial(enforcer: Enforcer) -> None:
    minute = Instant(now() + 60 * SECOND)
    trial = both(Stand(state=FILTERED), Stand(state=OPEN, until=minute, then=CLOSED), contained=True)
    enforcer.enforce(trial, now())
    enforcer.enforce(CUT, now())
    holds(enforcer, CUT)


@pytest.mark.lab
def test_what_the_site_does_not_have_is_refused_but_the_cut_is_made(alone: None) -> None:
    machine = Kernel(parse(SITE, "test"))
    machine.enforce(ALL_OPEN, now())
    wrong = both(Stand(state=FILTERED), Stand(state=CLOSED), contained=True, blocked={"not an address": None})
    with pytest.raises(InputRefused, match="neither an address nor a network"):
        machine.enforce(wrong, now())
    assert machine.read(now()).stands["website"] == Stand(state=CLOSED)


@pytest.fixture
def table(alone: None) -> Kernel:
    """The kernel's part with everything open, which it knows to hold."""
    made = Kernel(parse(SITE, "test"))
    made.enforce(ALL_OPEN, now())
    made.read(now())
    return made


@pytest.mark.lab
def test_an_address_is_blocked_before_anything_else_is_worked_out(
    table: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_bring", lambda *_: "refused")
    minute = Instant(now() + 60 * SECOND)
    blocked = {"192.0.2.66": minute, "::ffff:192.0.2.67": None, "2001:db8::66": None, "192.0.2.99": now()}
    with pytest.raises(EnforcementFailed):
        table.enforce(both(Stand(state=OPEN), Stand(state=CLOSED), blocked=blocked), now())
    held = table.read(now())
    assert set(held.blocked) == {"192.0.2.66", "::ffff:192.0.2.67", "2001:db8::66"}
    assert abs((held.blocked["192.0.2.66"] or 0) - minute) < SECOND
    assert held.stands["website"] == Stand(state=OPEN)


@pytest.mark.lab
def test_what_we_spell_ourselves_is_what_libnftables_makes_of_it(
    table: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, ours, through_libnftables = now(), nftables._spelled, []
    run = table._run
    monkeypatch.setattr(table, "_run", lambda text: through_libnftables.append(text) or run(text))
    minute = Instant(at + 60 * SECOND)
    peace = both(Stand(state=OPEN), Stand(state=CLOSED, drains=minute))
    trial = both(Stand(state=CLOSED, until=minute, then=OPEN), Stand(state=FILTERED))
    confirm = replace(CUT, contained_until=minute)
    hosts = {"192.0.2.66": minute, "2001:db8::66": None}
    strangers = both(Stand(state=OPEN), Stand(state=OPEN), isolated={"pc": minute}, blocked=hosts)
    for wanted in (peace, trial, confirm, strangers, CUT):
        both_ways = []
        for spelled in (ours, lambda _found, _now: None):
            with monkeypatch.context() as patched:
                patched.setattr(nftables, "_spelled", spelled)
                table.enforce(ALL_OPEN, at)
                table.enforce(wanted, at)
            assert bool(through_libnftables) is (spelled is not ours)
            through_libnftables.clear()
            both_ways.append(listed())
        assert both_ways[0] == both_ways[1]


def listed() -> str:
    """What the table holds, without what grows (counters) or shrinks (expiry)."""
    told = subprocess.run(
        ["nft", "-s", "list", "table", "inet", "rempart"], capture_output=True, text=True, check=True
    )
    return re.sub(r" expires \w+", "", told.stdout)


@pytest.mark.lab
def test_what_our_own_transactions_left_is_not_read_again(
    table: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    elements = table._netlink.elements
    monkeypatch.setattr(table._netlink, "elements", lambda name: asked.append(name) or elements(name))
    minute = Instant(now() + 60 * SECOND)
    changes = (
        replace(ALL_OPEN, blocked={"192.0.2.66": minute}),
        CUT,
        both(Stand(state=FILTERED), Stand(state=OPEN, until=minute, then=CLOSED), contained=True),
        replace(CUT, blocked={"192.0.2.66": None, "192.0.2.0/25": minute}, isolated={"pc": minute}),
        ALL_OPEN,
    )
    for wanted in changes:
        table.enforce(wanted, now())
        assert asked == []
        holds(table, wanted)  # this one reads
        asked.clear()


@pytest.mark.lab
@pytest.mark.parametrize("deed", ["delete table", "flush map", "delete element", "flush set"])
def test_what_somebody_else_changed_is_read_again_and_repaired(table: Kernel, deed: str) -> None:
    wanted = replace(CUT, blocked={"192.0.2.66": None})
    table.enforce(wanted, now())
    what = {"flush map": " state", "delete element": " blocked4 { 192.0.2.66 }", "flush set": " contained"}
    subprocess.run(["nft", *deed.split(), *f"inet rempart{what.get(deed, '')}".split()], check=True)
    table.enforce(wanted, now())  # no reading back came between
    holds(table, wanted)


@pytest.mark.lab
def test_what_ended_by_itself_is_not_taken_away_again(table: Kernel) -> None:
    soon = Instant(now() + SECOND // 2)
    table.enforce(replace(CUT, blocked={"192.0.2.66": soon}, isolated={"pc": soon}), now())
    early = now()  # a clock that stands still: remembered as held, and gone from the kernel
    time.sleep(0.8)
    table.enforce(CUT, early)
    holds(table, CUT)


@pytest.fixture
def proxied(request: pytest.FixtureRequest) -> Iterator[Enforcer]:
    yield from gateway(request)


@pytest.mark.lab
def test_the_proxy_is_asked_once_and_again_when_it_held_something_else(
    proxied: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = proxied._proxy._runtime
    asked: list[str] = []
    ask = runtime.ask
    monkeypatch.setattr(runtime, "ask", lambda command, until: asked.append(command) or ask(command, until))
    for wanted in (ALL_OPEN, CUT, ALL_OPEN, ALL_OPEN, CUT):
        asked.clear()
        proxied.enforce(wanted, now())
        assert len(asked) == 1
    places = Places(site=tmp_path, state=tmp_path, run=tmp_path / "run", rules=())
    ask(f"set map {places.proxy_map} website open", runtime.until())
    asked.clear()
    proxied.enforce(CUT, now())  # nothing changes for it; what it answers does not agree
    assert len(asked) == 2
    holds(proxied, CUT)
