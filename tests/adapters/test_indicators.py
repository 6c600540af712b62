"""Lists of indicators as others publish them: plain, hosts files, MISP, STIX; and as nobody should."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.adapters import indicators
from rempart.adapters.indicators import pattern_values, read
from rempart.detection.indicator import Indicator, IndicatorKind
from rempart.errors import InputRefused
from rempart.instants import Instant, after, hours, parse_rfc3339, seconds

A, D, U, H = IndicatorKind.ADDRESS, IndicatorKind.DOMAIN, IndicatorKind.URL, IndicatorKind.HASH
WRITTEN = 1_795_000_000
MD5 = "0123456789abcdef0123456789abcdef"


def rows(path: Path, content: str | bytes) -> tuple[list[Indicator], list[str]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (WRITTEN, WRITTEN))
    reading = read([str(path)])
    return list(reading.rows()), [problem.what for problem in reading.problems]


def values(found: list[Indicator]) -> list[tuple[IndicatorKind, str]]:
    return [(each.kind, each.value) for each in found]


def test_a_plain_list_is_read_by_the_looks_of_each_line(tmp_path: Path) -> None:
    text = f"""# bad things
192.0.2.1
198.51.100.0/24 ; a network
2001:db8::1
evil.example, a remark
hxxp://evil[.]example/drop.exe
{MD5}
0.0.0.0 tracker.example
http://bare.example/

