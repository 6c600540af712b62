"""The report of a search, opened from the disk in a real browser: it asks nothing of anybody and fits a telephone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.survey import width_of
from rempart.__main__ import main

pytestmark = pytest.mark.browser

RULE = """
title: Known tool run
id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11
level: high
tags: [attack.execution, attack.impact]
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\\tool.exe'}
  condition: selection
"""
EVENT = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "Computer": "</style><img src=http://192.0.2.1/x onerror=alert(1)>",
    "Image": "C:\\" + "a-long-name-without-a-break" * 9 + "\\tool.exe",
    "UtcTime": "2026-11-22 03:12:00.000",
}


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "rule.yml").write_text(RULE)
    (tmp_path / "e.ndjson").write_text(json.dumps(EVENT))
    file = tmp_path / "report.html"
    main(["detect", "--rules", str(tmp_path / "rule.yml"), "--report", str(file), str(tmp_path / "e.ndjson")])
    return file


@pytest.mark.parametrize(("width", "scheme"), [(1360, "light"), (1360, "dark"), (400, "light")])
def test_it_opens_offline_and_fits(chromium: Browser, report: Path, width: int, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(report.as_uri())
    page.locator("summary").click()
    assert page.locator("h1").inner_text() == "Have somebody look at this today."
    assert page.locator("svg.picture .mark").count() == 2  # one finding, two tactics
    assert page.locator("img").count() == 0
    assert page.evaluate("document.fonts.check('17px \"Atkinson Hyperlegible Next\"')")
    assert width_of(page) <= width
    assert [url for url in asked if not url.startswith("data:font/")] == [report.as_uri()]
    assert said == []
    context.close()
