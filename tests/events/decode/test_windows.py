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
        "Execution_ProcessID": "4",
        "EventID": "1116",
        "SystemTime": "2026-11-22T03:12:00.352230Z",
        "Channel": "own",
        "Computer": "pc1",
        "ComputerName": "pc1",
        "Threat Name": "EICAR",
        "ThreatName": "EICAR",
        "Data": "a b",
        "Empty": "",
        "Flag": "true",
    }
    assert event.time == parse_rfc3339("2026-11-22T03:12:00.352230Z")
    assert (event.source, event.record, event.logsource.product) == ("a.evtx", 7, "windows")


SYSTEM = EVTX["Event"]["System"]
AS_IT_IS = windows.decode(json.dumps(EVTX), "", 1).fields
WINLOG = {
    "channel": "System",
    "event_id": 1116,
    "provider_name": SYSTEM["Provider"]["#attributes"]["Name"],
    "computer_name": "pc1",
    "event_data": EVTX["Event"]["EventData"],
}
OF_A_RECORD = AS_IT_IS.keys() - {"Execution_ProcessID", "SystemTime"}


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (EVTX["Event"], AS_IT_IS.keys()),
        (
            {
                "Event": {
                    "System": {
                        "Provider_attributes": SYSTEM["Provider"]["#attributes"],
                        "EventID": 1116,
                        "EventID_attributes": {"Qualifiers": 0},
                        "TimeCreated_attributes": SYSTEM["TimeCreated"]["#attributes"],
                        "Execution_attributes": {"ProcessID": 4},
                        "Channel": "System",
                        "Computer": "pc1",
                    },
                    "EventData": EVTX["Event"]["EventData"],
                }
            },
            AS_IT_IS.keys(),
        ),
        (
            {
                "Event": {
                    "@xmlns": "x",
                    "System": {
                        "Provider": {"@Name": "Microsoft-Windows-Windows Defender", "@Guid": "g"},
                        "EventID": {"@Qualifiers": "0", "#text": "1116"},
                        "TimeCreated": {"@SystemTime": "2026-11-22T03:12:00.352230Z"},
                        "Execution": {"@ProcessID": "4"},
                        "Channel": "System",
                        "Computer": "pc1",
                    },
                    "EventData": {
                        "Data": [
                            {"@Name": "Threat Name", "#text": "EICAR"},
                            "a",
                            {"@Name": "Empty", "#text": ""},
                            {"@Name": "Gone"},
                            {"@Name": "Flag", "#text": "true"},
                            {"@Name": "Channel", "#text": "own"},
                            {"#text": "b"},
                        ]
                    },
                }
            },
            AS_IT_IS.keys(),
        ),
        ({"winlog": WINLOG}, OF_A_RECORD),
        ({"_index": "i", "_source": {"winlog": WINLOG}}, OF_A_RECORD),
        (
            {f"winlog.{name}": value for name, value in WINLOG.items() if name != "event_data"}
            | {f"winlog.event_data.{name}": value for name, value in WINLOG["event_data"].items()},
            OF_A_RECORD,
        ),
        (
            {
                "log_name": "System",
                "event_id": 1116,
                "source_name": WINLOG["provider_name"],
                "computer_name": "pc1",
                "event_data": WINLOG["event_data"],
            },
            OF_A_RECORD,
        ),
    ],
)
def test_the_same_record_however_it_was_written(document: dict[str, Any], names: set[str]) -> None:
    found = windows.decode(json.dumps(document), "", 1).fields
    assert {name: found.get(name) for name in names} == {name: AS_IT_IS[name] for name in names}


SYSMON = "Microsoft-Windows-Sysmon"
CHANNEL = f"{SYSMON}/Operational"
WHO = r"C:\Windows\System32\whoami.exe"
DATA = f'<EventData><Data Name="Image">{WHO}</Data></EventData>'
XML = (
    f'<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="{SYSMON}"/>'
    f'<EventID>1</EventID><TimeCreated SystemTime="2026-01-02T03:04:05Z"/><Channel>{CHANNEL}</Channel>'
    f"<Computer>pc1</Computer></System>{DATA}</Event>"
)


