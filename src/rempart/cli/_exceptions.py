"""The exceptions of a site, from the file beside its description."""

from pathlib import Path

from rempart.adapters.site_file import read_text
from rempart.config import Places
from rempart.detection import exception
from rempart.detection.exception import Exceptions


def beside(site: Path) -> Exceptions:
    """What ``exceptions.toml`` beside this site.toml says; nothing when it is not there. Raises `InputRefused`."""
    file = Places(site=site, state=Path(), run=Path(), rules=()).exceptions
    if not file.exists():
        return Exceptions()
    return exception.parse(read_text(file), str(file))
