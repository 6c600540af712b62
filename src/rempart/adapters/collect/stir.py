"""Something stirs in a folder of logs: the kernel wakes whoever follows them, instead of being asked (inotify(7)).

Only a wake-up: what has changed is found by looking. So a queue that overflows loses nothing, and on file systems
that tell nothing (network shares), or in folders that come later, looking every now and then goes on as before.
"""

import asyncio
import ctypes
import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_MODIFY, _MOVED_TO, _CREATE = 0x2, 0x80, 0x100
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_MOST = 1 << 16
"""Bytes of notices taken at once; what they say is not read."""


class Stir:
    """Wakes one task when files in these folders change. For one asyncio loop."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._felt = asyncio.Event()
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(_NONBLOCK_CLOEXEC)
        for folder in sorted(set(folders)) if self._descriptor >= 0 else ():
            libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _MODIFY | _MOVED_TO | _CREATE)

    async def wait(self, seconds: float) -> None:
        """Until something changes, or has changed since the last time; ``seconds`` at most."""
        if self._descriptor < 0:
            await asyncio.sleep(seconds)
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(self._descriptor, self._felt.set)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._felt.wait()
        finally:
            # Not listening between two waits: thousands of writes a second wake once.
            loop.remove_reader(self._descriptor)
            self._felt.clear()
            self._drain()

    def _drain(self) -> None:
        try:
            while len(os.read(self._descriptor, _MOST)) > _MOST // 2:
                pass
        except OSError as fault:
            if fault.errno != errno.EAGAIN:
                raise

    def close(self) -> None:
        """Listen no more; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
