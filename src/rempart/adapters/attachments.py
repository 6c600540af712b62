"""Files attached to incidents: each under its SHA-256 beside the journal, whole or not there; never opened."""

import hashlib
import os
import re
from pathlib import Path

from rempart.edge import whole
from rempart.errors import InputRefused

ROOM = 256 * 1024 * 1024
"""Bytes of all attached files together: evidence of that size belongs into a bag."""

_NAME = re.compile(r"[0-9a-f]{64}")


class Attachments:
    """A folder that only the guard's user reads. ``keep`` may be called again with the same bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> None:
        """Keep the bytes, on the disk for good. Raises `InputRefused` when there is no room."""
        name = hashlib.sha256(content).hexdigest()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (self._folder / name).exists():
                return
            held = sum(file.stat().st_size for file in self._folder.iterdir())
            if held + len(content) > ROOM:
                raise InputRefused(
                    "there is no room for more attached files",
                    where=str(self._folder),
                    now="Put it into an evidence bag: rempart export.",
                )
            whole.put(self._folder / name, content)
        except OSError as fault:
            raise InputRefused(
                f"the file cannot be kept: {fault.strerror}", where=str(self._folder), now="Is the disk full?"
            ) from fault

    def holds(self, sha256: str) -> bool:
        """Whether there are bytes under that hash."""
        return _NAME.fullmatch(sha256) is not None and (self._folder / sha256).exists()

    def erase(self, sha256: str) -> None:
        """Overwrite the bytes and take the file away, for good. May be called again. Raises `InputRefused`.

        What a flash chip, a snapshot of the disk or a backup still holds is out of reach.
        """
        if not self.holds(sha256):
            return
        file = self._folder / sha256
        try:
            with file.open("r+b") as opened:
                opened.write(bytes(file.stat().st_size))
                opened.flush()
                os.fsync(opened.fileno())
            file.unlink()
            whole.settle(self._folder)
        except OSError as fault:
            raise InputRefused(
                f"the file could not be erased: {fault.strerror}",
                where=str(file),
                now="Its erasure is sealed. Mend the disk and give the order again, or start the station again.",
            ) from fault

    def read(self, sha256: str) -> bytes:
        """The bytes with that hash. Raises `InputRefused` when they are gone, or are not what was sealed."""
        if not _NAME.fullmatch(sha256):
            raise InputRefused("that is no SHA-256", now="It has 64 hexadecimal digits.")
        try:
            content = (self._folder / sha256).read_bytes()
        except OSError as fault:
            raise InputRefused(
                f"the file cannot be read: {fault.strerror}",
                where=str(self._folder),
                now="The journal still holds its hash. Look for a copy in a backup.",
            ) from fault
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InputRefused(
                "the file is not the one that was sealed", where=str(self._folder), now="Trust no word of it."
            )
        return content
