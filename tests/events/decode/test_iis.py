"""IIS: requests in the W3C format become events of a web server."""

import pytest

from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.events.joining import Joining

HEADER = [
    b"#Software: Microsoft Internet Information Services 10.0\r",
    b"#Version: 1.0\r",
    b"#Date: 2026-11-22 08:00:00\r",
    b"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    b"sc-status sc-substatus sc-win32-status time-taken\r",
]
ROW = (
    b"2026-11-22 08:13:05 10.0.30.2 POST /autodiscover/autodiscover.json a=b@evil.example/%%70owershell 443 - "
    b"203.0.113.9 Mozilla/5.0+(Windows+NT+10.0) - 200 0 0 1203\r"
)


def read(line: bytes) -> Event | None:
    return DECODERS["iis"](line, "u_ex261122.log", 5)


def joined(*rows: bytes) -> Event:
    event = read(Joining().joined([*HEADER, *rows])[-1])
    assert event is not None
    return event


def test_a_request_is_read_by_its_header() -> None:
    event = joined(ROW)
    assert (event.logsource.product, event.logsource.category) == ("iis", "webserver")
    assert event.time == 1_795_335_185_000_000
    assert {
        "cs-method": "POST",
        "cs-uri-stem": "/autodiscover/autodiscover.json",
        "cs-uri-query": "/autodiscover/autodiscover.json?a=b@evil.example/%%70owershell",
        "cs-uri-plain": "/autodiscover/autodiscover.json?a=b@evil.example/%powershell",
        "c-ip": "203.0.113.9",
        "cs-user-agent": "Mozilla/5.0 (Windows NT 10.0)",
        "sc-status": 200,
        "s-ip": "10.0.30.2",
        "time-taken": "1203",
    }.items() <= event.fields.items()
    assert not {"cs-username", "cs-referer"} & event.fields.keys()


def test_a_rule_about_web_servers_is_asked_of_it() -> None:
    rules = load(
        [
            (
                "r.yml",
                "title: t\nlogsource: {category: webserver}\ndetection:\n"
                "  a: {cs-uri-query|contains: '@evil', cs-user-agent|contains: '(Windows NT'}\n  condition: a",
            )
        ]
    ).rules
    assert Matcher(rules).matches(joined(ROW)) == rules


def test_columns_hold_until_the_next_header() -> None:
    event = joined(ROW, HEADER[0], b"#Fields: c-ip sc-status", b"10.0.0.9 404")
    assert event.fields == {"c-ip": "10.0.0.9", "sc-status": 404}
    assert event.time is None


def test_a_header_says_nothing_by_itself_and_zeek_does_not_read_it() -> None:
    assert [read(line) for line in HEADER] == [None] * 4
    with pytest.raises(DecodeError):
        DECODERS["zeek"](Joining().joined([*HEADER, ROW])[-1], "u_ex261122.log", 5)


@pytest.mark.parametrize(
    "line",
    [ROW, b"#Fields: c-ip sc-status\n10.0.0.9", b"#Fields: date time\n2026-11-22 08:13:05", b"#path\tdns"],
)
def test_what_is_no_request_under_its_header_is_refused(line: bytes) -> None:
    with pytest.raises(DecodeError):
        read(line)
