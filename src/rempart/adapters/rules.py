"""Reads rule files from folders, for `rempart.detection.sigma.load`."""

import codecs
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rempart.errors import InputRefused

_ENDINGS = (".yml", ".yaml")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SUFFIXES = frozenset(_ENDINGS)


def holds_rules(path: str) -> bool:
    """Whether the path is a rule file, or a folder with one in it or below."""
    return next(_found(path), None) is not None


def read(paths: Sequence[str]) -> list[tuple[str, str]]:
    """(path, text) of every rule file at or below the paths, sorted within each, each file once.

    Raises `InputRefused` when a path is missing, holds no rule file, or a file cannot be read.
    """
    files: dict[str, str] = {}
    for path in paths:
        found = sorted(_found(path))
        if not found:
            what = "holds no rule file (.yml)" if Path(path).exists() else "there is no such file or folder"
            raise InputRefused(what, where=path, now="Name a folder with Sigma rules.")
        for file in found:
            if file not in files:
                files[file] = _text(file)
    return list(files.items())


def _found(path: str) -> Iterator[str]:
    if Path(path).is_file():
        if Path(path).suffix.lower() in SUFFIXES:
            yield path
        return
    # Thousands of files at every start: text is joined, since making a Path of each takes as long as reading it.
    for folder, _, names in os.walk(path):
        yield from (f"{folder.rstrip('/')}/{name}" for name in names if name.lower().endswith(_ENDINGS))


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  see _found
            written = file.read()
    except OSError as fault:
        raise InputRefused(
            f"cannot be read: {fault}", where=path, now="Mend the file or leave it out."
        ) from fault
    # What is no text is refused by `load`, which names the line, and takes no other rule along.
    codec = "utf-16" if written.startswith(_UTF16) else "utf-8"
    text = written.decode(codec, "surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
