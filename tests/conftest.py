"""What every test shares: where the corpus lies, and that CI skips nothing."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile(
    "rempart", deadline=None
)  # a busy machine is no mistake; time is measured in benchmarks/
settings.load_profile("rempart")

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


EDGES = frozenset({"adapters", "edge", "station", "cli", "demo"})
"""Folders of tests that touch disks, sockets and processes; the others are of the pure core and the pages."""

BROWSERS = frozenset({"chromium", "page"})
"""Fixtures that hold a browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the edges by where they lie."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in EDGES:
            item.add_marker("edge")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The development corpus beside the project; users do not have it, CI must."""
    if not CORPUS.is_dir():
        pytest.skip(f"no development corpus at {CORPUS}")
    return CORPUS


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk may take its time. On a busy machine a seal takes more than 50 ms: it is late then, and that is told."""
    monkeypatch.setattr("rempart.station.scribe.PATIENCE", 60.0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]  # a pytest hook
    """In CI a skipped test is a failed one: a missing privilege or corpus must be seen. What a browser showed when its
    test failed is kept."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    if call.when == "call" and report.failed and BROWSERS & item.funcargs.keys():
        from browser.failed import pictured  # here: the other tests need no browser to be installed

        report.sections.append(("pictures", pictured(item.nodeid, item.funcargs.values())))
    return report
