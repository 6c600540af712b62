"""Keeps what behaviour detectors remember from one start to the next: one file, whole or not believed.

A file that is damaged, of another form, or open to others is named and left out: the pasts begin anew. It holds
accounts, addresses and places of a fortnight, and for the hour that runs digests of numbers of care files: for its
user alone.
"""

import logging
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
import zstandard

from rempart.edge import whole
from rempart.instants import Instant

_log = logging.getLogger("rempart.watch")

_FORM = b"rempart pasts 1\n"
_DIGEST = 32
_LARGEST = 256 << 20
"""Bytes of the file; full memories of all detectors are a quarter of it (before they are compressed)."""


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """Pasts, and the last segment of the event store that they know."""

    segment: int
    until: Instant
    """When that segment was read."""
    pasts: bytes


@dataclass(frozen=True, slots=True)
class Pasts:
    """The file."""

    path: Path

    def read(self) -> Kept | None:
        """What was kept; None when nothing was, or when it is not to be believed, which is said."""
        try:
            return self._read()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, zstandard.ZstdError) as fault:
            _log.error("%s: what was usual until now is not known any more: %s", self.path, fault)
            return None

    def _read(self) -> Kept:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                raise ValueError("others could have written it")
            data = file.read(_LARGEST)
        form, rest = data[: len(_FORM)], data[len(_FORM) :]
        digest, body = rest[:_DIGEST], rest[_DIGEST:]
        if form != _FORM or digest != sha256(body).digest():
            raise ValueError("it is damaged, or of another form")
        return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(body), type=Kept)

    def write(self, kept: Kept) -> None:
        """Keep it in the place of what was kept. A disk that refuses is said; the old file stays."""
        body = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(kept))
        try:
            whole.put(self.path, _FORM + sha256(body).digest() + body)
        except OSError as fault:
            _log.error("%s: what is usual could not be kept: %s", self.path, fault)
