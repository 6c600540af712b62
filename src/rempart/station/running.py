"""Running: whether `rempart run` runs on a folder, and as which process: a lock that lasts as long as it does."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from rempart.errors import InputRefused

_NAME = "station.pid"
_TRIES = 20
"""A twentieth of a second apart: whoever asks holds the lock for an instant."""


@contextlib.contextmanager
def alone(run: Path) -> Iterator[None]:
    """Be the one that runs on this folder. Raises `InputRefused` when another process is."""
    file = os.open(run / _NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        if not any(_locked(file, fcntl.LOCK_EX, wait=0.05) for _ in range(_TRIES)):
            raise InputRefused(
                "a station runs on this folder already",
                where=str(run),
                now="End it first, or name another with --run.",
            )
        os.truncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        os.close(file)


def process(run: Path) -> int | None:
    """The process that runs on this folder; None: no `rempart run` does."""
    try:
        file = os.open(run / _NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        if _locked(file, fcntl.LOCK_SH):
            return None
        told = os.read(file, 20)
        return int(told) if told.isdigit() else None
    finally:
        os.close(file)


def _locked(file: int, how: int, *, wait: float = 0.0) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(wait)
        return False
    return True
