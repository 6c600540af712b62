"""Reading documents for the search for sensitive data: text, CSV, docx, xlsx and PDF, from hostile hands.

Every size is bounded: of the file, of what a zip member or a PDF stream unpacks to, of rows, pages and cells. XML
comes without entities (defusedxml). What cannot be read raises `InputRefused` with the reason, and pages of a PDF that
cannot be read are named beside those that can: nothing unread passes for empty.
"""

import csv
import io
import logging
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # it publishes no types
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]  # it publishes no types
from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from rempart.errors import InputRefused
from rempart.stakes.content import Content, Table, Text

LARGEST = 64 << 20
"""Bytes of the largest file that is read."""
MEMBER = 32 << 20
"""Bytes the largest zip member may unpack to; as a tree it takes about ten times as much memory."""
UNPACKED = 128 << 20
"""Bytes all members of one document may unpack to."""
PAGES = 2_000
WIDEST = 1_024
"""Columns of a sheet that are read."""

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DELIMITERS = (";", ",", "\t", "|")

# pypdf says on its logger what it mends in a broken file; a page it cannot read is an error here, not a line there.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says, and which part of it could not be read ("" when it was read whole)."""

    contents: tuple[Content, ...]
    lacking: str = ""


def files(path: Path) -> Iterator[Path]:
    """The files at or below a path, sorted; symbolic links below it are passed over, so that none leads out of it.

    A folder that cannot be listed is yielded itself, for `read` to refuse by name.
    """
    if not path.exists():
        raise InputRefused(
            "there is nothing there", where=str(path), now="Name a file or folder that exists."
        )
    if not path.is_dir():
        yield path
        return
    closed: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=lambda fault: closed.append(Path(fault.filename))):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names) if not (Path(folder) / name).is_symlink())
    yield from closed


def read(path: Path) -> Reading:
    """What a document says. Raises InputRefused when nothing of it can be read, with the reason."""
    raw = _bytes(path)
    try:
        return _reader(raw, path)(raw)
    except InputRefused as refused:
        raise InputRefused(refused.what, where=str(path), now=refused.now) from None
    except (ParseError, DefusedXmlException, zipfile.BadZipFile, zlib.error, PyPdfError) as fault:
        raise InputRefused(f"damaged or hostile: {_first_line(fault)}", where=str(path)) from None
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError) as fault:
        # what the readers' libraries throw on malformed structures; the file is named, never skipped in silence
        raise InputRefused(
            f"malformed ({type(fault).__name__}: {_first_line(fault)})", where=str(path)
        ) from None
    except (NotImplementedError, RuntimeError, RecursionError, MemoryError) as fault:
        raise InputRefused(f"cannot be unpacked: {_first_line(fault)}", where=str(path)) from None


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [""])[0][:120]


def _bytes(path: Path) -> bytes:
    try:
        # not blocking: a named pipe among the files must not stop the search
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputRefused("not a regular file", where=str(path))
            raw = file.read(LARGEST + 1)
    except OSError as fault:
        raise InputRefused(f"cannot be read: {fault.strerror}", where=str(path)) from None
    if len(raw) > LARGEST:
        raise InputRefused(f"larger than {LARGEST >> 20} MiB", where=str(path))
    return raw


def _reader(raw: bytes, path: Path) -> Callable[[bytes], Reading]:
    """How to read it: by what it begins with, not by its name; the name only tells CSV from running text."""
    if raw.startswith(b"%PDF-"):
        return _pdf
    if raw.startswith(b"PK\x03\x04"):
        return _office
    return _separated if path.suffix.lower() in (".csv", ".tsv") else _running


# -- text and CSV ------------------------------------------------------------------------------------------------


def _running(raw: bytes) -> Reading:
    return Reading((Text(_decoded(raw)),))


def _separated(raw: bytes) -> Reading:
    text = _decoded(raw)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return Reading((Table(tuple(tuple(row) for row in rows)),))
    except csv.Error as fault:
        raise InputRefused(f"not CSV: {fault}") from None


def _decoded(raw: bytes) -> str:
    """UTF-8 or UTF-16 with a mark, else UTF-8, else Windows-1252 as old exports are."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _lines(raw.decode("utf-16"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    if "\0" in text or sum(text.count(chr(code)) for code in range(1, 9)) > len(text) // 100:
        raise InputRefused("a kind of file that is not looked into")
    return _lines(text)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


# -- office documents --------------------------------------------------------------------------------------------


def _office(raw: bytes) -> Reading:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        package = _Package(archive)
        if "word/document.xml" in package.names:
            return Reading(tuple(_word(package)))
        if "xl/workbook.xml" in package.names:
            return Reading(tuple(_sheets(package)))
    raise InputRefused("a kind of archive that is not looked into")


class _Package:
    """The XML members of a document, unpacked under one budget."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = UNPACKED
        self.names = frozenset(archive.namelist())

    def xml(self, name: str) -> Element:
        """One member. The size is counted as it unpacks; a header that lies about it changes nothing."""
        with self._archive.open(name) as member:
            unpacked = member.read(min(MEMBER, self._left) + 1)
        self._left -= len(unpacked)
        if len(unpacked) > MEMBER or self._left < 0:
            raise InputRefused(f"unpacks to more than {MEMBER >> 20} MiB: {name!r}")
        root: Element = fromstring(unpacked, forbid_dtd=True)
        return root

    def members(self, start: str) -> list[str]:
        """The XML members whose name begins so, sorted."""
        return sorted(name for name in self.names if name.startswith(start) and name.endswith(".xml"))


