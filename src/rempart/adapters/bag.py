"""Evidence bags: a folder in BagIt form (RFC 8493), made whole or not at all, and checked.

Any BagIt tool can check it without Rempart: ``bagit.py --validate FOLDER``.
"""

import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import bagit

from rempart.errors import InputRefused, JournalBroken
from rempart.instants import Instant, as_datetime

_DIGESTS = ["sha256", "sha512"]

# bagit reports each file at INFO and each fault at ERROR; faults reach the caller as JournalBroken instead.
logging.getLogger("bagit").setLevel(logging.CRITICAL)


def make(content: Path, out: Path, *, about: Mapping[str, str], dated: Instant) -> None:
    """Put what lies in ``content`` into a new bag at ``out``.

    The bag is made beside ``out`` and put in place by one rename, so that an interrupted export leaves nothing that
    looks like evidence. Raises InputRefused when ``out`` exists or cannot be written.
    """
    if out.exists():
        raise InputRefused(
            "it exists already",
            where=str(out),
            now="Name a folder that does not exist yet; nothing was written.",
        )
    try:
        _make(content, out, about, dated)
    except OSError as error:
        raise InputRefused(
            f"it cannot be written: {error.strerror}",
            where=str(out),
            now="Give another folder; nothing is left.",
        ) from error


def _make(content: Path, out: Path, about: Mapping[str, str], dated: Instant) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
        making = Path(beside) / "bag"
        shutil.copytree(content, making)
        bagit.make_bag(
            str(making.resolve()),
            {**about, "Bagging-Date": f"{as_datetime(dated):%Y-%m-%d}"},
            checksums=_DIGESTS,
        )
        making.rename(out)


def check(folder: Path) -> Path:
    """The bag's payload folder, once every file of it was found whole.

    Raises InputRefused when the folder is no bag, JournalBroken naming the first files that do not agree.
    """
    try:
        bagit.Bag(str(folder)).validate()
    except bagit.BagValidationError as error:
        faults = "; ".join(str(fault) for fault in error.details[:3]) or str(error)
        raise JournalBroken(
            f"the bag does not validate: {faults}",
            where=str(folder),
            now="Ask whoever made it for a whole copy; trust nothing in this one.",
        ) from None
    except bagit.BagError as error:
        raise InputRefused(
            f"not an evidence bag: {error}", where=str(folder), now="Name a folder made by `rempart export`."
        ) from None
    return folder / "data"


def about(folder: Path) -> Mapping[str, str]:
    """What a bag says of itself, by label; nothing where that cannot be read. Nobody has signed it."""
    try:
        told = bagit.Bag(str(folder)).info
    except bagit.BagError:
        return {}
    return {label: value for label, value in told.items() if isinstance(value, str)}
