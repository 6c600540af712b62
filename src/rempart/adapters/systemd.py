"""systemd as it manages a box: whether it knows our units, and starting them for a description that has changed."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rempart.errors import RempartError, phrased

_WITHIN = 300.0
"""Seconds for one command: it waits until each unit has started, or failed to, and a box may be slow."""


@dataclass(frozen=True, slots=True)
class Systemd:
    """The manager of this box. Whoever asks it to change something must be root."""

    booted: Path = Path("/run/systemd/system")
    """Is there when systemd manages the box (sd_booted(3))."""
    program: str = "systemctl"

    def knows(self, unit: str) -> bool:
        """Whether the box runs under systemd and the unit is installed."""
        if not self.booted.is_dir() or shutil.which(self.program) is None:
            return False
        return self._ask("cat", "--", unit).returncode == 0

    def take_up(self, wanted: Sequence[str], unneeded: Iterable[str]) -> None:
        """Enable ``wanted`` and start them anew, in the order that they name; end and disable the enabled ones of
        ``unneeded``.

        May be called again. Raises RempartError with what systemctl said; what was done before stays done.
        """
        asked = sorted(unneeded)
        told = self._ask("list-unit-files", "--no-legend", "--plain", "--state=enabled", *asked)
        enabled = [line.split()[0] for line in told.stdout.splitlines() if line.strip()]
        if ended := [unit for unit in asked if unit in enabled]:
            self._do("disable", "--now", *ended)
        self._do("enable", *wanted)
        self._do("restart", *wanted)

    def _do(self, *words: str) -> None:
        done = self._ask(*words)
        if done.returncode:
            said = (done.stderr.strip() or f"exit code {done.returncode}")[:400]
            raise phrased(RempartError, "deed-systemd", where=f"{self.program} {words[0]}", detail=said)

    def _ask(self, *words: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                [self.program, "--no-pager", *words],
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=_WITHIN,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise phrased(
                RempartError,
                "deed-systemd-late",
                where=f"{self.program} {words[0]}",
                seconds=int(_WITHIN),
            ) from late