def _word(package: _Package) -> Iterator[Content]:
    names = ["word/document.xml"]
    for part in ("header", "footer", "footnotes", "endnotes", "comments"):
        names += package.members(f"word/{part}")
    running: list[str] = []
    for name in names:
        root = package.xml(name)
        for table in root.iter(f"{_WORD}tbl"):
            yield Table(tuple(tuple(_said(cell) for cell in row.iter(f"{_WORD}tc")) for row in _rows(table)))
        inside = {id(p) for table in root.iter(f"{_WORD}tbl") for p in table.iter(f"{_WORD}p")}
        running += [_said(p) for p in root.iter(f"{_WORD}p") if id(p) not in inside]
    yield Text("\n".join(running))


def _rows(table: Element) -> list[Element]:
    return table.findall(f"{_WORD}tr")


def _said(element: Element) -> str:
    """The text of a paragraph or cell; a number split over several runs is one number again."""
    parts: list[str] = []
    for node in element.iter():
        if node.tag == f"{_WORD}t":
            parts.append(node.text or "")
        elif node.tag in (f"{_WORD}tab", f"{_WORD}br"):
            parts.append("\n" if node.tag.endswith("br") else "\t")
        elif node.tag == f"{_WORD}p" and parts:
            parts.append("\n")
    return "".join(parts)


def _sheets(package: _Package) -> Iterator[Content]:
    shared: list[str] = []
    if "xl/sharedStrings.xml" in package.names:
        strings = package.xml("xl/sharedStrings.xml").iter(f"{_SHEET}si")
        shared = ["".join(t.text or "" for t in one.iter(f"{_SHEET}t")) for one in strings]
    for name in package.members("xl/worksheets/"):
        rows = package.xml(name).iter(f"{_SHEET}row")
        yield Table(tuple(_row(row, shared) for row in rows))


def _row(row: Element, shared: list[str]) -> tuple[str, ...]:
    cells: dict[int, str] = {}
    for position, cell in enumerate(row.iter(f"{_SHEET}c")):
        column = _column(cell.get("r", ""), position)
        if column < WIDEST:
            cells[column] = _cell(cell, shared)
    return tuple(cells.get(column, "") for column in range(max(cells, default=-1) + 1))


def _column(reference: str, position: int) -> int:
    """``C7`` is column 2; a cell without a reference stands where it is."""
    number = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1 if number else position


def _cell(cell: Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{_SHEET}t"))
    value = cell.findtext(f"{_SHEET}v") or ""
    if cell.get("t") == "s":
        return shared[int(value)]
    return value if cell.get("t") == "str" else _whole(value)


def _whole(value: str) -> str:
    """``8.5073003328E10`` as a spreadsheet stores a long number, written out."""
    if value.isdigit() or len(value) > 30:
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number.adjusted()) > 20 or number != number.to_integral_value():
        return value
    return str(int(number))


# -- PDF ---------------------------------------------------------------------------------------------------------


def _pdf(raw: bytes) -> Reading:
    reader = PdfReader(io.BytesIO(raw))
    if reader.is_encrypted and not reader.decrypt(""):
        raise InputRefused("locked by a password")
    if len(reader.pages) > PAGES:
        raise InputRefused(f"more than {PAGES} pages")
    contents: list[Content] = []
    lacking: list[int] = []
    for number, page in enumerate(reader.pages, 1):
        text = _page(page)
        if text is None:
            lacking.append(number)
        else:
            contents.append(Text(text))
    if not contents:
        raise InputRefused("a PDF without text that can be read (scanned?)")
    return Reading(tuple(contents), _pages(lacking))


def _page(page: PageObject) -> str | None:
    """The text of a page; None when it cannot be read, or shows pictures only."""
    try:
        page.get_contents()  # extract_text hides a stream that unpacks beyond the limit, and returns nothing
        text = page.extract_text()
    except (PyPdfError, KeyError, ValueError, IndexError, TypeError, AttributeError, RecursionError):
        return None
    if text.strip():
        return text
    return None if "/XObject" in (page.get("/Resources") or {}) else ""


def _pages(numbers: list[int]) -> str:
    if not numbers:
        return ""
    shown = ", ".join(str(number) for number in numbers[:10]) + (" …" if len(numbers) > 10 else "")
    return f"{len(numbers)} of its pages have no text that can be read (scanned?): {shown}"
