"""Parts end by a signal, or by a fault: late only where systemd would start them again to say the same."""

import asyncio
import logging
import os
import signal
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


def test_a_part_ends_when_it_is_asked_to() -> None:
    async def life() -> None:
        work = asyncio.create_task(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await ending.stopped([work])
        assert not work.done()
        work.cancel()

    asyncio.run(life())


def test_what_ended_its_work_is_raised() -> None:
    async def broken() -> None:
        raise EnforcementFailed("no kernel")

    async def life() -> None:
        await ending.stopped([asyncio.create_task(broken())])

    with pytest.raises(EnforcementFailed, match="no kernel"):
        asyncio.run(life())
