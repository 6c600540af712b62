import io

import pytest
from pypdf import PdfReader

from rempart.adapters import paper, shipped
from rempart.detection.finding import Level
from rempart.duties import document, words
from rempart.duties.document import Account, Complainant, Paper, Seals
from rempart.duties.timeline import Line
from rempart.incidents.incident import Incident, IncidentState, Sentence
from rempart.instants import parse_rfc3339
from rempart.site.language import Language

HOSTILE = (
    '#panic("typst") #read("/etc/passwd") *b* $x$ ] ) </script> @ref <label> \\ // /* \u202egpj.exe \x1b[2J '
    "\x00 \u200b \u2028 \ue000 中文 😀 =cmd|' /C calc'!A0 " + "A" * 150
)
AT = parse_rfc3339("2026-11-20T15:00:00Z")


def complaint(hostile: str, language: Language = Language.FRENCH) -> Paper:
    """A complaint with the same text wherever text from outside can come."""
    spoken = words.parse(shipped.text("duties/words.toml"), "words.toml")
    incident = Incident(
        id=hostile,
        opened=AT,
        last_seen=AT,
        state=IncidentState.OPEN,
        level=Level.HIGH,
        kinds=frozenset(),
        actors=frozenset({hostile}),
        accounts=frozenset({hostile}),
        assets=frozenset({hostile}),
        findings=1,
    )
    lines = (
        Line(entry=1, at=AT, sentence=Sentence("story.other", {"title": hostile, "actor": hostile})),
        Line(entry=2, at=AT, sentence=Sentence(f"story.{hostile}", {"title": hostile})),
    )
    told = Account(
        incident=incident, lines=lines, seals=Seals(2, "00" * 32), who=Complainant(hostile, hostile)
    )
    return document.complaint(told, spoken, language)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("language", Language)
def test_hostile_text_is_shown_as_text(language: Language) -> None:
    shown = text_of(paper.pdf(complaint(HOSTILE, language)))
    assert '#panic("typst")' in shown
    assert "<U+202E>" in shown
    assert "<U+001B>" in shown
    assert "root:" not in shown


def test_the_same_paper_is_the_same_bytes() -> None:
    assert paper.pdf(complaint("x")) == paper.pdf(complaint("x"))


def test_it_is_an_archive_pdf_dated_by_the_journal() -> None:
    made = paper.pdf(complaint("x"))
    assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in made
    metadata = PdfReader(io.BytesIO(made)).metadata
    assert metadata is not None
    assert metadata.creation_date is not None
    assert f"{metadata.creation_date:%Y-%m-%d %H:%M}" == "2026-11-20 15:00"


@pytest.mark.slow
def test_every_character_that_is_let_through_can_be_drawn() -> None:
    everything = "".join(chr(c) for c in range(0x3000) if not 0xD800 <= c < 0xE000)
    for start in range(0, len(everything), 300):
        paper.pdf(complaint(everything[start : start + 300]))
