"""Sightings: what each kind of log shows of contacts, sign-ins, care files, files and machines."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.behaviour.sighting import (
    Change,
    Contact,
    Eyes,
    FileChange,
    MachineSeen,
    RecordOpened,
    Side,
    Sighting,
    SignIn,
)
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds

NOON = Instant(seconds(1_795_000_000))
IN, OUT = Side.INSIDE, Side.OUTSIDE


def seen(fields: dict[str, Any]) -> list[Sighting]:
    return list(Eyes().sightings(Event(LogSource(), fields, "log", 1, NOON), NOON))


PACKET = {"src_ip": "10.0.1.5", "dst_ip": "203.0.113.9", "dst_port": 443, "protocol": "tcp"}
CONTACT = Contact(NOON, "10.0.1.5", IN, "203.0.113.9", OUT, 443)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (PACKET | {"action": "open"}, [CONTACT]),
        (PACKET | {"action": "closed"}, []),
        (PACKET | {"action": "deny"}, []),
        (
            PACKET | {"flow": "ended", "bytes_out": 7, "duration": 2.0},
            [Contact(Instant(NOON - seconds(2)), "10.0.1.5", IN, "203.0.113.9", OUT, 443, 7)],
        ),
        (PACKET | {"dst_ip": "224.0.0.251"}, []),
        (
            {"id.orig_h": "10.0.1.5", "id.resp_h": "203.0.113.9", "id.resp_p": 443, "orig_bytes": 9},
            [Contact(NOON, "10.0.1.5", IN, "203.0.113.9", OUT, 443, 9)],
        ),
        ({"id_orig_h": "10.0.1.5", "id_resp_h": "203.0.113.9", "id_resp_p": 443}, [CONTACT]),
        (
            {"event_type": "flow", "src_ip": "10.0.1.5", "dest_ip": "203.0.113.9", "dest_port": 443}
            | {"flow": {"bytes_toserver": 5}},
            [Contact(NOON, "10.0.1.5", IN, "203.0.113.9", OUT, 443, 5)],
        ),
        (
            {"EventID": 3, "Initiated": "true", "SourceIp": "10.0.1.5", "DestinationIp": "203.0.113.9"}
            | {"DestinationPort": "443"},
            [CONTACT],
        ),
        (
            {"EventID": "5156", "Direction": "%%14593", "SourceAddress": "10.0.1.5", "DestPort": "443"}
            | {"DestAddress": "203.0.113.9"},
            [CONTACT],
        ),
        (
            {"EventID": 4624, "LogonType": 10, "TargetUserName": "Anna", "IpAddress": "203.0.113.9"},
            [SignIn("anna", "203.0.113.9", OUT)],
        ),
        ({"EventID": 4624, "LogonType": 3, "TargetUserName": "PC1$", "IpAddress": "10.0.1.5"}, []),
        ({"outcome": "success", "user": "anna", "src_ip": "10.0.1.5"}, [SignIn("anna", "10.0.1.5", IN)]),
        ({"outcome": "failure", "user": "anna", "src_ip": "10.0.1.5"}, []),
        (
            {"sc-status": 200, "cs-username": "anna", "c-ip": "10.0.1.5", "person": "77"},
            [RecordOpened("anna", "10.0.1.5", "77"), SignIn("anna", "10.0.1.5", IN)],
        ),
        ({"sc-status": 401, "cs-username": "anna", "c-ip": "10.0.1.5", "person": "77"}, []),
        ({"mac": "02:00:00:00:00:0A", "host": "pump"}, [MachineSeen("02:00:00:00:00:0a", "pump")]),
        (
            {"EventID": 11, "Hostname": "PC1", "Image": "x", "TargetFilename": "C:\\a"},
            [FileChange("PC1", "x", "C:\\a", Change.WRITTEN)],
        ),
        (
            {"EventID": 23, "Computer": "PC1", "Image": "x", "TargetFilename": "C:\\a"},
            [FileChange("PC1", "x", "C:\\a", Change.REMOVED)],
        ),
        (
            {"Computer": "PC1", "Image": "x", "TargetFilename": "b", "SourceFilename": "a"},
            [FileChange("PC1", "x", "b", Change.RENAMED, "a")],
        ),
        ({"EventID": 1, "Image": "x"}, []),
    ],
)
def test_each_log_shows_what_it_shows(fields: dict[str, Any], expected: list[Sighting]) -> None:
    assert seen(fields) == expected


NAMES = st.one_of(
    st.sampled_from(
        ["EventID", "src_ip", "dst_ip", "dst_port", "duration", "outcome", "user", "sc-status", "c-ip"]
    ),
    st.sampled_from(["person", "mac", "TargetFilename", "Computer", "id.orig_h", "id.resp_h", "id.resp_p"]),
    st.sampled_from(
        ["event_type", "flow", "action", "SourceIp", "DestinationIp", "DestinationPort", "LogonType"]
    ),
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.text(max_size=3)),
    st.sampled_from([3, 11, "23", "10.0.1.5", "flow", "success", "open", 200]),
)  # fmt: skip


@given(st.dictionaries(NAMES, VALUES))
@settings(max_examples=150)
def test_no_event_breaks_the_eyes(fields: dict[str, Any]) -> None:
    seen(fields)
