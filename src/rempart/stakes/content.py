"""What was read in a file, as far as the search for sensitive data needs it: running text, or a table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Running text, lines ended by ``\\n``."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells as text. The first row may or may not hold headings."""

    rows: tuple[tuple[str, ...], ...]


Content = Text | Table
