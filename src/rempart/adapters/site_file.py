"""Files that a person wrote: the site's, and the smaller ones beside it."""

from pathlib import Path

from rempart.errors import InputRefused
from rempart.site import description
from rempart.site.site import Site

LONGEST = 4 << 20
"""Bytes. Whoever names a disk image by mistake is told so, instead of the memory running out."""

_NOW = "Name a text file in UTF-8 that is there and that you may read."


def read_site(path: Path) -> Site:
    """The site that the file describes. Raises InputRefused, or SiteInvalid with all its mistakes at once."""
    return description.parse(read_text(path), str(path))


def read_text(path: Path, now: str = _NOW) -> str:
    """A file of the operator's, its lines ending in ``\\n``; ``now`` is what to do when it cannot be read.

    Raises InputRefused when it is not there, not ours to read, longer than `LONGEST` or not in UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise InputRefused(f"it cannot be read: {error.strerror}", where=str(path), now=now) from error
    if len(content) > LONGEST:
        raise InputRefused(f"it is longer than {LONGEST >> 20} MiB", where=str(path), now=now)
    try:
        return content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputRefused(f"it is not UTF-8 at byte {error.start}", where=str(path), now=now) from error
