"""A log that cannot be followed rests, and the others go on; one whose decoder nobody knows is refused."""

import dataclasses
from pathlib import Path

import pytest

from rempart.adapters.collect.tail import Follower, Lines
from rempart.adapters.store.intake import Intake
from rempart.errors import InputRefused
from rempart.instants import after, minutes, parse_rfc3339
from rempart.site.site import LogSource
from rempart.station.reading import Complaints
from rempart.station.source import REST, Source, logs
from station.watched import at_home

NOW = parse_rfc3339("2026-11-20T03:00:00Z")
PORTAL = "/var/log/portal.log"
EVIL = b"evil \x1b[2J dr.lambert"
ASKED = b'198.51.100.9 - - [20/Nov/2026:03:00:00 +0000] "GET /.env HTTP/1.1" 404 5 "-" "curl" "care.example"'


class Broken(Follower):
    """A log in which something lies that following it does not survive."""

    tries = 0

    def read(self) -> Lines | None:
        self.tries += 1
        raise IndexError(EVIL.decode())


def test_a_log_that_cannot_be_followed_rests_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    intake = Intake(tmp_path / "intake.json", NOW)
    (tmp_path / "care.log").write_bytes(ASKED + b"\n")
    broken = Broken(Path(PORTAL))
    sources = [
        Source(LogSource(path=PORTAL, decoder="nginx"), broken),
        Source(LogSource(path="care.log", decoder="nginx"), Follower(tmp_path / "care.log")),
    ]
    complaints, passed = Complaints(intake), 0.0
    monkeypatch.setattr("rempart.station.source.time.monotonic", lambda: passed)
    read = [lines for _ in range(3) for source in sources if (lines := source.read(complaints, NOW))]
    assert [lines.bodies for lines in read] == [[ASKED]]
    assert broken.tries == 1
    passed = REST
    assert sources[0].read(complaints, after(NOW, minutes(1))) is None
    assert broken.tries == 2
    failure = intake.of(PORTAL).failure
    assert failure
    assert failure.record == 0
    assert len(caplog.records) == 2
    assert "lambert" not in caplog.text


def test_a_decoder_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    site = dataclasses.replace(home.site, logs=(LogSource(path="/var/log/x", decoder="no\x1bne"),))
    with pytest.raises(InputRefused, match=r"no\\x1bne"):
        logs(home.places, site)
