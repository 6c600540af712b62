"""Setting papers in type: typst makes the PDF/A-2b, the same bytes for the same paper on any machine.

System fonts are ignored and the date is the paper's own, so that a paper made again can be compared byte by byte.
"""

from importlib import resources

import msgspec
import typst

from rempart.duties.document import Paper
from rempart.errors import RempartError


def pdf(paper: Paper) -> bytes:
    """The paper as PDF/A-2b. Raises RempartError when typst refuses it."""
    template = resources.files("rempart").joinpath("duties/templates/paper.typ").read_bytes()
    try:
        made = typst.compile(
            template,
            format="pdf",
            ignore_system_fonts=True,
            sys_inputs={"paper": msgspec.json.encode(paper).decode()},
            pdf_standards=["a-2b"],
            timestamp=paper.as_of // 1_000_000,
        )
    except typst.TypstError as error:
        raise RempartError(
            f"the paper could not be set: {error}", where=paper.title, now="Tell Rempart's authors."
        ) from None
    assert isinstance(made, bytes)
    return made
