"""The exceptions of a site, from the file beside its description."""

from pathlib import Path

from rempart.config import Places
from rempart.detection import exception
from rempart.detection.exception import Exceptions
from rempart.errors import InputRefused


def beside(site: Path) -> Exceptions:
    """What ``exceptions.toml`` beside this site.toml says; nothing when it is not there. Raises `InputRefused`."""
    file = Places(site=site, state=Path(), run=Path(), rules=()).exceptions
    if not file.exists():
        return Exceptions()
    try:
        return exception.parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as fault:
        raise InputRefused(f"cannot be read: {fault}", where=str(file), now="Mend the file.") from fault
