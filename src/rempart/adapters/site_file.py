"""The site's file, read from the disk."""

from pathlib import Path

from rempart.errors import InputRefused
from rempart.site import description
from rempart.site.site import Site


def read_site(path: Path) -> Site:
    """The site that the file describes. Raises InputRefused, or SiteInvalid with all its mistakes at once."""
    return description.parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """A file of the operator's. Raises InputRefused when it is not there, not ours to read, or not in UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputRefused(f"it cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"it is not UTF-8 at byte {error.start}", where=str(path)) from error
