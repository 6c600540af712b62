"""Reads Windows event log files (EVTX), record by record; what is damaged is named, the rest is read."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evtx import PyEvtxParser

from rempart.errors import Problem

MAGIC = b"ElfFile\0"
LARGEST = 2**53 - 1
"""The largest record id that is believed: no machine writes so many, and whoever forges one has 64 bits for it."""

_PANICS = "pyo3_runtime"
_HEADER = 4096
_CHUNK = 65536
_MEND = "Export the log again from the machine; what could be read of it was read."


def records(path: str) -> Iterator[tuple[int, str] | Problem]:
    """(record id, JSON) of each record in the order of the file, and a `Problem` for each part that cannot be read.

    Raises nothing for a damaged file. Record ids are the file's own: unique and rising in an undamaged one.
    """
    if short := _missing(path):
        yield short
    try:
        parser: Iterator[Any] = iter(PyEvtxParser(path, number_of_threads=1).records_json())
    except (RuntimeError, OSError) as fault:
        if not short:
            yield Problem(f"not readable as EVTX: {fault}", path, _MEND)
        return
    while True:
        try:
            record = next(parser)
        except StopIteration:
            return
        except RuntimeError as fault:
            yield Problem(f"damaged: {fault}", path, _MEND)
            continue
        except BaseException as panic:
            # What Rust calls a panic is no Exception to Python (PyO3, PanicException).
            if type(panic).__module__ != _PANICS:
                raise
            yield Problem("damaged: the parser failed on it; what comes after it is not read", path, _MEND)
            return
        number = record["event_record_id"]
        if number > LARGEST:
            yield Problem(f"damaged: a record has the number {number}", path, _MEND)
        else:
            yield number, record["data"]


def _missing(path: str) -> Problem | None:
    """The parser reads a file that was cut off as if it ended there; the header knows better."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116  the same as Path.stat, said shorter
        with Path(path).open("rb") as file:
            head = file.read(64)
    except OSError as fault:
        return Problem(f"cannot be read: {fault.strerror}", path, _MEND)
    header, chunks = struct.unpack_from("<HH", head.ljust(64, b"\0"), 40)
    if not head.startswith(MAGIC) or header != _HEADER:
        return Problem("not an EVTX file: its header is missing or damaged", path, _MEND)
    held, rest = divmod(size - _HEADER, _CHUNK)
    if held < chunks or rest:
        return Problem(
            f"cut off at byte {size}: {max(held, 0)} whole chunks of {max(chunks, held + 1)}", path, _MEND
        )
    return None
