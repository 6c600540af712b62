"""Filtered by name, with the whole station, unbound and a name server that lies: what passes, and what must not."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rempart.engine import orders
from rempart.site.opening import OpeningState

from .naming import EVIL, EVIL6, GATEWAY, GOOD, GOOD6, OTHER, SHARED, SHARED6, Naming, echo, hello

pytestmark = [pytest.mark.lab, pytest.mark.slow]
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


@pytest.fixture(scope="module")
def started(_house, site_text: str) -> Iterator[Naming]:
    naming = Naming(_house, site_text)
    try:
        naming.start()
        yield naming
    finally:
        naming.stop()
        _house.clear()


@pytest.fixture
def naming(started: Naming) -> Naming:
    """The station in its normal posture but for browsing, which is closed; nothing is leased."""
    started.set("browsing", CLOSED)
    for opening in ("care-file", "laboratory", "cloud"):
        started.set(opening, OPEN)
    started.forget()
    return started


def test_the_first_connection_after_the_answer_passes(naming: Naming) -> None:
    assert naming.house.answer("wards", GOOD, 443) == "refused"
    assert naming.addresses("care.example") == {GOOD}
    assert naming.house.answer("wards", GOOD, 443) == "yes"
    assert naming.addresses("care.example", "AAAA", server="fd00:1::1") == {GOOD6}
    assert naming.house.answer("wards", GOOD6, 443) == "yes"
    assert naming.leases("leased4_21").keys() == {f"10.1.0.7 {GOOD}"}
    assert naming.leases("leased6_21").keys() == {f"fd00:1::7 {GOOD6}"}


def test_over_tcp_and_in_any_spelling(naming: Naming) -> None:
    reply = naming.ask("cArE.ExAmPlE", tcp=True)
    assert reply
    assert reply.answer[0].name.to_text() == "cArE.ExAmPlE."
    assert naming.house.answer("wards", GOOD, 443) == "yes"


def test_only_the_machine_that_asked(naming: Naming) -> None:
    naming.ask("care.example", source="10.1.0.7")
    assert naming.house.answer("wards", GOOD, 443, "10.1.0.7") == "yes"
    assert naming.house.answer("wards", GOOD, 443, "10.1.0.8") == "refused"
    assert naming.house.answer("servers", GOOD, 443) == "refused"


def test_what_a_domain_controller_asks_is_for_its_machines(naming: Naming) -> None:
    assert naming.addresses("care.example", zone="servers", server="10.2.0.1") == {GOOD}
    assert naming.house.answer("wards", GOOD, 443, "10.1.0.8") == "yes"


def test_an_answer_lasts_its_time_and_is_renewed_by_the_next(naming: Naming) -> None:
    naming.tell({"care.example": [["A", 7, GOOD]]})
    naming.set("laboratory", FILTERED)
    naming.ask("lab.example")
    [given] = naming.leases("leased4_22").values()
    assert 85 <= given <= 90  # 60 and 30
    naming.forget()
    assert naming.house.answer("wards", OTHER, 443) == "refused"
    naming.ask("lab.example")  # from unbound's cache: the set is filled all the same
    assert naming.house.answer("wards", OTHER, 443) == "yes"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rebound.example", "A"),
        ("rebound.example", "AAAA"),
        ("mixed.example", "A"),
        ("foreign.example", "A"),
        ("large.example", "A"),
        ("evil.example", "A"),
        ("evil.example", "AAAA"),
        ("www.anything.example", "A"),
        ("www.anything.example", "TXT"),
    ],
)
def test_what_is_refused_opens_nothing(naming: Naming, name: str, kind: str) -> None:
    for tcp in (False, True):
        assert naming.code(name, kind, tcp=tcp) == "REFUSED"
    for family in (4, 6):
        assert naming.leases(f"leased{family}_21") == {}
    for address in (EVIL, EVIL6, GOOD):
        assert naming.house.answer("wards", address, 443) == "refused"


def test_an_alias_below_the_name_is_followed_and_not_told(naming: Naming) -> None:
    assert naming.addresses("below.example") == {GOOD}
    assert naming.house.answer("wards", GOOD, 443) == "yes"


def test_no_hints_and_no_keys_that_hide_a_name(naming: Naming) -> None:
    reply = naming.ask("care.example", "HTTPS")
    assert reply
    assert reply.answer == []
    assert naming.code("care.example", "HTTPS") == "NOERROR"


def test_nobody_asks_anybody_else(naming: Naming) -> None:
    assert naming.code("evil.example", server="192.0.2.53", patience=0.7) == "silence"
    assert naming.code("evil.example", server="192.0.2.53", tcp=True, patience=0.7) == "silence"
    assert naming.code("care.example", server="192.0.2.53", zone="servers", patience=0.7) == "silence"
    assert naming.house.answer("wards", EVIL, 853) == "refused"
    counted = naming.house.at("gw", "nft", "list", "counter", "inet", "rempart", "past_the_resolver")
    assert "packets 0 " not in counted


def test_names_of_a_closed_opening_stay_closed_while_browsing_is_open(naming: Naming) -> None:
    naming.set("laboratory", CLOSED)
    naming.set("browsing", OPEN)
    assert naming.addresses("www.anything.example") == {EVIL}
    assert naming.addresses("www.anything.example", "TXT") == {'"hello"'}
    assert naming.code("lab.example") == "REFUSED"
    assert naming.addresses("care.example") == {GOOD}


def test_closing_cuts_what_runs(naming: Naming) -> None:
    naming.ask("lab.example")
    with naming.house.call("wards", OTHER, 443) as running:
        naming.set("laboratory", CLOSED)
        running.send(b"after the closing")
        with pytest.raises(ConnectionResetError):
            running.recv(1)
    assert naming.code("lab.example") == "REFUSED"
    assert naming.house.answer("wards", OTHER, 443) == "refused"


def test_quic_hides_the_name_and_is_closed_when_filtered(naming: Naming) -> None:
    naming.ask("care.example")
    for state, passes in ((OPEN, True), (FILTERED, False)):
        naming.set("care-file", state)
        with echo(naming.house, "out", GOOD, 443) as door, naming.house.inside("wards"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"quic", (GOOD, 443))
            if passes:
                assert door.recv(9) == b"quic"
            else:
                with pytest.raises(TimeoutError):
                    door.recv(9)


# -- shared addresses: the gate ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [OPEN, FILTERED])
def test_at_the_gate_the_name_decides(naming: Naming, state: OpeningState) -> None:
    naming.set("cloud", state)
    assert naming.greeting(SHARED, "cloud.example") == "closed"  # not asked for yet
    assert naming.addresses("cloud.example") == {SHARED}
    assert naming.addresses("cloud.example", "AAAA", server="fd00:1::1") == {SHARED6}
    assert naming.greeting(SHARED, "cloud.example") == SHARED
    assert naming.greeting(SHARED, "CLOUD.example") == SHARED
    assert naming.greeting(SHARED6, "cloud.example") in (SHARED, SHARED6)
    for address in (SHARED, SHARED6):
        for wrong in ("www.shared.example", "evil.example", "x.cloud.example", "care.example", None):
            assert naming.greeting(address, wrong) == "closed", wrong
    assert naming.greeting(EVIL, "cloud.example") == "closed"


def test_a_greeting_that_is_none_is_closed(naming: Naming) -> None:
    naming.ask("cloud.example")
    for data in (b"GET / HTTP/1.1\r\nHost: cloud.example\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 600):
        with naming.house.call("wards", SHARED, 443) as talk:
            talk.settimeout(6)
            talk.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                assert talk.recv(100) == b""


def test_an_allowed_name_sent_elsewhere_arrives_at_the_right_server(naming: Naming) -> None:
    naming.ask("moved.example")
    assert naming.greeting(SHARED, "moved.example") == SHARED
    naming.tell({"moved.example": [["A", 1, GOOD]]})
    time.sleep(2.5)  # unbound's memory and haproxy's are over
    assert naming.greeting(SHARED, "moved.example") == GOOD


def test_browsing_goes_on_at_shared_addresses_while_it_is_open(naming: Naming) -> None:
    naming.set("browsing", OPEN)
    naming.ask("cloud.example")
    assert naming.greeting(SHARED, "www.shared.example") == SHARED
    assert naming.greeting(SHARED, "evil.example") == EVIL
    assert naming.greeting(SHARED, "lab.example") == OTHER
    naming.set("laboratory", CLOSED)
    time.sleep(1.2)  # haproxy's memory is over
    assert naming.greeting(SHARED, "lab.example") == "closed"


def test_nobody_speaks_to_the_gate_itself(naming: Naming) -> None:
    naming.set("browsing", OPEN)
    naming.ask("cloud.example")
    assert naming.house.answer("wards", GATEWAY, 18023) == "refused"
    assert naming.house.answer("out", "203.0.113.2", 18023) == "silence"


def test_closing_ends_what_passes_the_gate(naming: Naming) -> None:
    naming.set("browsing", OPEN)
    naming.ask("cloud.example")
    with greeted(naming, "cloud.example") as own, greeted(naming, "www.shared.example") as other:
        naming.set("browsing", CLOSED)
        assert ended(other)
        assert not ended(own)
        naming.set("cloud", FILTERED)
        assert not ended(own)
        naming.set("cloud", CLOSED)
        assert ended(own)
    assert naming.greeting(SHARED, "cloud.example") == "closed"


def greeted(naming: Naming, name: str) -> socket.socket:
    """A running connection through the gate, under that name."""
    talk = naming.house.call("wards", SHARED, 443)
    talk.settimeout(6)
    talk.sendall(hello(name))
    assert talk.recv(100).strip().decode() == SHARED
    return talk


def ended(talk: socket.socket) -> bool:
    """Whether a running connection through the gate has been ended; else what is sent comes back."""
    try:
        talk.sendall(b"still there?")
        answer = talk.recv(100)
    except OSError:
        return True
    return answer != b"still there?"


def test_status_tells_what_was_refused_and_not_who_asked(naming: Naming) -> None:
    naming.code("evil.example")
    told = naming.station.await_status(
        lambda status: (
            status.names_refused is not None
            and any(each.name == "evil.example" for each in status.names_refused.latest)
        )
    )
    assert told.names_refused
    assert told.names_refused.times["name"] >= 1


def test_the_resolver_holds_one_capability(naming: Naming) -> None:
    if os.geteuid() or not naming.station.process:
        pytest.skip("only root can be several users")
    bind_low_ports = 1 << 10
    for program, wanted in (("rempart.station.resolver", bind_low_ports), ("sbin/unbound", 0)):
        status = Path(f"/proc/{naming.station.pid_of(program)}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == wanted


def test_without_the_guard_leases_hold_and_names_come_later(naming: Naming) -> None:
    naming.ask("care.example")
    os.kill(naming.station.pid_of("rempart.station.guard"), signal.SIGSTOP)
    try:
        assert naming.code("lab.example") == "SERVFAIL"
        assert naming.house.answer("wards", GOOD, 443) == "yes"
        assert naming.house.answer("wards", OTHER, 443) == "refused"
    finally:
        os.kill(naming.station.pid_of("rempart.station.guard"), signal.SIGCONT)
    os.kill(naming.station.pid_of("rempart.station.guard"), signal.SIGKILL)
    until = time.monotonic() + 60
    while naming.code("lab.example") != "NOERROR":
        assert time.monotonic() < until
    assert naming.house.answer("wards", OTHER, 443) == "yes"


def test_while_contained_names_carry_nothing_out(naming: Naming) -> None:
    """Last, because the station stays contained."""
    naming.set("browsing", OPEN)
    naming.ask("www.anything.example")
    naming.contain()
    out_before = naming.came_out()
    for number in range(50):
        for base in ("tunnel.example", "care.example", "www.anything.example"):
            for kind in ("A", "TXT", "NULL", "CNAME"):
                assert naming.code(f"c2VjcmV0{number}.{base}", kind) in ("REFUSED", "NOERROR")
    assert naming.came_out() == out_before
    assert naming.code("www.anything.example") == "REFUSED"
    assert naming.code("lab.example") == "REFUSED"
    assert naming.addresses("care.example") == {GOOD}
    assert naming.house.answer("wards", GOOD, 443) == "yes"
    assert naming.house.answer("wards", OTHER, 443) == "refused"
    closed = naming.station.order(
        orders.CloseLifeline(by="Alex", reason="x", opening="care-file", fallback_confirmed=True)
    )
    assert closed
    assert naming.code("care.example") == "REFUSED"
    assert naming.house.answer("wards", GOOD, 443) == "refused"
