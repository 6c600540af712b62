"""``rempart paper``: the complaint to the police and the incident's timeline, as PDF."""

import argparse
from pathlib import Path

from rempart.adapters import paper, shipped
from rempart.cli import _incident
from rempart.cli._incident import Account
from rempart.duties import document, words
from rempart.duties.document import Paper
from rempart.duties.words import PaperLanguage
from rempart.errors import ExitCode, InputRefused

_DESCRIPTION = """\
Prepares a paper from the journal; a person completes, signs and files it. What nobody established is said to be
unknown. The same journal always gives the same bytes (PDF/A-2b).

exit codes: 0 written, 1 the journal does not verify, 2 no such incident, or a file cannot be used"""

KINDS = ("complaint", "timeline")


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart paper``."""
    parser = verbs.add_parser(
        "paper",
        help="prepare the complaint or the timeline of an incident (PDF)",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("incident", metavar="INCIDENT", nargs="?", help="its id (default: the latest)")
    parser.add_argument("--lang", choices=list(PaperLanguage), default=PaperLanguage.FRENCH)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the PDF to write")
    _incident.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the paper."""
    told = _incident.account_of(arguments)
    made = paper.pdf(of(arguments.kind, told, PaperLanguage(arguments.lang)))
    try:
        arguments.out.write_bytes(made)
    except OSError as fault:
        raise InputRefused(
            f"cannot be written: {fault.strerror}", where=str(arguments.out), now="Give another --out."
        ) from None
    print(f"{arguments.out}: {arguments.kind} of {told.incident.id}, {len(told.lines)} journal entries cited")
    return ExitCode.OK


def of(kind: str, told: Account, language: PaperLanguage) -> Paper:
    """The paper of that kind, before it is set in type."""
    spoken = words.parse(shipped.text("duties/words.toml"), "duties/words.toml")
    if kind == "complaint":
        return document.complaint(told.incident, told.lines, spoken, language, who=told.who, seals=told.seals)
    return document.timeline(told.incident, told.lines, spoken, language, who=told.who)