@pytest.mark.parametrize(
    "line",
    [
        XML,
        XML.replace("><", ">\n  <"),
        f"<14>1 2026-01-02T03:04:06Z pc1 nxlog 7 - - {XML}",
        "<14>Jan  2 03:04:05 pc1 Microsoft-Windows-Sysmon[7]: "
        + json.dumps(
            {
                "EventTime": "2026-01-02T03:04:05+00:00",
                "Hostname": "pc1",
                "EventID": 1,
                "SourceName": SYSMON,
                "Channel": CHANNEL,
                "Image": WHO,
            }
        ),
        {  # Velociraptor
            "System": {
                "Provider": {"Name": SYSMON, "Guid": "5770385f"},
                "EventID": {"Value": 1},
                "TimeCreated": {"SystemTime": 1767323045.0},
                "Channel": CHANNEL,
                "Computer": "pc1",
            },
            "EventData": {"Image": WHO},
            "Message": "Process Create",
        },
        {  # OpenWEC
            "System": {
                "Provider": {"Name": SYSMON},
                "EventID": 1,
                "TimeCreated": "2026-01-02T03:04:05Z",
                "Channel": CHANNEL,
                "Computer": "pc1",
            },
            "EventData": {"Image": WHO},
        },
        {  # Wazuh
            "timestamp": "2026-01-02T03:04:06.000+0000",
            "rule": {"id": "61603"},
            "data": {
                "win": {
                    "system": {
                        "providerName": SYSMON,
                        "eventID": "1",
                        "systemTime": "2026-01-02T03:04:05Z",
                        "channel": CHANNEL,
                        "computer": "pc1",
                    },
                    "eventdata": {"image": WHO.replace("\\", "\\\\")},
                }
            },
        },
        {  # Log Analytics
            "TimeGenerated": "2026-01-02T03:04:05Z",
            "Source": SYSMON,
            "EventLog": CHANNEL,
            "Computer": "pc1",
            "EventID": 1,
            "EventData": f'<DataItem type="System.XmlData" time="x" sourceHealthServiceId="y">{DATA}</DataItem>',
            "Type": "Event",
        },
        {  # Get-WinEvent | ConvertTo-Json
            "Id": 1,
            "LogName": CHANNEL,
            "ProviderName": SYSMON,
            "MachineName": "pc1",
            "TimeCreated": "/Date(1767323045000)/",
            "Message": f"Process Create:\r\nRuleName: -\r\nImage: {WHO}\r\nUser: PC1\\bob",
            "Properties": [{"Value": WHO}],
        },
    ],
)
def test_the_same_event_in_whatever_it_comes(line: str | dict[str, Any]) -> None:
    found = windows.decode(line if isinstance(line, str) else json.dumps(line), "", 1)
    asked = {"Channel": CHANNEL, "Provider_Name": SYSMON, "Image": WHO, "Computer": "pc1"}
    assert {name: found.fields.get(name) for name in asked} == asked
    assert str(found.fields["EventID"]) == "1"
    assert found.time == parse_rfc3339("2026-01-02T03:04:05Z")
    rules = load([("who.yml", WHO_RULE)]).rules
    assert Matcher(rules).matches(found) == tuple(rules)


WHO_RULE = r"""
title: who
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: '\whoami.exe'}, condition: s}
"""


def test_sysmon_for_linux_is_no_windows() -> None:
    event = '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID></System></Event>'
    line = f"Jan  2 03:04:05 box sysmon: {event}"
    with pytest.raises(DecodeError):
        windows.decode(line, "", 1)


def test_one_named_element_is_no_list() -> None:
    data = {"Data": {"#attributes": {"Name": "Image"}, "#text": "a.exe"}}
    event = {"Event": {"System": {"EventID": 1}, "EventData": data}}
    assert windows.decode(json.dumps(event), "", 1).fields == {"EventID": "1", "Image": "a.exe"}


def test_the_machine_has_both_of_its_names() -> None:
    for name in ("Hostname", "Computer", "ComputerName"):
        fields = windows.decode(json.dumps({"EventID": 1, name: "pc1"}), "", 1).fields
        assert (fields["Computer"], fields["ComputerName"]) == ("pc1", "pc1")


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
