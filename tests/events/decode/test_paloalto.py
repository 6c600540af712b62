"""Palo Alto: columns are named by the log's type, and each type is asked its own rules."""

import pytest

from events.decode import firing
from rempart.detection.behaviour.sighting import Contact, Eyes, SignIn
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.instants import Instant

TRAFFIC = (
    b"<14>Nov 22 08:13:05 pa1 1,2026/11/22 08:13:05,0070510,TRAFFIC,end,1,2026/11/22 08:13:05,10.0.20.5,203.0.113.9,,,"
    b"out,,,telnet,vsys1,in,out,e1,e2,fwd,,7,1,50000,23,0,0,0x0,tcp,allow,9400,9000,400,20,,30,any"
)
GPSVC = (
    b'{"level":"error","task":"1-2","time":"2026-11-22T08:13:05Z",'
    b'"message":"failed to unmarshal session(../../opt/panlogs/x) map , EOF"}'
)
URL = TRAFFIC.replace(b"TRAFFIC,end", b"THREAT,url").replace(
    b"9400,9000,400,20,,30,any", b'"evil.example/a,b.ps1?x=1",(9999),malware,high,client-to-server'
)
RULES = {
    "cleartext": "logsource: {category: firewall}\n"
    "detection: {p: {dst_port: [21, 23]}, f: {blocked: 'false'}, condition: p and f}",
    "unmarshal": "logsource: {category: appliance, product: paloalto, service: globalprotect}\n"
    "detection: {k: ['failed to unmarshal session(../'], condition: k}",
    "script": "logsource: {category: proxy}\ndetection: {s: {c-uri-extension: ps1}, condition: s}",
    "others": "logsource: {product: fortigate}\ndetection: {k: [telnet, evil, failed], condition: k}",
}


def read(line: bytes) -> Event:
    event = DECODERS["paloalto"](line, "pan.log", 1)
    assert event is not None
    return event


def fired(line: bytes) -> set[str]:
    return firing.fired(RULES, read(line))


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        (TRAFFIC, {"cleartext"}),
        (TRAFFIC.replace(b"tcp,allow", b"tcp,drop"), set()),
        (GPSVC, {"unmarshal"}),
        (URL, {"script"}),
    ],
)
def test_a_line_is_asked_the_rules_of_its_type_only(line: bytes, rules: set[str]) -> None:
    assert fired(line) == rules


def test_a_session_shows_who_sent_how_much() -> None:
    (contact,) = Eyes().sightings(read(TRAFFIC), Instant(0))
    assert isinstance(contact, Contact)
    assert (contact.source, contact.destination, contact.port, contact.sent) == (
        "10.0.20.5",
        "203.0.113.9",
        23,
        9000,
    )


def test_who_comes_in_by_vpn_is_seen_with_the_address() -> None:
    line = (
        b"1,2026/11/22 08:13:05,0070510,GLOBALPROTECT,0,1,2026-11-22T08:13:05.000+01:00,vsys1,gateway-auth,login,LDAP,,"
        b"Nurse,CN,PC-7,203.0.113.77,,,,h,s,6.2,Windows,11,1,,,,success,"
    )
    event = read(line)
    (seen,) = Eyes().sightings(event, Instant(0))
    assert isinstance(seen, SignIn)
    assert (seen.account, seen.address) == ("nurse", "203.0.113.77")
    assert event.time == 1_795_331_585_000_000


def test_commas_in_quotes_move_no_column() -> None:
    assert read(URL).fields["misc"] == "evil.example/a,b.ps1?x=1"
    assert read(URL).fields["threatid"] == "(9999)"


@pytest.mark.parametrize(
    "line",
    [
        TRAFFIC.replace(b"TRAFFIC", b"UNHEARD"),
        TRAFFIC.replace(b"pa1 1,", b"pa1 a,"),
        TRAFFIC.replace(b"telnet", b"tel\rnet"),
        b'{"level":"error","task":"1-2","time":"2026-11-22T08:13:05Z","message":[]}',
        b'{"level":"error","message":"failed to unmarshal session(../"}',
    ],
)
def test_a_line_of_another_kind_is_refused(line: bytes) -> None:
    with pytest.raises(DecodeError):
        read(line)
