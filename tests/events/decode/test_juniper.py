"""Junos: sessions are a firewall's, refused neighbours are BGP's, and what others say in its words is not read."""

import pytest

from events.decode import firing
from rempart.detection.behaviour.sighting import Contact, Eyes, SignIn
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.instants import Instant

CLOSED = (
    b"<14>1 2026-11-22T08:13:35Z srx1 RT_FLOW - RT_FLOW_SESSION_CLOSE [junos@2636.1.1.1.2.86 "
    b'source-address="10.0.20.5" source-port="50000" destination-address="203.0.113.9" destination-port="23" '
    b'protocol-id="6" bytes-from-client="9000" elapsed-time="30"]'
)
NEIGHBOUR = b"Nov 22 08:13:05  mx1 /kernel: tcp_auth_ok: Packet from 203.0.113.9:179 missing MD5 digest"
RULES = {
    "cleartext": "logsource: {category: firewall}\n"
    "detection: {p: {dst_port: [21, 23]}, f: {blocked: 'false'}, condition: p and f}",
    "neighbour": "logsource: {product: juniper, service: bgp}\n"
    "detection: {k: {'|all': [':179', 'missing MD5 digest']}, condition: k}",
    "linux": "logsource: {product: linux}\ndetection: {k: [MD5, session], condition: k}",
}


def read(line: bytes) -> Event:
    event = DECODERS["juniper"](line, "junos.log", 1)
    assert event is not None
    return event


def fired(line: bytes) -> set[str]:
    return firing.fired(RULES, read(line))


def test_a_message_is_asked_the_rules_of_its_log_source_only() -> None:
    assert fired(CLOSED) == {"cleartext"}
    assert fired(CLOSED.replace(b"SESSION_CLOSE", b"SESSION_DENY")) == set()
    assert fired(NEIGHBOUR) == {"neighbour"}


def test_a_session_shows_who_sent_how_much() -> None:
    event = read(CLOSED)
    (contact,) = Eyes().sightings(event, Instant(1_795_335_215_000_000))
    assert isinstance(contact, Contact)
    assert (contact.source, contact.destination, contact.port, contact.sent) == (
        "10.0.20.5",
        "203.0.113.9",
        23,
        9000,
    )
    assert contact.time == 1_795_335_185_000_000


def test_a_sign_in_is_seen_with_its_address() -> None:
    line = (
        b'1 2026-11-22T08:13:05Z mx1 mgd 4163 UI_LOGIN_EVENT [junos@2636.1.1.1.2.18 username="Admin" '
        b'ssh-connection="203.0.113.9 50000 10.0.9.1 22"]'
    )
    (seen,) = Eyes().sightings(read(line), Instant(0))
    assert isinstance(seen, SignIn)
    assert (seen.account, seen.address) == ("admin", "203.0.113.9")


def test_a_name_that_reads_like_an_address_does_not_shift_the_blame() -> None:
    said = b"Login failed for user 'x' from host '10.0.9.4' from host '203.0.113.9'"
    assert read(b"Nov 22 08:13:05 mx1 sshd[9]: SSHD_LOGIN_FAILED: " + said).fields["src_ip"] == "203.0.113.9"


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 22 08:13:05 web kernel: RT_FLOW: RT_FLOW_SESSION_DENY: session denied 1.1.1.1/1->2.2.2.2/2 x",
        b"Nov 22 08:13:05 web app[9]: RT_FLOW_SESSION_DENY: session denied 1.1.1.1/1->2.2.2.2/2 x",
        b'1 2026-11-22T08:13:05Z web app 1 X [other@2636 a="b"] x [junos@2636.1 a="b"]',
    ],
)
def test_what_others_say_in_its_words_is_not_read(line: bytes) -> None:
    with pytest.raises(DecodeError):
        read(line)
