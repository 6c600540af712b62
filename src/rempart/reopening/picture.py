"""A picture of the plan with where we are, as SVG and as text: a column a stage, a box an opening."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from rempart.site.opening import OpeningState

_WIDTH, _HEIGHT, _GAP, _TOP, _LEFT = 190, 64, 14, 58, 20
_LONGEST = 24

_FILL = {
    OpeningState.OPEN: "#d6efdc",
    OpeningState.FILTERED: "#fdf0cf",
    OpeningState.CLOSED: "#f6d9d6",
}
_MARK = {OpeningState.OPEN: "●", OpeningState.FILTERED: "◐", OpeningState.CLOSED: "○"}
"""Told by shape too, for whoever does not tell the colours apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One opening, or one machine of the core (``state`` OPEN: proven, CLOSED: not yet)."""

    name: str
    state: OpeningState
    told: str
    """Where it stands: "on trial until …", "gates 3 of 7", "the laboratory's condition"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One stage."""

    title: str
    boxes: tuple[Box, ...]
    here: bool = False
    """The first stage that is not done: where we are."""


def svg(columns: Sequence[Column], title: str) -> str:
    """The picture as one SVG image: nothing is fetched, no script, every name escaped."""
    width = _LEFT * 2 + max(1, len(columns)) * (_WIDTH + _GAP)
    height = _TOP + max((len(column.boxes) for column in columns), default=0) * (_HEIGHT + _GAP) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *(line for number, column in enumerate(columns) for line in _column(number, column)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def text(columns: Sequence[Column]) -> Iterator[str]:
    """The same as lines."""
    for column in columns:
        yield f"{'→' if column.here else ' '} {column.title}"
        for box in column.boxes:
            yield f"    {_MARK[box.state]} {box.name}: {box.told}"


def _column(number: int, column: Column) -> Iterator[str]:
    x = _LEFT + number * (_WIDTH + _GAP)
    weight = "700" if column.here else "400"
    arrow = "▼ " if column.here else ""
    yield f'<text x="{x}" y="36" font-weight="{weight}">{escape(arrow + _short(column.title))}</text>'
    for row, box in enumerate(column.boxes):
        y = _TOP + row * (_HEIGHT + _GAP)
        stroke = "#1b3a4b" if column.here else "#9aa7ad"
        yield f"<g><title>{escape(f'{box.name}: {box.told}')}</title>"
        yield (
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{_FILL[box.state]}" '
            f'stroke="{stroke}"/>'
        )
        name = f"{_MARK[box.state]} {_short(box.name)}"
        yield f'<text x="{x + 10}" y="{y + 26}" font-weight="600">{escape(name)}</text>'
        yield f'<text x="{x + 10}" y="{y + 47}" font-size="11">{escape(_short(box.told, 30))}</text></g>'


def _short(words: str, longest: int = _LONGEST) -> str:
    return words if len(words) <= longest else words[: longest - 1] + "…"
