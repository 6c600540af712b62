"""The plan as a picture and as text."""

from xml.etree import ElementTree as ET

from syrupy.assertion import SnapshotAssertion

from rempart.reopening.picture import Box, Column, svg, text
from rempart.site.opening import OpeningState

COLUMNS = (
    Column(
        title="0: the trusted core", boxes=(Box(name="Directory", state=OpeningState.OPEN, told="proven"),)
    ),
    Column(
        title="stage 1",
        here=True,
        boxes=(
            Box(name="eHealth", state=OpeningState.FILTERED, told="on trial until 26/11 22:00"),
            Box(name='<script>"&\u202e', state=OpeningState.CLOSED, told="gates 3 of 7 (full)"),
        ),
    ),
)


def test_as_a_picture(snapshot: SnapshotAssertion) -> None:
    drawn = svg(COLUMNS, "Les Tilleuls: the way back")
    root = ET.fromstring(drawn)
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    assert drawn == snapshot


def test_as_text() -> None:
    assert list(text(COLUMNS))[:4] == [
        "  0: the trusted core",
        "    ● Directory: proven",
        "→ stage 1",
        "    ◐ eHealth: on trial until 26/11 22:00",
    ]


def test_an_empty_plan_is_a_picture_too() -> None:
    ET.fromstring(svg((), "nothing"))