nothing-known
"""
    found, problems = rows(tmp_path / "bad.txt", text)
    assert values(found) == [
        (A, "192.0.2.1"),
        (A, "198.51.100.0/24"),
        (A, "2001:db8::1"),
        (D, "evil.example"),
        (U, "http://evil.example/drop.exe"),
        (H, MD5),
        (D, "tracker.example"),
        (D, "bare.example"),
    ]
    assert problems == ["1 rows are no indicator that is understood"]
    assert {each.source for each in found} == {"bad.txt"}
    assert found[0].expires == after(Instant(seconds(WRITTEN)), hours(90 * 24))
    assert found[5].expires is None


def event(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Event": {"info": "A campaign", "Attribute": attributes, "Object": [{"Attribute": attributes[:1]}]}
    }


ATTRIBUTES = [
    {"type": "ip-dst|port", "value": "192.0.2.1|443", "to_ids": True, "timestamp": "1700000000"},
    {"type": "domain|ip", "value": "evil.example|192.0.2.2", "to_ids": True},
    {"type": "filename|sha256", "value": "a.exe|" + "a" * 64, "to_ids": True},
    {"type": "domain", "value": "only-context.example", "to_ids": False},
    {"type": "comment", "value": "what it is", "to_ids": True},
]


def test_a_misp_feed_is_read_event_by_event_and_its_index_passed_over(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "hashes.csv").write_text(f"{MD5},x\n")
    found, problems = rows(tmp_path / "5b.json", json.dumps(event(ATTRIBUTES)))
    assert values(found) == [
        (A, "192.0.2.1"),
        (D, "evil.example"),
        (A, "192.0.2.2"),
        (H, "a" * 64),
        (A, "192.0.2.1"),
    ]
    assert found[0].source == "5b.json: A campaign"
    assert found[0].expires == after(Instant(seconds(1_700_000_000)), hours(90 * 24))
    assert problems == ["1 rows are no indicator that is understood"]
    assert list(read([str(tmp_path)]).rows()) == found


def test_misp_csv_is_read_by_its_header(tmp_path: Path) -> None:
    text = (
        "uuid,event_id,category,type,value,comment,to_ids,date\n"
        '"1",7,"Network activity","hostname","evil.example","x, y",1,1700000000\n'
        '"2",7,"Network activity","ip-src","192.0.2.1","",0,1700000000\n'
    )
    found, problems = rows(tmp_path / "misp.csv", text)
    assert (values(found), problems) == ([(D, "evil.example")], [])


def test_a_stix_bundle_is_read_with_its_end(tmp_path: Path) -> None:
    one = {"type": "indicator", "name": "C2", "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}
    bundle = {
        "type": "bundle",
        "objects": [
            one | {"pattern": "[ipv4-addr:value = '192.0.2.1']", "valid_until": "2026-02-01T00:00:00Z"},
            one | {"pattern": "[domain-name:value = 'a.example' OR domain-name:value = 'b.example']"},
            one
            | {
                "pattern": "[file:hashes.'SHA-256' = '"
                + "b" * 64
                + "'] OR [url:value = 'http://c.example/x']"
            },
            one | {"pattern": "[ipv4-addr:value = '192.0.2.9' AND ipv4-addr:value = '192.0.2.8']"},
            one | {"pattern": "[ipv4-addr:value = '192.0.2.7']", "revoked": True},
            one | {"pattern": "alert tcp any", "pattern_type": "snort"},
            {"type": "malware", "name": "x"},
        ],
    }
    found, problems = rows(tmp_path / "bundle.json", json.dumps(bundle))
    assert values(found) == [
        (A, "192.0.2.1"),
        (D, "a.example"),
        (D, "b.example"),
        (H, "b" * 64),
        (U, "http://c.example/x"),
    ]
    assert found[0].expires == parse_rfc3339("2026-02-01T00:00:00Z")
    assert found[0].source == "bundle.json: C2"
    assert problems == ["2 rows are no indicator that is understood"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [(A, "198.51.100.0/24")]),
        ("[domain-name:value IN ('a.example', 'b.example')]", [(D, "a.example"), (D, "b.example")]),
        ("[url:value = 'http://x.example/it\\'s']", [(U, "http://x.example/it's")]),
        ("[file:hashes.MD5 = '" + MD5 + "']", [(H, MD5)]),
        ("[ipv4-addr:value != '192.0.2.1']", [None]),
        ("[NOT ipv4-addr:value = '192.0.2.1']", [None]),
        ("[domain-name:value LIKE '%.example']", [None]),
        ("[a:b = 'c'] FOLLOWEDBY [domain-name:value = 'a.example']", [None]),
        ("[domain-name:value = 'a.example'] WITHIN 5 SECONDS", [None]),
        ("[process:name = 'x.exe']", [None]),
        ("", [None]),
    ],
)
def test_only_simple_comparisons_joined_by_or_are_understood(
    pattern: str, expected: list[tuple[IndicatorKind, str] | None]
) -> None:
    assert pattern_values(pattern) == expected


@given(st.text(alphabet="[]()'\\ =ORANDIN:.,ipv4-adrvlue1", max_size=200))
@settings(max_examples=100)
def test_no_pattern_breaks_the_reader(text: str) -> None:
    assert pattern_values("[" + text)


@given(st.binary(max_size=300), st.sampled_from([b"", b"{", b"[", b'{"Event":', b"type,value\n"]))
@settings(max_examples=100)
def test_hostile_files_are_named_never_fatal(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, head: bytes
) -> None:
    rows(tmp_path_factory.getbasetemp() / "noise", head + noise)


def test_a_deep_or_foreign_document_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in rows(tmp_path / "deep.json", "[" * 100_000)[1][0]
    assert "cannot be read" in rows(tmp_path / "other.json", '{"a": 1}')[1][0]


def test_rows_lines_and_documents_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicators, "MAX_ROWS", 2)
    found, problems = rows(tmp_path / "many.txt", "".join(f"192.0.2.{n}\n" for n in range(5)))
    assert len(found) == 2
    assert "more than 2 indicators" in problems[0]
    monkeypatch.setattr(indicators, "MAX_DOCUMENT", 10)
    assert "MiB" in rows(tmp_path / "big.json", json.dumps(event(ATTRIBUTES)))[1][0]
    assert rows(tmp_path / "long.txt", "a" * 20_000 + ".example\n")[0] == []


def test_pipes_in_a_folder_are_passed_over_and_a_missing_list_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "good.txt").write_text("192.0.2.1\n")
    assert len(list(read([str(tmp_path)]).rows())) == 1
    with pytest.raises(InputRefused):
        read([str(tmp_path / "missing")])
