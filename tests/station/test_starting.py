"""A part starts with the site that its options name, and says what it cannot use."""

import logging
from pathlib import Path

import pytest

from rempart.config import Places
from rempart.errors import ExitCode
from rempart.site.site import Site
from rempart.station.starting import started

ATTACKED = Path(__file__).parents[1] / "attacks" / "site.toml"


@pytest.fixture
def served() -> list[tuple[Places, Site]]:
    return []


def code(site: Path, tmp_path: Path, served: list[tuple[Places, Site]], patch: pytest.MonkeyPatch) -> int:
    async def serve(places: Places, read: Site) -> None:
        served.append((places, read))

    options = ("--site", str(site), "--state", str(tmp_path / "state"), "--run", str(tmp_path / "run"))
    patch.setattr("sys.argv", ["part", *options])
    return started("part", "A part.", serve)


def test_it_serves_the_site_of_its_options(
    tmp_path: Path, served: list[tuple[Places, Site]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code(ATTACKED, tmp_path, served, monkeypatch) == 0
    ((places, site),) = served
    assert (places.site, places.run, site.id) == (ATTACKED, tmp_path / "run", "attacked")


def test_a_site_that_cannot_be_used_is_said_in_its_own_log(
    tmp_path: Path,
    served: list[tuple[Places, Site]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="rempart.part"):
        assert code(tmp_path / "none.toml", tmp_path, served, monkeypatch) == ExitCode.USAGE
    assert not served
    assert [record.name for record in caplog.records] == ["rempart.part"]
    assert "cannot be read" in caplog.text
