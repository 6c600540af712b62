"""The report of a search as one HTML file: it opens offline and asks nothing of anybody."""

import base64
import hashlib
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rempart.cli._summary import many
from rempart.detection.report import Report
from rempart.edge import whole
from rempart.errors import InputRefused

_FONT = "console/static/fonts/atkinson-hyperlegible-next.woff2"


def html(page: Report) -> str:
    """The whole file. Every text in it is escaped; its style is the only thing that a browser is allowed to use."""
    pages = Environment(
        loader=PackageLoader("rempart.cli"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["many"] = many
    style = pages.get_template("report.css").render(font=_font())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return pages.get_template("report.html").render(
        page=page,
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'",
    )


def _font() -> str:
    """The pages' typeface; empty where it was not put: the reader's own is used."""
    font = resources.files("rempart").joinpath(_FONT)
    return base64.b64encode(font.read_bytes()).decode() if font.is_file() else ""


def write(page: Report, path: str) -> None:
    """Put it where it was asked for: whole, or not at all. Raises `InputRefused` when nothing can be written there."""
    target = Path(path)
    try:
        whole.put(target, html(page).encode())
    except OSError as fault:
        raise InputRefused(
            f"the report cannot be written: {fault.strerror}",
            where=path,
            now="Name a file in a folder that is there and that you may write to.",
        ) from fault
