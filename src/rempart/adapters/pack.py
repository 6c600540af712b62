"""Looking at the downtime pack: when it was written, and its hash. Its content is never kept or told."""

import hashlib
from pathlib import Path

from rempart.instants import Instant

_CHUNK = 1 << 20

LARGEST = 1 << 30
"""Bytes that are hashed at most: what is larger is no list to print."""


def look(path: Path) -> tuple[str, Instant]:
    """SHA-256 in hex and the instant of its last change; empty and 0 when there is no such file.

    Raises OSError when it is there and may not be read.
    """
    digest, left = hashlib.sha256(), LARGEST
    try:
        with path.open("rb") as file:
            written = path.stat().st_mtime_ns // 1000
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
    except (FileNotFoundError, NotADirectoryError):
        return "", Instant(0)
    return digest.hexdigest(), Instant(written)
