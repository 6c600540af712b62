"""Windows' own audit is asked what Sysmon is asked."""

import json

import pytest

from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.events.decode import windows
from rempart.events.event import Event, LogSource

RULE = """
title: {category}
id: 00000000-0000-4000-8000-{number:012}
logsource: {{product: windows, category: {category}}}
detection: {{sel: {asked}, condition: sel}}
"""
RULES = (
    ("process_creation", "{Image|endswith: \\bcdedit.exe, User: CARE\\eve, IntegrityLevel: High}"),
    (
        "registry_set",
        "{TargetObject: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\X, Details: DWORD (0x00000010)}",
    ),
    ("registry_delete", "{TargetObject|endswith: \\X}"),
    ("registry_add", "{TargetObject|endswith: \\X}"),
    ("file_event", "{Image|endswith: .exe}"),
)


def fired(event: dict[str, object]) -> list[str]:
    rules = [(f"{n}.yml", RULE.format(category=c, asked=a, number=n)) for n, (c, a) in enumerate(RULES)]
    loaded = load(rules)
    assert not loaded.refused
    read = windows.decode(json.dumps(event).encode(), "a.ndjson", 1)
    return [rule.card.title for rule in Matcher(loaded.rules).matches(read)]


PROCESS: dict[str, object] = {
    "ParentProcessName": "C:\\Windows\\explorer.exe",
    "EventID": 4688,
    "Channel": "Security",
    "NewProcessName": "C:\\Windows\\System32\\bcdedit.exe",
    "ProcessId": "0x10",
    "SubjectDomainName": "CARE",
    "SubjectUserName": "eve",
    "TargetUserName": "-",
    "TargetDomainName": "-",
    "MandatoryLabel": "S-1-16-12288",
}
VALUE: dict[str, object] = {
    "EventID": "4657",
    "Channel": "security",
    "ObjectName": "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Control\\Lsa",
    "ObjectValueName": "X",
    "OperationType": "%%1905",
    "NewValueType": "%%1876",
    "NewValue": "16",
    "ProcessName": "C:\\a.exe",
}


def test_a_process_that_the_audit_tells_is_a_process() -> None:
    assert fired(PROCESS) == ["process_creation"]


def test_a_value_of_the_registry_is_written_as_sysmon_writes_it() -> None:
    assert fired(VALUE) == ["registry_set"]


def test_a_deleted_value_is_deleted() -> None:
    assert fired(VALUE | {"OperationType": "%%1906"}) == ["registry_delete"]


def test_another_log_with_the_same_number_says_something_else() -> None:
    assert fired(PROCESS | {"Channel": "Application"}) == []


def test_a_number_that_is_no_number_breaks_nothing() -> None:
    for value in ("nonsense", "0x" + "f" * 40, "", "-1"):
        fired(VALUE | {"NewValue": value})
        fired(VALUE | {"NewValue": value, "NewValueType": "%%1883"})
    assert fired({"EventID": {}, "Channel": []}) == []


# -- what the audit does not tell ---------------------------------------------------------------------------------

EXCLUDING = """
title: excluding
id: 00000000-0000-4000-8000-000000000009
logsource: {product: windows, category: process_creation}
detection:
  sel: {Image|endswith: \\bcdedit.exe}
  own: {ParentCommandLine|contains: backup, User|endswith: \\adam}
  absent: {Company: null}
  shell: {ParentImage|endswith: \\shell.exe}
  other: {CurrentDirectory|fieldref: ParentCommandLine}
  condition: CONDITION
"""
SYSMON = {
    "EventID": 1,
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Image": "C:\\Windows\\System32\\bcdedit.exe",
    "User": "CARE\\adam",
}


