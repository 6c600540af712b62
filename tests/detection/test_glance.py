"""A glance: what it passes over is read and matches nothing, whatever lines come together."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.behaviour.sighting import Eyes
from rempart.detection.glance import Glance
from rempart.detection.indicator import LOOKED_AT
from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.detection.surroundings import TOUCHED, Surroundings
from rempart.errors import DecodeError
from rempart.events.decode import windows
from rempart.instants import Instant

RULES = """
title: image
logsource: {product: windows, category: image_load}
level: high
detection:
  selection: {ImageLoaded|endswith: '\\evil.dll'}
  known: {Signed: 'true'}
  condition: selection and not known
---
title: blank
logsource: {product: windows, service: security}
level: high
detection:
  selection: {EventID: 4663, ObjectName|contains: secret, ObjectType: null}
  condition: selection
---
title: keyword
logsource: {product: windows}
level: high
detection:
  keywords: ['sekurlsa::logonpasswords', 'mimidrv.sys']
  condition: keywords
---
title: reference
logsource: {product: windows, service: system}
level: high
detection:
  selection: {EventID: 7045, ServiceName|fieldref: ImagePath}
  condition: selection
"""
SYSMON = {"SourceName": "Microsoft-Windows-Sysmon", "Channel": "Microsoft-Windows-Sysmon/Operational"}
KINDS: Sequence[Mapping[str, Any]] = (
    {"EventID": 7, **SYSMON, "ImageLoaded": "C:\\evil.dll", "Signed": "false"},
    {"EventID": 7, **SYSMON, "ImageLoaded": "C:\\evil.dll", "Signed": "true"},
    {"EventID": 7, **SYSMON, "ImageLoaded": "C:\\good.dll", "Message": "mimidrv.sys"},
    {"EventID": 10, **SYSMON, "SourceImage": "C:\\a.exe"},
    {"EventID": 4663, "Channel": "Security", "ObjectName": "C:\\secret", "SourceName": "s"},
    {"EventID": 4663, "Channel": "security", "ObjectName": "C:\\secret", "SourceName": "s"},
    {
        "EventID": 4663,
        "Channel": "Security",
        "ObjectName": "C:\\secret",
        "Object Type": "File",
        "SourceName": "s",
    },
    {"EventID": 4663, "Channel": "Security", "ObjectName": "C:\\other", "SourceName": "s"},
    {"EventID": 4663, "Channel": "Application", "ObjectName": "C:\\secret", "SourceName": "s"},
    {"EventID": 4688, "Channel": "Security", "NewProcessName": "C:\\a.exe"},
    {"EventID": 7045, "Channel": "System", "ServiceName": "a", "ImagePath": "A"},
    {"EventID": 7045, "Channel": "System", "ServiceName": "a", "ImagePath": "b"},
    {
        "Event": {
            "System": {"EventID": 7, "Channel": SYSMON["Channel"]},
            "EventData": {"ImageLoaded": "\\evil.dll"},
        }
    },
)
LINES = [json.dumps(kind, separators=(",", ":")).encode() for kind in KINDS]
ODD = [b"", b"{", b"7", b'{"EventID":7,"Channel":"\xff"}', LINES[0].replace(b"evil", "évil\u212a".encode())]

loaded = load((f"r{place}.yml", text) for place, text in enumerate(RULES.split("---")))
assert not loaded.refused
every = Matcher(loaded.rules)
used = Matcher(loaded.rules)
practised = Glance(used)
for silent in (1, 3, 7):
    practised.worth(LINES[silent : silent + 1] * 100)


def worth_reading(line: bytes) -> bool:
    try:
        return bool(every.matches(windows.decode(line, "", 0)))
    except DecodeError:
        return True


def test_of_kinds_seen_before_it_passes_over_what_matches_nothing() -> None:
    passed = [place for place in range(len(LINES)) if place not in practised.worth(LINES)]
    assert {1, 3, 7} <= set(passed)
    assert not any(worth_reading(LINES[place]) for place in passed)


BESIDE = Glance(Matcher(loaded.rules), telling=TOUCHED | LOOKED_AT, passed=Behaviour().passes_over)
EYES = Eyes()
SITE = Surroundings(inside=Eyes().inside, doors={7: "web"}, person=re.compile("/(\\d+)"))
FOR_BESIDE = [
    json.dumps({"EventID": event, **SYSMON, "ImageLoaded": "C:\\good.dll", **more}).encode()
    for event in (7, 3, 11, 10)
    for more in (
        {},
        {"Hashes": "MD5=AA"},
        {"Source Ip": "192.0.2.1", "Query Name": "evil.example"},
        {"DestinationIp": "192.0.2.1", "SourceIp": "10.0.0.1", "DestinationPort": 443},
        {"src_ip": "192.0.2.1"},
        {"mark": 7},
        {"cs-uri-stem": "/12"},
        {"TargetFilename": "C:\\a", "Computer": "pc1"},
        {"cs-host": "evil.example", "cs-uri": "/a"},
    )
]
QUIET = [FOR_BESIDE[0], FOR_BESIDE[9], FOR_BESIDE[27], LINES[3], LINES[7]]
for line in QUIET:
    BESIDE.worth([line] * 100)


@given(st.lists(st.sampled_from([*LINES, *ODD, *FOR_BESIDE]), max_size=40))
def test_what_it_passes_over_is_nothing_to_the_site_to_lists_and_to_behaviour(mixed: list[bytes]) -> None:
    worth = BESIDE.worth(mixed)
    assert {place for place, line in enumerate(mixed) if worth_reading(line)} <= set(worth)
    for place in set(range(len(mixed))) - set(worth):
        event = windows.decode(mixed[place], "", 0)
        assert SITE.describe(event) is event
        assert LOOKED_AT.isdisjoint(event.fields)
        assert not list(EYES.sightings(event, Instant(0)))


def test_beside_indicators_it_still_passes_over_what_tells_nothing() -> None:
    glance = Glance(Matcher(loaded.rules), telling=TOUCHED | LOOKED_AT, passed=Behaviour().passes_over)
    for line in QUIET:
        glance.worth([line] * 100)
    assert glance.worth(QUIET) == [1]  # a connection, which behaviour looks at


def test_of_a_kind_that_is_new_every_line_is_read() -> None:
    assert Glance(Matcher(loaded.rules)).worth(LINES[3:4] * 3) == [0, 1, 2]


@given(st.lists(st.sampled_from([*LINES, *ODD]), max_size=30), st.data())
def test_together_lines_are_worth_what_each_is_alone(mixed: list[bytes], data: st.DataObject) -> None:
    mended = [
        data.draw(st.sampled_from([line, line.replace(b"C:", b"\\u0043:"), line.replace(b'"s"', b"null")]))
        for line in mixed
    ]
    worth = practised.worth(mended)
    assert worth == sorted(worth)
    assert {place for place, line in enumerate(mended) if worth_reading(line)} <= set(worth)


def test_a_line_that_brings_out_a_defect_is_left_to_whoever_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise KeyError("crafted")

    monkeypatch.setattr(windows, "decode", defect)
    assert Glance(Matcher(loaded.rules)).worth(LINES[3:4] * 100) == list(range(100))


def test_a_kind_that_is_mostly_worth_reading_is_read_whole() -> None:
    glance = Glance(Matcher(loaded.rules))
    assert len(glance.worth(LINES[:1] * 300)) == 300
    assert len(glance.worth(LINES[1:2] * 300)) == 300


def test_any_number_of_kinds_can_come() -> None:
    glance = Glance(Matcher(loaded.rules))
    many = [b'{"EventID":%d,"Channel":"c"}' % number for number in range(10_000)]
    assert glance.worth(many) == list(range(10_000))
    assert glance.worth(LINES[3:4] * 100) == []
