"""Windows events in the three ways they are written come out the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.errors import DecodeError
from rempart.events.decode import windows
from rempart.instants import parse_rfc3339

EVTX: dict[str, Any] = {
    "Event": {
        "#attributes": {"xmlns": "x"},
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Windows Defender", "Guid": "g"}},
            "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 1116},
            "TimeCreated": {"#attributes": {"SystemTime": "2026-11-22T03:12:00.352230Z"}},
            "Correlation": None,
            "Execution": {"#attributes": {"ProcessID": 4}},
            "Channel": "System",
            "Computer": "pc1",
        },
        "EventData": {
            "Threat Name": "EICAR",
            "Data": ["a", "b"],
            "Empty": "",
            "Gone": None,
            "Flag": True,
            "Channel": "own",
        },
    }
}


def test_an_evtx_record() -> None:
    event = windows.decode(json.dumps(EVTX), "a.evtx", 7)
    assert event.fields == {
        "Provider_Name": "Microsoft-Windows-Windows Defender",
        "EventID": "1116",
        "SystemTime": "2026-11-22T03:12:00.352230Z",
        "Channel": "own",
        "Computer": "pc1",
        "Threat Name": "EICAR",
        "ThreatName": "EICAR",
        "Data": "a b",
        "Empty": "",
        "Flag": "true",
    }
    assert event.time == parse_rfc3339("2026-11-22T03:12:00.352230Z")
    assert (event.source, event.record, event.logsource.product) == ("a.evtx", 7, "windows")


def test_user_data_lies_one_level_deeper() -> None:
    event = {
        "Event": {"System": {"EventID": 1102}, "UserData": {"LogFileCleared": {"SubjectUserName": "root"}}}
    }
    assert windows.decode(json.dumps(event), "", 1).fields == {"EventID": "1102", "SubjectUserName": "root"}


def test_flat_json() -> None:
    line = b'{"EventID":1,"Channel":"c","SourceName":"p","UtcTime":"2026-11-22 03:12:00.5","Threat Name":"x"}'
    event = windows.decode(line, "", 1)
    assert event.fields["Provider_Name"] == "p"
    assert event.fields["ThreatName"] == "x"
    assert event.time == parse_rfc3339("2026-11-22T03:12:00.5Z")
    assert event.raw == line


def test_winlogbeat() -> None:
    winlog = {"channel": "c", "event_id": 1, "provider_name": "p", "event_data": {"Image": "i"}}
    event = windows.decode(json.dumps({"@timestamp": "2026-11-22T03:12:00Z", "winlog": winlog}), "", 1)
    assert event.fields == {
        "Channel": "c",
        "EventID": "1",
        "Provider_Name": "p",
        "Image": "i",
        "@timestamp": "2026-11-22T03:12:00Z",
    }
    assert event.time == parse_rfc3339("2026-11-22T03:12:00Z")


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"1", b"{}", b'{"src":"1.2.3.4"}', b"\xff", b"[" * 2000, b'{"Event":1}']
)
def test_what_is_no_windows_event_is_refused(line: bytes) -> None:
    with pytest.raises(DecodeError):
        windows.decode(line, "file", 3)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["System", "EventData", "#text", "#attributes", "Provider", "Name", "a b"]),
                inner,
            )
        ),
        max_leaves=20,
    )
)
def test_no_shape_breaks_it(value: Any) -> None:
    for document in (
        {"Event": value},
        {"Event": {"System": value, "EventData": value}},
        {"EventID": value, "x y": value},
    ):
        try:
            windows.decode(json.dumps(document), "", 1)
        except DecodeError:
            continue
