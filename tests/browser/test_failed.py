"""A failed test leaves a picture of what was on its screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser import failed

pytestmark = pytest.mark.browser


def test_every_open_page_is_kept_and_named(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed, "FOLDER", tmp_path)
    context = chromium.new_context()
    page = context.new_page()
    page.goto("data:text/html,<h1>wrong</h1>")
    context.new_page()
    told = failed.pictured("tests/x.py::test[fr/a b]", [chromium, page, "no browser"]).splitlines()
    context.close()
    files = [tmp_path / f"tests-x.py-test-fr-a-b-.{number}.png" for number in (1, 2)]
    assert told == [f"data:text/html,<h1>wrong</h1>: {files[0]}", f"about:blank: {files[1]}"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    assert sorted(tmp_path.iterdir()) == files


def test_of_a_page_that_is_gone_it_says_so(chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    context.close()
    assert "about:blank: no picture: " in failed.pictured("tests/x.py::test", [page])
