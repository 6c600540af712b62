"""Tables with a header (CSV), as consoles and tools export logs: each row becomes JSON under the names of its columns.

Values stay the texts that they are; an empty cell is an absent field. Only a header that names a column known from such
exports makes a table of a file: many logs have commas.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import orjson

LONGEST = 16 << 20
"""Bytes of the longest row; what is longer is given as it is, for a decoder to refuse."""

_RECORDS = frozenset({"AuditData", "CloudTrailEvent", "_raw"})
"""Columns whose cells are records themselves."""
_KNOWN = _RECORDS | {"EventID", "EventId", "Channel", "LogName", "EventLog", "TimeGenerated"}
_FEWEST, _LONGEST_HEADER = 3, 16_384
_NAME = re.compile(r'[^"=:;,{}<>\x00-\x1f]{1,100}')
_ABOVE = re.compile(rb"#TYPE |sep=.$", re.IGNORECASE)
"""What PowerShell and Excel write above the header."""
_ZONE = " [UTC]"
"""What Log Analytics writes behind the names of times."""
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_SEPARATORS = ",;\t"


class Table:
    """Cuts a table into records. Not for use by several threads."""

    def __init__(self, record: Callable[[dict[str, Any]], bytes]) -> None:
        """``record``: a row as the record that it holds, which may be one of its cells."""
        self._record = record
        self._names: Sequence[str] = ()
        self._separator = ","
        self._open: list[bytes] = []
        self._size = 0
        self._quoted = False

    @staticmethod
    def begins(lines: Sequence[bytes]) -> bool:
        """Whether a file that begins with these lines is a table that is known."""
        first = next((line for line in lines if line.strip() and not _ABOVE.match(line)), b"")
        return bool(_header(first))

    def records(self, lines: Sequence[bytes]) -> list[bytes]:
        """The records of the rows that end in these lines."""
        return [record for line in lines for record in self._line(line)]

    def rest(self) -> list[bytes]:
        """A row that was cut off, as it is."""
        return [self._taken()] if self._open else []

    def _line(self, line: bytes) -> Iterator[bytes]:
        if not self._names:
            if line.strip() and not _ABOVE.match(line):
                self._separator, *self._names = _header(line) or (",",)
            return
        if not self._open and not line.strip():
            return
        self._open.append(line)
        self._size += len(line)
        self._quoted ^= bool(line.count(b'"') & 1)
        if not self._quoted:
            yield self._row(self._taken())
        elif self._size > LONGEST:
            yield self._taken()

    def _taken(self) -> bytes:
        text = b"\n".join(self._open)
        self._open, self._size, self._quoted = [], 0, False
        return text

    def _row(self, text: bytes) -> bytes:
        try:
            cells = _cells(text.decode("utf-8", "replace"), self._separator, len(self._names))
        except ValueError:
            return text
        told = zip(self._names, cells, strict=False)
        return self._record({name: _value(name, cell) for name, cell in told if cell})


def _header(line: bytes) -> list[str]:
    """The separator, and the names of the columns; nothing when this is no header that is known."""
    if len(line) > _LONGEST_HEADER:
        return []
    text = line.decode("utf-8", "replace").strip()
    separator = max(_SEPARATORS, key=text.count)
    try:
        names = [name.strip().removesuffix(_ZONE) for name in _cells(text, separator, _LONGEST_HEADER)]
    except ValueError:
        return []
    sound = len(names) >= _FEWEST and len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))
    return [separator, *names] if sound and not _KNOWN.isdisjoint(names) else []


def _cells(text: str, separator: str, most: int) -> list[str]:
    """The cells of a row. Raises ValueError for what is none, or has too many."""
    cells: list[str] = []
    at = 0
    while len(cells) < most:
        quoted = _QUOTED.match(text, at)
        end = text.find(separator, quoted.end() if quoted else at)
        cells.append(quoted[1].replace('""', '"') if quoted else text[at : end if end >= 0 else len(text)])
        if end < 0:
            return cells
        at = end + 1
    raise ValueError("more cells than the header has names")


def _value(name: str, cell: str) -> Any:
    """A cell; where it holds a JSON object, that: tables have no other way to nest."""
    if cell[:1] == "{" and name not in _RECORDS:
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(cell)
    return cell
