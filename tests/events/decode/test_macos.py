"""macOS: started programs and files are asked macOS' rules, whoever exported them; what is not told decides nothing."""

import json
from typing import Any

import pytest

from events.decode import firing
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event

CREATED = "logsource: {product: macos, category: process_creation}\n"
RULES = {
    "hidden": CREATED + "detection: {s: {Image|endswith: /curl, CommandLine|contains: /tmp/.}, condition: s}",
    "not by Safari": CREATED
    + "detection: {s: {Image|endswith: /curl}, f: {ParentImage|endswith: /Safari}, condition: s and not f}",
    "not by an installer": CREATED
    + "detection: {s: {Image|endswith: /curl}, f: {ParentCommandLine|contains: install}, condition: s and not f}",
    "agent": "logsource: {product: macos, category: file_event}\n"
    "detection: {s: {TargetFilename|contains: /LaunchAgents/}, condition: s}",
    "linux": "logsource: {product: linux}\ndetection: {s: {Image|endswith: /curl}, condition: s}",
}


def executed(parent: str = "/bin/zsh") -> dict[str, Any]:
    return {
        "schema_version": 1,
        "time": "2026-11-22T07:13:05Z",
        "process": {"executable": {"path": parent}},
        "event": {
            "exec": {
                "args": ["curl", "-o", "/tmp/.a"],
                "env": ["TOKEN=secret"],
                "target": {"executable": {"path": "/usr/bin/curl"}},
            }
        },
    }


def row() -> dict[str, Any]:
    columns = {"event_type": "exec", "global_seq_num": "1", "pid": "2", "path": "/usr/bin/curl"}
    return {
        "name": "es",
        "action": "added",
        "columns": {**columns, "cmdline": "curl -o /tmp/.a", "env": "TOKEN=secret"},
    }


def read(said: dict[str, Any]) -> Event:
    event = DECODERS["macos"](json.dumps(said).encode(), "mac.log", 1)
    assert event is not None
    return event


def fired(said: dict[str, Any]) -> set[str]:
    return firing.fired(RULES, read(said))


def test_a_started_program_is_asked_the_rules_of_macos_only() -> None:
    assert fired(executed()) == {"hidden", "not by Safari"}
    assert fired(executed("/Applications/Safari.app/Contents/MacOS/Safari")) == {"hidden"}


def test_an_exclusion_by_what_is_not_told_keeps_a_rule_silent() -> None:
    """No exporter tells the parent's command line, and osquery names no parent."""
    assert fired(row()) == {"hidden"}


def test_an_event_in_the_unified_log_is_the_same_event() -> None:
    logged = {"subsystem": "com.apple.eslogger", "eventMessage": json.dumps(executed()), "machTimestamp": 1}
    assert read(logged).fields == read(executed()).fields


def test_a_new_file_has_its_whole_path() -> None:
    new = {"new_path": {"dir": {"path": "/Users/n/Library/LaunchAgents/"}, "filename": "a.plist"}}
    said = executed() | {"event": {"create": {"destination": new}}}
    assert read(said).fields["TargetFilename"] == "/Users/n/Library/LaunchAgents/a.plist"
    assert fired(said) == {"agent"}


@pytest.mark.parametrize("said", [executed(), row()])
def test_secrets_of_the_environment_are_not_kept(said: dict[str, Any]) -> None:
    assert "secret" not in json.dumps(dict(read(said).fields))


@pytest.mark.parametrize(
    "said",
    [
        {"schema_version": 1, "process": [], "event": {"exec": {}}},
        {"columns": {"event_type": "exec", "path": "/bin/ls", "pid": "1"}},
        {"subsystem": "com.apple.eslogger", "eventMessage": "[" * 9},
        {"eventMessage": "x", "processImagePath": "/bin/ls"},
    ],
)
def test_a_record_of_another_kind_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        read(said)


def test_an_event_of_the_unified_log_within_another_is_refused() -> None:
    said: dict[str, Any] = executed()
    for _ in range(2):
        said = {"subsystem": "com.apple.eslogger", "eventMessage": json.dumps(said)}
    with pytest.raises(DecodeError):
        read(said)