@pytest.mark.parametrize(
    ("condition", "eve", "adam", "sysmon"),
    [
        ("sel", True, True, True),
        ("sel and not own", True, False, True),  # adam's backup would be excluded, eve's would not
        ("sel and not absent", False, False, False),
        ("sel and not other", False, False, True),
        ("sel and absent", False, False, True),
        ("sel and (own or not absent)", False, False, False),
        ("sel and not (own and not absent)", True, False, True),
        ("sel and not (not absent)", False, False, True),
        ("not sel or not own", True, False, True),
    ],
)
def test_what_the_audit_does_not_tell_decides_nothing(
    condition: str, eve: bool, adam: bool, sysmon: bool
) -> None:
    (rule,) = load([("e.yml", EXCLUDING.replace("CONDITION", condition))]).rules
    events = (PROCESS, PROCESS | {"SubjectUserName": "adam"}, SYSMON)
    read = [windows.decode(json.dumps(event).encode(), "a.ndjson", 1) for event in events]
    assert [bool(Matcher([rule]).matches(each)) for each in read] == [eve, adam, sysmon]


def test_a_filter_cannot_exclude_by_what_the_audit_does_not_tell() -> None:
    rule = EXCLUDING.replace("CONDITION", "sel")
    narrowing = """
title: Backup
logsource: {product: windows, category: process_creation}
filter:
  rules: [00000000-0000-4000-8000-000000000009]
  backup: {ParentCommandLine|contains: backup}
  condition: not backup
"""
    matcher = Matcher(load([("e.yml", rule), ("f.yml", narrowing)]).rules)
    read = [windows.decode(json.dumps(event).encode(), "a.ndjson", 1) for event in (PROCESS, SYSMON)]
    assert [bool(matcher.matches(each)) for each in read] == [False, True]


@pytest.mark.parametrize(
    ("parent", "plain", "excluding"),
    [("C:\\a.exe", True, True), ("C:\\shell.exe", True, False), ("", True, False), (None, True, False)],
)
def test_an_older_windows_names_no_parent_to_exclude_by(
    parent: str | None, plain: bool, excluding: bool
) -> None:
    old = PROCESS | {"ParentProcessName": parent}
    event = windows.decode(json.dumps(old).encode(), "a.ndjson", 1)
    for condition, fires in (("sel", plain), ("sel and not shell", excluding)):
        (rule,) = load([("e.yml", EXCLUDING.replace("CONDITION", condition))]).rules
        assert bool(Matcher([rule]).matches(event)) is fires


VIRUS = """
title: Hack tool
logsource: {category: antivirus}
detection: {sel: {Signature|contains: hacktool, Filename|startswith: 'C:\\Users'}, condition: sel}
"""


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"EventID": 1116, "Threat Name": "HackTool:Win32/X", "Path": "file:_C:\\Users\\a.exe"}, True),
        ({"EventID": "1117", "ThreatName": "HackTool:Win32/X", "Path": "a; file:_C:\\Users\\b.exe"}, True),
        ({"EventID": 1116, "Threat Name": "HackTool:Win32/X", "Path": "file:_D:\\b.exe"}, False),
        ({"EventID": 1116, "Threat Name": "HackTool:Win32/X"}, False),
        ({"EventID": 5001, "Threat Name": "HackTool:Win32/X", "Path": "file:_C:\\Users\\a.exe"}, False),
    ],
)
def test_what_defender_found_is_asked_what_any_antivirus_is(event: dict[str, object], found: bool) -> None:
    (rule,) = load([("v.yml", VIRUS)]).rules
    channel = {"Channel": "Microsoft-Windows-Windows Defender/Operational"}
    read = windows.decode(json.dumps(event | channel).encode(), "a.ndjson", 1)
    assert bool(Matcher([rule]).matches(read)) is found
    other = windows.decode(json.dumps(event | {"Channel": "Application"}).encode(), "a.ndjson", 1)
    assert not Matcher([rule]).matches(other)


def test_what_auditd_does_not_tell_decides_nothing() -> None:
    asked = EXCLUDING.replace("windows", "linux").replace("\\bcdedit.exe", "/dd")
    events = [
        Event(
            LogSource("linux", "process_creation", "auditd"), {"Image": "/bin/dd", "SYSCALL": "execve"}, "", 1
        ),
        Event(LogSource("linux", "process_creation", "sysmon"), {"Image": "/bin/dd"}, "", 1),
    ]
    for condition, answers in (("sel", [True, True]), ("sel and not shell", [False, True])):
        (rule,) = load([("e.yml", asked.replace("CONDITION", condition))]).rules
        assert [bool(Matcher([rule]).matches(each)) for each in events] == answers
