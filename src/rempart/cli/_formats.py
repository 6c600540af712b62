"""How a finding is printed: as a line of JSON, of CSV, or of a table for the eye."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console

from rempart.cli._search import Row
from rempart.cli._terminal import harmless
from rempart.detection.explain import Explanation
from rempart.detection.tactic import tactics
from rempart.instants import rfc3339

Form = Callable[[Row], str]
"""What is printed for one row, newline included."""


def nothing() -> Form:
    """For a report alone."""
    return lambda _row: ""


def _time(row: Row) -> str | None:
    return None if row.time is None else rfc3339(row.time)


def _jsonl() -> Form:
    # All but ASCII is escaped, so that the lines may be shown on a terminal too.
    return lambda row: json.dumps(_line(row), default=str) + "\n"


def _line(row: Row) -> dict[str, Any]:
    card, seen = row.card, row.finding
    line = {
        "rule": card.id,
        "title": card.title,
        "level": card.level.name.lower(),
        "time": _time(row),
        "source": seen.source,
        "record": seen.record,
        "author": card.author,
        "license": card.license,
        "tags": card.tags,
        "explanation": Explanation.of(seen).english,
        "count": seen.count,
        "proofs": [{"field": proof.field, "value": proof.value} for proof in seen.proofs],
        "finding": seen.id,
    }
    return line if row.fields is None else {**line, "event": row.fields}


_COLUMNS = (
    *("time", "level", "title", "source", "record", "rule", "author", "proofs"),
    *("license", "tactics", "explanation"),
)
_SHORT = 8
"""Columns of the table on a terminal; the rest would push them out of sight."""


def _cells(row: Row) -> tuple[str, ...]:
    card, seen = row.card, row.finding
    return (
        _time(row) or "",
        card.level.name.lower(),
        card.title if seen.count == 1 else f"{card.title} ({seen.count})",
        seen.source,
        str(seen.record),
        card.id,
        card.author,
        "; ".join(f"{proof.field}={proof.value}" for proof in seen.proofs),
        card.license,
        ", ".join(tactic.label for tactic in tactics(card.tags)),
        Explanation.of(seen).english,
    )


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _csv() -> Form:
    print(_csv_line(_COLUMNS), end="")
    return lambda row: _csv_line(_cells(row))


def _csv_line(cells: Iterable[str]) -> str:
    # A spreadsheet runs a cell that begins like a formula (CWE-1236).
    shown = (harmless(cell, 2000) for cell in cells)
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(
        f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in shown
    )
    return line.getvalue()


def _table() -> Form:
    """One line a match, as it is found: a table that waits for its widest cell shows nothing for minutes."""
    width = Console().width if sys.stdout.isatty() else None

    def form(row: Row) -> str:
        shown = (harmless(cell, 300) for cell in _cells(row)[:_SHORT])
        time, level, title, source, record, rule, author, proofs = shown
        by = f"{rule}, {author}" + (f", {harmless(row.card.license)}" if row.card.license else "")
        line = f"{time[:19]:19}  {level:13}  {title}  {source}:{record}  [{by}]  {proofs}"
        return (line if width is None or len(line) <= width else line[: width - 1] + "…") + "\n"

    return form


FORMATS: dict[str, Callable[[], Form]] = {"table": _table, "csv": _csv, "jsonl": _jsonl}
