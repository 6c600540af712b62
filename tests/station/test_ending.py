"""Parts that cannot go on leave late only where systemd would start them again to say the same."""

import logging
import time

import pytest

from rempart.errors import EnforcementFailed, InputRefused, RempartError
from rempart.station import ending

LOG = logging.getLogger("rempart.test")


@pytest.mark.parametrize(
    ("fault", "parent", "waits"),
    [
        (InputRefused("no site", where="site.toml", now="Mend it."), 1, True),
        (InputRefused("no site", where="site.toml", now="Mend it."), 4321, False),
        (EnforcementFailed("no kernel"), 1, False),
    ],
)
def test_only_what_a_person_must_mend_waits_and_only_under_systemd(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: RempartError,
    parent: int,
    *,
    waits: bool,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr("os.getppid", lambda: parent)
    assert ending.ended(fault, LOG) == fault.exit_code
    assert slept == ([ending.PAUSE] if waits else [])
    assert fault.what in caplog.text
