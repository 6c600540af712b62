import io
import os
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rempart.adapters import documents, paper
from rempart.duties.document import Paper, Prose
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.language import Language
from rempart.stakes.content import Table, Text

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def package(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def word(path: Path, body: str, **others: str) -> Path:
    members: dict[str, str | bytes] = {
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>"
    }
    return package(path, {**members, **{f"word/{name}.xml": text for name, text in others.items()}})


def paragraph(*runs: str) -> str:
    return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"


def sheet(path: Path, rows: str, strings: str = "") -> Path:
    return package(
        path,
        {
            "xl/workbook.xml": f"<workbook {S}/>",
            "xl/sharedStrings.xml": f"<sst {S}>{strings}</sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {S}><sheetData>{rows}</sheetData></worksheet>",
        },
    )


@pytest.mark.parametrize(
    "raw",
    ["né\r\nb".encode(), "né\nb".encode("utf-8-sig"), "né\nb".encode("utf-16"), "né\nb".encode("cp1252")],
)
def test_text_in_the_encodings_of_old_exports(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(raw)
    assert documents.read(tmp_path / "a.txt").contents == (Text("né\nb"),)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_csv_by_the_delimiter_of_its_first_line(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_text(f'Nom{delimiter}NISS\n"A\nB"{delimiter}1\n')
    assert documents.read(tmp_path / "a.csv").contents == (Table((("Nom", "NISS"), ("A\nB", "1"))),)


def test_word_joins_runs_and_reads_tables_headers_and_notes(tmp_path: Path) -> None:
    table = f"<w:tbl><w:tr><w:tc>{paragraph('NISS')}</w:tc><w:tc>{paragraph('8507', '3003328')}</w:tc></w:tr></w:tbl>"
    path = word(
        tmp_path / "a.docx",
        paragraph("NISS 8507", "3003328") + table,
        header1=f"<w:hdr {W}>{paragraph('en-tête')}</w:hdr>",
    )
    assert documents.read(path).contents == (
        Table((("NISS", "85073003328"),)),
        Text("NISS 85073003328\nen-tête"),
    )


def test_sheets_read_strings_long_numbers_and_gaps(tmp_path: Path) -> None:
    rows = (
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>Tel</t></is></c></row>'
        '<row><c r="A2"><v>8.5073003328E10</v></c><c r="C2"><v>475123456</v></c></row>'
        '<row><c r="A3"><v>3.5</v></c></row>'
    )
    path = sheet(tmp_path / "a.xlsx", rows, "<si><t>NI</t><t>SS</t></si>")
    assert documents.read(path).contents == (
        Table((("NISS", "", "Tel"), ("85073003328", "", "475123456"), ("3.5",))),
    )


def test_pdf_text_is_read(tmp_path: Path) -> None:
    made = Paper("T", "", "", Language.FRENCH, "page", Instant(0), (Prose("", ("NISS 85.07.30-033.28",)),))
    (tmp_path / "a.pdf").write_bytes(paper.pdf(made))
    (page,) = documents.read(tmp_path / "a.pdf").contents
    assert isinstance(page, Text)
    assert "NISS 85.07.30-033.28" in page.text


def pdf_of(*streams: bytes, resources: bytes = b"") -> bytes:
    """A PDF with one page for each compressed content stream."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(len(streams)))
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(streams))]
    font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    for n, stream in enumerate(streams):
        bodies.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents %d 0 R/Resources<<%s>>>>"
            % (4 + 2 * n, font + resources)
        )
        head = b"<</Length %d/Filter/FlateDecode>>stream\n" % len(stream)
        bodies.append(head + stream + b"\nendstream")
    made, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(made))
    return made + head + table + tail


def bomb() -> bytes:
    """A stream that unpacks to 256 MiB."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


SAID = zlib.compress(b"BT /F 9 Tf (NISS 85.07.30-033.28) Tj ET")


def test_pages_that_cannot_be_read_are_named_beside_those_that_can(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_of(SAID, bomb(), zlib.compress(b"")))
    reading = documents.read(tmp_path / "a.pdf")
    assert reading.contents == (Text("NISS 85.07.30-033.28"), Text(""))
    assert reading.lacking == "1 of its pages have no text that can be read (scanned?): 2"


def test_a_pdf_of_pictures_does_not_pass_for_empty(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_of(zlib.compress(b"/I Do"), resources=b"/XObject<<>>"))
    with pytest.raises(InputRefused, match="scanned"):
        documents.read(tmp_path / "a.pdf")


def test_a_zip_bomb_is_named_and_not_unpacked(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", "")
    package(path, {"word/document.xml": b" " * (documents.MEMBER + 1)})
    with pytest.raises(InputRefused, match="unpacks to more than"):
        documents.read(path)


@pytest.mark.parametrize(
    "document",
    [
        f'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document {W}>&b;</w:document>',
        f'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document {W}>&x;</w:document>',
        "<w:document",
    ],
)
def test_entities_and_broken_xml_are_refused(tmp_path: Path, document: str) -> None:
    path = package(tmp_path / "a.docx", {"word/document.xml": document})
    with pytest.raises(InputRefused, match="damaged or hostile"):
        documents.read(path)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("a.docx", b"PK\x03\x04 truncated"),
        ("a.zip", b"PK\x05\x06" + bytes(18)),
        ("a.pdf", b"%PDF-1.7\nnothing"),
        ("a.csv", b'a;"b'),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputRefused) as refused:
        documents.read(tmp_path / name)
    assert refused.value.where == str(tmp_path / name)


def test_pipes_do_not_stop_the_search(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputRefused, match="not a regular file"):
        documents.read(tmp_path / "pipe")


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.txt").write_text("x")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out.txt")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    (tmp_path / "in" / "a.txt").write_text("x")
    assert list(documents.files(tmp_path / "in")) == [tmp_path / "in" / "a.txt"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_damaged_documents_are_read_or_refused_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", f"<workbook {S}/>")
        archive.writestr(
            "xl/worksheets/s.xml", f'<worksheet {S}><row><c r="A1" t="s"><v>0</v></c></row></worksheet>'
        )
    made = Paper("T", "", "", Language.FRENCH, "page", Instant(0), ())
    raw = bytearray(data.draw(st.sampled_from([buffer.getvalue(), _pdf(made)])))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x").write_bytes(raw)
    with suppress(InputRefused):
        documents.read(tmp_path / "x")


_MADE: dict[str, bytes] = {}


def _pdf(made: Paper) -> bytes:
    if made.title not in _MADE:
        _MADE[made.title] = paper.pdf(made)
    return _MADE[made.title]
