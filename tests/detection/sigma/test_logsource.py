"""A log source is the same in any spelling, and on Windows it asks for its channel."""

from detection.sigma.written import loaded
from rempart.detection.condition import (
    Leaf,
    LeafKind,
    leaves,
)
from rempart.events.event import LogSource


def test_windows_rules_ask_for_their_channel() -> None:
    windows = "title: T\nlogsource: {{product: windows, {0}}}\ndetection: {{a: {{x: 1}}, condition: a}}\n"
    (sysmon,) = loaded(windows.format("category: dns_query")).rules
    assert set(leaves(sysmon.condition)) == {
        Leaf("Channel", LeafKind.EXACT, "Microsoft-Windows-Sysmon/Operational"),
        Leaf("EventID", LeafKind.EXACT, "22"),
        Leaf("x", LeafKind.EXACT, "1"),
    }
    assert sysmon.needs == LogSource("windows")
    (unknown,) = loaded(windows.format("service: never-heard-of")).rules
    assert unknown.needs == LogSource("windows", None, "never-heard-of")
    (access,) = loaded(windows.format("category: file_access")).rules
    assert Leaf("Provider_Name", LeafKind.EXACT, "Microsoft-Windows-Kernel-File") in set(
        leaves(access.condition)
    )


def test_a_log_source_in_capitals_is_the_same() -> None:
    text = "title: T\nlogsource: {product: Windows, category: Process_Creation}\n"
    (rule,) = loaded(f"{text}detection: {{a: {{x: 1}}, condition: a}}\n").rules
    assert rule.logsource == LogSource("windows", "process_creation")
