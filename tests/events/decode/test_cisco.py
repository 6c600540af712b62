"""Cisco: each message is asked the rules of its own service, and no name that an attacker chooses moves an address."""

import pytest

from events.decode import firing
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event

COMMAND = (
    b"Nov 22 08:13:05 sw1 30: %PARSER-5-CFGLOG_LOGGEDCMD: User:admin  logged command:no logging host 10.0.9.9"
)
WEB_USER = b"<189>29: %SEC_LOGIN-5-WEBLOGIN_SUCCESS: Login Success [user: cisco_support] [Source: 203.0.113.9] at 08:13"
NEIGHBOUR = (
    b"r1 RP/0/RSP0/CPU0:Nov 22 08:13:05 CET: tcp[9]: %IP-TCP-3-BADAUTH : "
    b"Invalid MD5 digest from 10.0.0.1:9 to 10.0.0.2:179"
)
TELNET = (
    b"<166>fw1 : %ASA-6-302013: Built outbound TCP connection 7 for out:203.0.113.9/23 (203.0.113.9/23) "
    b"to in:10.0.20.5/50000 (198.51.100.2/5)"
)

RULES = {
    "command": "logsource: {product: cisco, service: aaa}\n"
    "detection: {k: ['no logging', 'no aaa new-model'], condition: k}",
    "account": "logsource: {product: cisco, service: aaa}\ndetection: {k: [username, aaa], condition: k}",
    "web user": "logsource: {product: cisco, service: syslog}\n"
    "detection: {e: ['%SEC_LOGIN-5-WEBLOGIN_SUCCESS:'], u: [cisco_tac_admin, cisco_support], condition: e and u}",
    "neighbour": "logsource: {product: cisco, service: bgp}\n"
    "detection: {k: {'|all': [':179', IP-TCP-3-BADAUTH]}, condition: k}",
    "cleartext": "logsource: {category: firewall}\n"
    "detection: {p: {dst_port: [21, 23]}, f: {blocked: 'false'}, condition: p and f}",
    "linux": "logsource: {product: linux}\ndetection: {k: ['no logging', BADAUTH, Login], condition: k}",
}


def read(line: bytes, decoder: str = "cisco") -> Event:
    event = DECODERS[decoder](line, "cisco.log", 1)
    assert event is not None
    return event


def fired(event: Event) -> set[str]:
    return firing.fired(RULES, event)


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        (COMMAND, {"command"}),
        (WEB_USER, {"web user"}),
        (NEIGHBOUR, {"neighbour"}),
        (TELNET, {"cleartext"}),
        (COMMAND.replace(b"no logging", b"username eve"), {"account"}),
    ],
)
def test_a_message_is_asked_the_rules_of_its_service_only(line: bytes, rules: set[str]) -> None:
    assert fired(read(line)) == rules


def test_the_same_words_of_another_product_fire_nothing_of_ciscos() -> None:
    assert fired(read(b"Nov 22 08:13:05 web app: no logging aaa username", "syslog")) == {"linux"}


def test_who_began_a_connection_is_its_source() -> None:
    ends = ("src_ip", "src_port", "dst_ip", "dst_port")
    assert [read(TELNET).fields[name] for name in ends] == ["10.0.20.5", 50000, "203.0.113.9", 23]
    inbound = TELNET.replace(b"outbound", b"inbound")
    assert [read(inbound).fields[name] for name in ends] == ["203.0.113.9", 23, "10.0.20.5", 50000]


def test_the_end_of_a_connection_names_no_source() -> None:
    fields = read(TELNET.replace(b"302013: Built outbound", b"302014: Teardown")).fields
    assert not {"src_ip", "dst_ip", "blocked"} & fields.keys()


LOGINS = (
    (
        "1: %SEC_LOGIN-4-LOGIN_FAILED: Failed [user: {}] [Source: 203.0.113.9] [localport: 22]",
        "] [Source: {}]",
    ),
    ("fw %ASA-6-113039: Group <g> User <{}> IP <203.0.113.9> AnyConnect", "> IP <{}>"),
    (
        "fw %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : "
        "user = {} : user IP = 203.0.113.9",
        " : user IP = {} ",
    ),
    (
        'fw %ASA-6-605004: Login denied from 203.0.113.9/1 to o:198.51.100.2/ssh for user "{}"',
        "x from {}/1 to o:198.51.100.2/ssh for user ",
    ),
)
"""What the device writes, and what a name must hold to read like the device's own words."""


@pytest.mark.parametrize(("line", "name"), LOGINS)
@pytest.mark.parametrize("padding", [0, 200, 60_000])
def test_a_name_that_reads_like_an_address_does_not_shift_the_blame(
    line: str, name: str, padding: int
) -> None:
    """Of any length: what is long enough to push the device's own words away must not be believed instead."""
    assert read(line.format("eve").encode()).fields["src_ip"] == "203.0.113.9"
    forged = "x" + name.format("10.0.9.4") + "x" * padding
    assert read(line.format(forged).encode()).fields["src_ip"] == "203.0.113.9"


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 22 08:13:05 web sshd[812]: Invalid user %ASA-6-302013: Built from 203.0.113.9 port 4444",
        b"Nov 22 08:13:05 web app[9]: somebody in that log says this: %SYS-5-CONFIG_I: x",
        b"%SYS-9-CONFIG_I: no severity has that number",
        b"x" * 500 + b" %SYS-5-CONFIG_I: too far from the beginning",
    ],
)
def test_a_tag_in_what_others_say_is_no_message_of_ciscos(line: bytes) -> None:
    with pytest.raises(DecodeError):
        read(line)
