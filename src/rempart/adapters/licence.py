"""The licence of a collection of rules, for rules that name none: the licence file beside or above them."""

from functools import cache
from pathlib import Path

_NAMES = ("license", "licence", "copying")
_ABOVE = 8
"""Folders that are looked at, from the rule's own upwards."""
_READ = 4_000
"""Characters of a licence file that are read to know which it is."""
_KNOWN = (
    ("Detection Rule License (DRL) 1.1", "DRL-1.1"),
    ("Detection Rule License (DRL) 1.0", "DRL-1.0"),
    ("EUROPEAN UNION PUBLIC LICENCE v. 1.2", "EUPL-1.2"),
    ("Apache License", "Apache-2.0"),
    ("Permission is hereby granted, free of charge", "MIT"),
)


def of(rule: str) -> str:
    """The SPDX id of the licence that a rule file lies under, ``see PATH`` when it is none we know, or nothing."""
    folder = Path(rule).absolute().parent
    return next(filter(None, map(_in, [folder, *folder.parents][:_ABOVE])), "")


@cache
def _in(folder: Path) -> str:
    try:
        files = sorted(file for file in folder.iterdir() if _named(file.name) and file.is_file())
        told = [spdx for file in files for words, spdx in _KNOWN if words in _beginning(file)]
    except OSError:
        return ""
    return next(iter(told), f"see {files[0]}" if files else "")


def _named(name: str) -> bool:
    return name.lower().startswith(_NAMES)


def _beginning(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(_READ)
