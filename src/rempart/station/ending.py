"""How a part of the station ends: by a signal; or by a fault, said at once, and late where it would only come again."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Iterable

from rempart.errors import InputRefused, RempartError

PAUSE = 10.0
"""Seconds before systemd may start again a part whose site.toml cannot be used: until somebody mends it, nine parts
that start twice a second leave the box no time for anything else."""

_SYSTEMD = 1


def ended(fault: RempartError, log: logging.Logger) -> int:
    """The exit code of a part that cannot go on."""
    log.error("%s", fault.diagnostics())
    if isinstance(fault, InputRefused) and os.getppid() == _SYSTEMD:
        time.sleep(PAUSE)
    return int(fault.exit_code)


async def stopped(tasks: "Iterable[asyncio.Task[None]]") -> None:
    """Wait for SIGTERM or SIGINT. Raises what ended one of the tasks before that."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    asked = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({asked, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
    for task in done - {asked}:
        task.result()  # a task that ended has failed: say how
