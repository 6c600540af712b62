"""A text as squares that cameras read (QR code, ISO/IEC 18004): segno works them out, a template draws."""

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

import segno

QUIET = 4
"""Empty squares around it, without which cameras do not find it (ISO/IEC 18004, 6.3.8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Squares:
    """What to draw, dark on light."""

    size: Annotated[int, "Squares along one side, the quiet border among them."]
    path: Annotated[str, "The dark ones, as the path of an SVG in which one square is one unit."]


def squares(text: str) -> Squares:
    """That text; a seventh of it may be dirty or bent (level M)."""
    rows = tuple(segno.make_qr(text, error="m").matrix_iter(border=QUIET))
    return Squares(size=len(rows), path="".join(_row(y, tuple(row)) for y, row in enumerate(rows)))


def _row(y: int, row: tuple[int, ...]) -> str:
    path, x = "", 0
    for dark, run in groupby(row):
        length = len(tuple(run))
        path += f"M{x} {y}h{length}v1h-{length}z" if dark else ""
        x += length
    return path
