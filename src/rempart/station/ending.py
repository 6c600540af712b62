"""Why a part of the station ends: said at once, and left late where it would only be started again to say the same."""

import logging
import os
import time

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
