"""The real filter against a tenth of both sets; `scripts/bench waf` runs all of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.waf import HOST, Filter, running
from tests.waf.corpus import carried, probes, texts, typed

from rempart.containment.render.modsecurity import CORE_RULES, MODULE

pytestmark = pytest.mark.edge
_INSTALLED = (
    shutil.which("nginx", path="/usr/sbin:/usr/bin") and Path(MODULE).exists() and Path(CORE_RULES).is_dir()
)


@pytest.fixture(scope="module")
def web_filter() -> Iterator[Filter]:
    if not _INSTALLED:
        pytest.skip(
            "the web filter is not installed: apt install libnginx-mod-http-modsecurity modsecurity-crs"
        )
    with running() as found:
        yield found


def test_attacks_are_refused(web_filter: Filter) -> None:
    some = list(probes(HOST))[::10]
    passed = [(sent.carrier, sent.what) for sent in some if web_filter.status(sent.request) == 200]
    assert len(passed) <= 0.07 * len(some), passed


def test_what_people_write_passes(web_filter: Filter) -> None:
    some = [text for _, text in list(texts())[::10]]
    refused = [text for text in some if any(web_filter.status(one) != 200 for one in typed(text, HOST))]
    assert len(refused) <= 0.01 * len(some), refused


def test_an_attack_at_the_end_of_a_long_letter_is_found(web_filter: Filter) -> None:
    letter = "\n".join(text for _, text in texts())[:60_000]
    assert web_filter.status(carried(letter, "form", HOST)) == 200
    assert web_filter.status(carried(f"{letter}' UNION SELECT NULL,NULL --", "form", HOST)) == 403
    assert web_filter.status(carried(f"{letter}<script>alert(1)</script>", "json", HOST)) == 403


def test_a_body_that_cannot_be_read_does_not_pass_unread(web_filter: Filter) -> None:
    head = f"POST /form HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
    for kind, body in (
        ("text/plain", "note=<script>alert(1)</script>"),
        ("application/octet-stream", "x"),
        ("application/json", '{"note": '),
        ("multipart/form-data; boundary=x", "--y\r\n"),
    ):
        request = f"{head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        assert web_filter.status(request.encode()) == 403, kind


def test_the_sets_are_as_large_as_promised() -> None:
    told = list(texts())
    assert len({text for _, text in told}) == len(told) >= 1000
    assert len({sent.what for sent in probes(HOST)}) >= 150
