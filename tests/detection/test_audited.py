"""Windows' own audit is asked what Sysmon is asked."""

import json

from rempart.detection.match import Matcher
from rempart.detection.rule import load
from rempart.events.decode import windows

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
