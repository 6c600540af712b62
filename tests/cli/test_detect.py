"""`rempart detect` on files as they are met: whole, cut off, damaged, hostile."""

import base64
import csv
import hashlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import zstandard

from rempart.__main__ import main
from rempart.cli import _report, _search
from rempart.errors import ExitCode

RULE = """
title: Known tool run
id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11
author: A. Person
level: high
tags: [attack.execution, attack.t1204.002]
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\\tool.exe'}
  condition: selection
"""
CORRELATION = """
title: Known tool run again and again
id: 7f6d1f0e-93a3-4b2f-9b51-0b1d9a0b7c22
level: critical
correlation:
  type: event_count
  rules: [2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11]
  group-by: [Computer]
  timespan: 5m
  condition: {gte: 3}
"""
EVENT = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "Computer": "pc1",
    "Image": "C:\\tool.exe",
    "UtcTime": "2026-11-22 03:12:00.000",
}


def event(**changed: Any) -> str:
    return json.dumps({**EVENT, **changed})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Compiled rules are kept here, not in the home of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "rempart" / "compiled"


@pytest.fixture
def rules(tmp_path: Path) -> str:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "tool.yml").write_text(RULE)
    return str(folder)


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_match_is_a_line(rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "events.ndjson"
    log.write_text("\n".join([event(), "", event(Image="C:\\other.exe"), event()]))
    assert main(["detect", "--rules", rules, "--format", "jsonl", str(log)]) == ExitCode.OK
    found = rows(capsys.readouterr().out)
    assert [row["record"] for row in found] == [1, 4]
    assert found[0] == {
        "rule": "2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11",
        "title": "Known tool run",
        "level": "high",
        "time": "2026-11-22T03:12:00.000000Z",
        "source": str(log),
        "record": 1,
        "author": "A. Person",
        "license": "",
        "tags": ["attack.execution", "attack.t1204.002"],
        "explanation": "A program was started that attackers use too: “Known tool run”. "
        "It happened on the machine pc1. It usually means that somebody opened a file that was meant to deceive. "
        "This is rarely harmless: have somebody look at it today.",
        "count": 1,
        "proofs": [{"field": "Image", "value": "C:\\tool.exe"}],
        "finding": found[0]["finding"],
    }


def test_the_source_is_the_path_as_given(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.ndjson").write_text(event())
    main(["detect", "--format", "jsonl", "--rules", rules, "./logs/a.ndjson"])
    assert rows(capsys.readouterr().out)[0]["source"] == "./logs/a.ndjson"
    main(["detect", "--rules", rules, "logs", "--format", "jsonl"])
    assert rows(capsys.readouterr().out)[0]["source"] == "logs/a.ndjson"


def test_compressed_lines_in_two_processes(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "events.ndjson.zst"
    log.write_bytes(zstandard.compress("\n".join(event(ProcessId=n) for n in range(5000)).encode()))
    assert main(["detect", "--rules", rules, "--jobs", "2", "--format", "jsonl", str(log)]) == ExitCode.OK
    assert [row["record"] for row in rows(capsys.readouterr().out)] == list(range(1, 5001))


def test_units_that_are_too_large_to_hand_over_are_done_here(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_search, "_ROOM", 1 << 18)  # the first units fit, later ones do not
    log = tmp_path / "events.ndjson"
    log.write_text("\n".join(event(ProcessId=n, Comment="long " * 50) for n in range(5000)))
    assert main(["detect", "--rules", rules, "--jobs", "3", "--format", "jsonl", str(log)]) == ExitCode.OK
    assert [row["record"] for row in rows(capsys.readouterr().out)] == list(range(1, 5001))


def test_a_line_cut_off_is_named_and_the_rest_is_done(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "events.ndjson"
    log.write_text(f"{event()}\n{event()[:40]}\n{event()}\n")
    assert main(["detect", "--rules", rules, "--format", "jsonl", str(log)]) == ExitCode.PARTIAL
    out, err = capsys.readouterr()
    assert [row["record"] for row in rows(out)] == [1, 3]
    assert f"{log}:2: not JSON" in err


def test_an_archive_cut_off_is_named(rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "events.ndjson.zst"
    whole = zstandard.compress("\n".join(event(ProcessId=n * n) for n in range(9000)).encode())
    log.write_bytes(whole[: len(whole) // 2])
    assert main(["detect", "--rules", rules, "--format", "jsonl", str(log)]) == ExitCode.PARTIAL
    assert "breaks off" in capsys.readouterr().err


@pytest.mark.parametrize("damage", [b"", b"hello", b"ElfFile\0" + bytes(4088)])
def test_an_unreadable_evtx_is_named_and_the_rest_is_done(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: bytes
) -> None:
    (tmp_path / "a.evtx").write_bytes(damage)
    (tmp_path / "b.ndjson").write_text(event())
    files = [str(tmp_path / "a.evtx"), str(tmp_path / "b.ndjson")]
    assert main(["detect", "--rules", rules, "--format", "jsonl", *files]) == ExitCode.PARTIAL
    out, err = capsys.readouterr()
    assert len(rows(out)) == 1
    assert files[0] in err


def test_text_logs_find_their_decoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rule.yml").write_text(
        "title: Guess\nlevel: low\nlogsource: {product: linux, service: sshd}\n"
        "detection:\n  words: ['Failed password']\n  condition: words\n"
    )
    log = tmp_path / "auth.log"
    cron = "2026-11-22T03:12:00+00:00 gw CRON[13]: (root) CMD (true)"
    guess = "2026-11-22T03:12:00+00:00 gw sshd[12]: Failed password for root from 203.0.113.9 port 4022 ssh2"
    log.write_text("\n".join([cron] * 30 + [guess, "no head at all", guess]))
    asked = ["detect", "--rules", str(tmp_path / "rule.yml"), "--format", "jsonl", str(log)]
    assert main(asked) == ExitCode.PARTIAL
    out, err = capsys.readouterr()
    assert [row["record"] for row in rows(out)] == [31, 33]
    assert f"{log}:32: " in err


def test_a_log_of_no_known_kind_is_named(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "zeek.ndjson").write_text('{"_path":"conn","id.orig_h":"192.0.2.1"}')
    assert main(["detect", "--rules", rules, str(tmp_path / "zeek.ndjson")]) == ExitCode.PARTIAL
    assert "no decoder knows this kind of log" in capsys.readouterr().err


def test_without_rules_those_in_force_on_this_box_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "sshd.log"
    log.write_text("Nov 20 14:00:09 gw sshd[1]: Accepted password for anna from 198.51.100.7 port 4 ssh2\n")
    assert main(["detect", "--format", "jsonl", str(log)]) == ExitCode.OK
    assert [row["author"] for row in rows(capsys.readouterr().out)] == ["Rempart"]


def test_correlations_come_after_the_matches(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(rules) / "again.yml").write_text(CORRELATION)
    log = tmp_path / "events.ndjson"
    log.write_text("\n".join(event(UtcTime=f"2026-11-22 03:12:0{n}") for n in range(3)))
    asked = ["detect", "--rules", rules, "--format", "jsonl", str(log)]
    assert main(asked) == ExitCode.OK
    assert [row["level"] for row in rows(capsys.readouterr().out)] == ["critical"]
    assert main([*asked, "--with-parts"]) == ExitCode.OK
    found = rows(capsys.readouterr().out)
    assert [row["level"] for row in found] == ["high", "high", "high", "critical"]
    assert found[-1]["rule"] == "7f6d1f0e-93a3-4b2f-9b51-0b1d9a0b7c22"
    assert (found[-1]["source"], found[-1]["record"]) == (str(log), 3)


def test_a_correlation_that_generates_lets_its_rules_speak(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(rules) / "again.yml").write_text(CORRELATION.replace("  type:", "  generate: true\n  type:"))
    log = tmp_path / "events.ndjson"
    log.write_text(event())
    assert main(["detect", "--rules", rules, "--format", "jsonl", str(log)]) == ExitCode.OK
    assert [row["level"] for row in rows(capsys.readouterr().out)] == ["high"]


def test_hostile_text_is_harmless_in_a_table(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "ev\x1b[31mil\u202e.ndjson"
    log.write_text(event(Image="\x1b]0;owned\x07\u202e\\tool.exe"))
    assert main(["detect", "--rules", rules, str(log)]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "Known tool run" in out


def test_formulas_are_harmless_in_csv(rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(rules) / "tool.yml").write_text(RULE.replace("Known tool run", "=cmd|' /C calc'!A0"))
    log = tmp_path / "events.ndjson"
    log.write_text(event())
    assert main(["detect", "--rules", rules, "--format", "csv", str(log)]) == ExitCode.OK
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["title"] == "'=cmd|' /C calc'!A0"


def test_jsonl_is_plain_ascii(rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "events.ndjson"
    log.write_text(event(Image="\u009b31m\\tool.exe"))
    main(["detect", "--rules", rules, "--format", "jsonl", str(log)])
    assert capsys.readouterr().out.isascii()


def test_a_bad_rule_is_named_and_the_others_are_used(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(rules) / "bad.yml").write_text(
        "title: x\nlogsource: {product: windows}\ndetection: {condition: a}\n"
    )
    (tmp_path / "e.ndjson").write_text(event())
    log = str(tmp_path / "e.ndjson")
    assert main(["detect", "--rules", rules, "--format", "jsonl", log]) == ExitCode.PARTIAL
    out, err = capsys.readouterr()
    assert len(rows(out)) == 1
    assert "bad.yml" in err


def test_rules_waiting_for_values_are_told(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = (
        RULE.replace("|endswith", "|expand").replace("\\tool.exe", "%tools%").replace("2b1ad4a2", "2b1ad4a3")
    )
    (Path(rules) / "wait.yml").write_text(waiting)
    (tmp_path / "e.ndjson").write_text(event())
    asked = ["detect", "--rules", rules, "--format", "jsonl", str(tmp_path / "e.ndjson")]
    assert main(asked) == ExitCode.OK
    out, err = capsys.readouterr()
    assert len(rows(out)) == 1
    assert "%tools%" in err
    assert main([*asked, "--placeholder", "tools=C:\\tool.exe"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert len(rows(out)) == 2
    assert err == ""


def test_fail_on(rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.ndjson").write_text(event())
    asked = ["detect", "--rules", rules, str(tmp_path / "e.ndjson"), "--fail-on"]
    assert main([*asked, "high"]) == ExitCode.FOUND
    assert main([*asked, "critical"]) == ExitCode.OK
    (tmp_path / "e.ndjson").write_text(event() + "\nbroken\n")
    assert main([*asked, "high"]) == ExitCode.FOUND, "a line that cannot be read hides nothing"
    assert main([*asked, "critical"]) == ExitCode.PARTIAL


@pytest.mark.parametrize(
    ("rules_given", "log", "says"),
    [
        ("nowhere", "e.ndjson", "no such file"),
        ("rules", "nowhere", "no log was found"),
        ("e.ndjson", "e.ndjson", "no rule"),
    ],
)
def test_what_cannot_be_used(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], rules_given: str, log: str, says: str
) -> None:
    (tmp_path / "e.ndjson").write_text(event())
    asked = ["detect", "--format", "jsonl", "--rules", str(tmp_path / rules_given), "--", str(tmp_path / log)]
    assert main(asked) == ExitCode.USAGE
    assert says in capsys.readouterr().err


# -- licences -----------------------------------------------------------------------------------------------------


def licence_of(rules: str, log: Path, capsys: pytest.CaptureFixture[str]) -> str:
    log.write_text(event())
    main(["detect", "--rules", rules, "--format", "jsonl", str(log)])
    return str(rows(capsys.readouterr().out)[0]["license"])


def test_the_licence_is_the_rule_s_own(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(rules) / "tool.yml").write_text(RULE.replace("level:", "license: CC0-1.0\nlevel:"))
    (tmp_path / "LICENSE").write_text("# Detection Rule License (DRL) 1.1")
    assert licence_of(rules, tmp_path / "e.ndjson", capsys) == "CC0-1.0"


def test_or_that_of_the_collection_it_lies_in(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "LICENSE").write_text("Rules are under the [Detection Rule License (DRL) 1.1](…)")
    assert licence_of(rules, tmp_path / "e.ndjson", capsys) == "DRL-1.1"


def test_one_we_do_not_know_is_pointed_at(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(rules) / "LICENCE.txt").write_text("You may do what the author's aunt allows.")
    assert licence_of(rules, tmp_path / "e.ndjson", capsys) == f"see {rules}/LICENCE.txt"


# -- the whole event, the summary, the report ---------------------------------------------------------------------


def test_with_event_all_fields_are_there(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(rules) / "again.yml").write_text(CORRELATION)
    log = tmp_path / "events.ndjson"
    log.write_text("\n".join(event(UtcTime=f"2026-11-22 03:12:0{n}", Extra=n) for n in range(3)))
    assert (
        main(["detect", "--rules", rules, "--with-event", "--with-parts", "--format", "jsonl", str(log)])
        == ExitCode.OK
    )
    assert [row["event"]["Extra"] for row in rows(capsys.readouterr().out)] == [0, 1, 2, 2]


def test_the_summary_is_by_tactic_and_rule(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "events.ndjson"
    log.write_text("\n".join([event(), event(), event(Image="C:\\other.exe")]))
    main(["detect", "--rules", rules, "--format", "jsonl", "--summary", str(log)])
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "2 findings by 1 rule in 3 events: 2 high"
    assert told[3].split() == ["Execution", "2", "1"]
    assert told[6].split() == ["high", "2", "Known", "tool", "run"]


def test_nothing_found_is_said(rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.ndjson").write_text(event(Image="C:\\other.exe"))
    main(["detect", "--rules", rules, "--summary", str(tmp_path / "e.ndjson")])
    assert capsys.readouterr().err == "0 findings by 0 rules in 1 event\n"


class _Page(HTMLParser):
    """What a browser makes of it: its tags, and the text that a person reads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_without_the_typeface_uses_the_readers_own(
    rules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_report, "_FONT", "console/static/fonts/none.woff2")
    log, file = tmp_path / "events.ndjson", tmp_path / "report.html"
    log.write_text(f"{event()}\n")
    assert main(["detect", "--rules", rules, "--report", str(file), str(log)]) == ExitCode.OK
    assert "@font-face" not in file.read_text()


def test_the_report_is_one_file_that_asks_nothing_of_anybody(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, file = tmp_path / "events.ndjson", tmp_path / "report.html"
    log.write_text(f"{event()}\n{event()[:40]}\n")
    asked = ["detect", "--rules", rules, "--format", "jsonl", "--report", str(file), str(log)]
    assert main(asked) == ExitCode.PARTIAL
    assert len(rows(capsys.readouterr().out)) == 1
    html = file.read_text()
    page = _Page(html)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    told = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("href", "src")
    ]
    assert told == ["#unread"]
    assert set(re.findall(r"url\(.{5}", html)) == {'url("data'}
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (
        each["content"] or "" for _, each in page.tags if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert not any("style" in attributes for _, attributes in page.tags)
    for words in (
        "Have somebody look at this today.",
        "Execution",
        "Known tool run",
        "A. Person",
        f"{log}:2",
    ):
        assert words in page.text


def test_hostile_text_is_only_text_in_the_report(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "</code><script>alert(1)</script>{{ 7*7 }}\u202e\\tool.exe"
    (Path(rules) / "tool.yml").write_text(RULE.replace("Known tool run", "<img src=x onerror=alert(1)>"))
    log = tmp_path / "e<b>.ndjson"
    log.write_text(event(Image=evil, Computer='"><svg onload=alert(1)>'))
    main(["detect", "--rules", rules, "--format", "html", str(log)])
    page = _Page(capsys.readouterr().out)
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "img"} & set(tags)
    assert tags.count("b") == 1
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "\u202e" not in page.text
    assert "<script>alert(1)</script>{{ 7*7 }}⟨U+202E⟩" in page.text


def test_a_report_of_nothing_is_a_report(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.ndjson").write_text(event(Image="C:\\other.exe"))
    assert main(["detect", "--rules", rules, "--format", "html", str(tmp_path / "e.ndjson")]) == ExitCode.OK
    assert "The rules found nothing." in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_named(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.ndjson").write_text(event())
    asked = [
        "detect",
        "--rules",
        rules,
        str(tmp_path / "e.ndjson"),
        "--report",
        str(tmp_path / "no" / "r.html"),
    ]
    assert main(asked) == ExitCode.USAGE
    assert "the report cannot be written" in capsys.readouterr().err


# -- a site, and what is kept -------------------------------------------------------------------------------------

SITES = Path(__file__).resolve().parents[1] / "attacks"
WEB = """
title: A page was asked for from outside
id: 5d2b5f9e-0b5c-4f43-9a0b-1f6d2a3d7c11
level: low
logsource: {category: webserver}
detection: {asked: {from: outside}, condition: asked}
"""
EXCEPTION = """
[[exceptions]]
rules = ["A page was asked for from outside"]
fields = { c-ip = "203.0.113.7" }
reason = "Our own monitoring"
author = "A. Peeters"
until = 2099-01-31

[[severities]]
rules = ["A page was asked for from outside"]
level = "high"
reason = "Nobody should"
author = "A. Peeters"
"""
NGINX = '{ip} - - [2026-11-20T16:40:00+01:00] "GET / HTTP/1.1" 200 5 "-" "curl" "www.home.example"\n'


def test_with_a_site_its_sides_are_known_and_its_exceptions_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.yml").write_text(WEB)
    (tmp_path / "site.toml").write_text((SITES / "site.toml").read_text())
    log = tmp_path / "access.log"
    log.write_text("".join(NGINX.format(ip=ip) for ip in ("203.0.113.7", "203.0.113.8")))
    asked = ["detect", "--rules", str(tmp_path / "web.yml"), "--format", "jsonl", str(log)]
    assert main(asked) == ExitCode.OK
    assert capsys.readouterr().out == ""  # without a site nobody knows what is outside
    asked += ["--site", str(tmp_path / "site.toml")]
    assert main(asked) == ExitCode.OK
    assert [row["level"] for row in rows(capsys.readouterr().out)] == ["low", "low"]
    (tmp_path / "exceptions.toml").write_text(EXCEPTION)
    assert main(asked) == ExitCode.OK
    out, err = capsys.readouterr()
    assert [(row["record"], row["level"]) for row in rows(out)] == [(2, "high")]
    assert "1 finding hidden by exceptions of the site" in err


def test_what_was_compiled_is_kept_and_gives_the_same(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    (tmp_path / "LICENSE").write_text("Detection Rule License (DRL) 1.1")
    log = tmp_path / "events.ndjson"
    log.write_text(event())
    asked = ["detect", "--rules", rules, "--format", "jsonl", str(log)]
    assert main(asked) == ExitCode.OK
    first, kept = capsys.readouterr().out, sorted(cache.iterdir())
    assert kept
    assert main(asked) == ExitCode.OK
    assert (capsys.readouterr().out, sorted(cache.iterdir())) == (first, kept)
    assert rows(first)[0]["license"] == "DRL-1.1"


# -- beside the rules ---------------------------------------------------------------------------------------------


def test_indicators_are_held_against_the_same_events(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.txt").write_text("203.0.113.9\n")
    log = tmp_path / "access.log"
    log.write_text("".join(NGINX.format(ip=ip) for ip in ("203.0.113.8", "203.0.113.9")))
    asked = [
        "detect",
        "--rules",
        rules,
        "--format",
        "jsonl",
        "--indicators",
        str(tmp_path / "bad.txt"),
        str(log),
    ]
    assert main(asked) == ExitCode.OK
    found = rows(capsys.readouterr().out)
    assert [row["record"] for row in found] == [2]
    assert "203.0.113.9" in json.dumps(found[0]["proofs"])
    assert main([*asked, "--jobs", "2"]) == ExitCode.OK
    assert rows(capsys.readouterr().out) == found


def test_behaviour_is_looked_at_in_one_process(rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = SITES / "files-locked" / "windows-json.log"
    asked = ["detect", "--rules", rules, "--format", "jsonl", str(log)]
    assert main(asked) == ExitCode.OK
    assert capsys.readouterr().out == ""
    asked.append("--behaviour")
    assert main(asked) == ExitCode.OK
    found = rows(capsys.readouterr().out)
    assert {row["rule"].partition(".")[0] for row in found} == {"behaviour"}
    assert main([*asked, "--jobs", "2"]) == ExitCode.USAGE


# -- a terminal ---------------------------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, stdout: int | None = None) -> str:
    """What a person sees who runs it: everything that reaches the terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rempart", "detect", *arguments]
    with subprocess.Popen(
        command,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    ):
        os.close(theirs)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the last who held the other end has gone
                break
            if not more:
                break
            seen += more
    os.close(ours)
    return seen.decode()


@pytest.mark.slow
def test_lines_stand_above_the_bar_and_the_summary_comes_last(rules: str, tmp_path: Path) -> None:
    log = tmp_path / "events.ndjson"
    log.write_text("\n".join(event(ProcessId=n) for n in range(2000)))
    seen = on_a_terminal("--rules", rules, str(log))
    assert "reading" in seen
    assert len(re.findall(r"2026-11-22T03:12:00  high           Known tool run", seen)) == 2000
    assert "2,000 findings by 1 rule in 2,000 events: 2,000 high" in seen


@pytest.mark.slow
def test_lines_for_a_file_hold_nothing_of_the_bar(rules: str, tmp_path: Path) -> None:
    log, out = tmp_path / "events.ndjson", tmp_path / "out.jsonl"
    log.write_text("\n".join(event(ProcessId=n) for n in range(5000)))
    with out.open("w") as file:
        seen = on_a_terminal("--rules", rules, "--format", "jsonl", str(log), stdout=file.fileno())
    assert "reading" in seen
    assert [row["record"] for row in rows(out.read_text())] == list(range(1, 5001))
