"""Windows events in the three ways they are written come out the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.match import Matcher
from rempart.detection.sigma import load
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


TASKS = "1ff70682-0a51-30e8-076d-740be8cee98b"
CALL = f"RpcrtCall 812 C:\\Program Files\\a b.exe ncacn_np \\PIPE\\atsvc 10.0.20.5 {TASKS} 0 HOME\\eve 6 10"
CALL_MESSAGE = (
    "An RPC server function was called.\n\nNetwork Information:\n\tProtocol:\tncacn_np\n\tEndpoint:\t\\PIPE\\atsvc\n\t"
    "Client Network Address:\t10.0.20.5\n\tClient Port:\t50000\nRPC Information:\n\t"
    "InterfaceUuid:\t1ff70682-0a51-30e8-076d-740be8cee98b\n\tOpNum:\t\t0\n"
)
SCHEDULED = """
title: t
logsource: {product: rpc_firewall, category: application}
detection:
  s: {EventLog: RPCFW, EventID: 3, InterfaceUuid: 1FF70682-0a51-30e8-076d-740be8cee98b, OpNum: [0, 1]}
  condition: s
level: high
"""


@pytest.mark.parametrize(
    "said",
    [
        {
            "Event": {
                "System": {"Channel": "RPCFW", "EventID": 3},
                "EventData": {"Data": {"#text": CALL.split(" ")}},
            }
        },
        {"Channel": "RPCFW", "EventID": 3, "Data": CALL},
        {"Channel": "RPCFW", "EventID": "3", "Message": CALL_MESSAGE},
        {
            "winlog": {
                "channel": "RPCFW",
                "event_id": "3",
                "event_data": {
                    f"param{number}": word
                    for number, word in enumerate(
                        ["f", "812", "a b.exe", "ncacn_np", "\\PIPE\\atsvc", "10.0.20.5", TASKS, "0"],
                        1,
                    )
                },
            }
        },
    ],
)
def test_a_call_that_rpc_firewall_saw_is_asked_its_rules(said: dict[str, Any]) -> None:
    event = windows.decode(json.dumps(said).encode(), "rpcfw.evtx", 1)
    assert (event.fields["src_ip"], event.fields["Endpoint"]) == ("10.0.20.5", "\\PIPE\\atsvc")
    asked = Matcher(load([("rpc.yml", SCHEDULED)]).rules)
    assert asked.matches(event)
    elsewhere = json.dumps({"Channel": "Application", "EventID": 3, "Data": CALL})
    assert not asked.matches(windows.decode(elsewhere.encode(), "other.evtx", 1))
