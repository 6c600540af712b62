"""A virtual machine that is started from a disk, tells what it does line by line, and can lose its power."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from nightly.image import Image

_SLOW = 1
"""An emulated box counts its instructions and takes each for two nanoseconds (2 to this power): its time is its own. A
busy host makes the night longer, not the box slower, and the limits of the units hold as they are shipped."""

Told = dict[str, Any]
"""One line of what the machine tells: a JSON object."""


class Stuck(Exception):
    """The machine did not come to where it should."""


class Machine:
    """One start of the box, for one step; the disk stays from one to the next."""

    def __init__(
        self, image: Image, disk: Path, step: str, folder: Path, accel: str, clock: datetime
    ) -> None:
        """``disk``: the box's own. ``clock``: what its battery's clock says when it is switched on (UTC)."""
        self._report, self._console = folder / f"{step}.jsonl", folder / f"{step}.console"
        self._report.unlink(missing_ok=True)
        line = f"root=/dev/vda rw console=ttyS0 panic=-1 quiet systemd.show_status=no nightly.step={step}"
        # What the machine flushed must be on the disk, what it did not may be lost: the disk is opened without a cache.
        drives = [f"file={each},if=virtio,format=raw,cache={_cache(each)}" for each in (disk, image.stick)]
        words = ["qemu-system-x86_64", "-accel", accel, "-cpu", "max", "-m", "2048", "-smp", "1"]
        if accel == "tcg":
            words += ["-icount", f"shift={_SLOW}"]
        words += ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", line]
        words += ["-rtc", f"base={clock:%Y-%m-%dT%H:%M:%S},clock=vm"]
        words += [word for drive in drives for word in ("-drive", drive)]
        words += ["-nic", "none", "-display", "none", "-no-reboot"]
        words += ["-serial", f"file:{self._console}", "-serial", f"file:{self._report}"]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL)

    def told(self) -> Iterator[Told]:
        """What it has told so far, whole lines only."""
        if not self._report.exists():
            return
        for line in self._report.read_text(errors="replace").split("\n")[:-1]:
            if line.strip():
                yield json.loads(line)

    def wait_for(self, holds: Callable[[list[Told]], bool], seconds: float) -> list[Told]:
        """Wait until what it told satisfies ``holds``. Raises Stuck."""
        limit = time.monotonic() + seconds
        while not holds(said := list(self.told())):
            if time.monotonic() > limit or self._process.poll() is not None:
                self.cut_power()
                raise Stuck(f"{self._report.stem}: told {said[-3:]}\n{self._last_words()}")
            time.sleep(0.05)
        return said

    def wait_until_off(self, seconds: float) -> list[Told]:
        """Wait until it has switched itself off; all that it told. Raises Stuck."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            self.cut_power()
            raise Stuck(f"{self._report.stem}: still on\n{self._last_words()}") from late
        return list(self.told())

    def cut_power(self) -> list[Told]:
        """Nothing more reaches the disk from now on; all that it had told."""
        self._process.kill()
        self._process.wait()
        return list(self.told())

    def _last_words(self) -> str:
        return self._console.read_text(errors="replace")[-4000:] if self._console.exists() else ""


def _cache(disk: Path) -> str:
    """``none`` where the file system knows direct access; else each write waits for the disk."""
    try:
        os.close(os.open(disk, os.O_RDWR | os.O_DIRECT))
    except OSError:
        return "writethrough"
    return "none"
