"""``rempart paper``: the complaint, the incident's timeline, and what to use instead of what is closed, as PDF."""

import argparse
from pathlib import Path

from rempart.adapters import paper
from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site
from rempart.care import envelope
from rempart.cli import _incident, _operator
from rempart.console import papers
from rempart.console.incident import INCIDENT_PAPERS
from rempart.duties.document import Paper
from rempart.errors import ExitCode, InputRefused, StationUnreachable
from rempart.site.site import Language, Site

_DESCRIPTION = """\
Prepares a paper from the journal; a person completes, signs and files it. What nobody established is said to be
unknown. The same journal always gives the same bytes (PDF/A-2b). ``fallback`` is for the wards: what to use instead
of each opening that is closed now; when no station answers, of each that a cut would close. ``bypass`` and
``replacing`` are for the envelope beside the box: how to take a dead one out of the path, and how to make a new one of
its backup. ``by-hand`` is for it where the station only watches: what to do at the firewall and the switch.

exit codes: 0 written, 1 the journal does not verify, 2 no such incident, or a file cannot be used"""

_FALLBACK = "fallback"
"""The paper for the wards, in all languages of the house."""

_ENVELOPE = {"bypass": envelope.bypass, "replacing": envelope.replacing, "by-hand": envelope.by_hand}
"""The papers for the envelope beside the box, in four languages."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart paper``."""
    parser = verbs.add_parser(
        "paper",
        help="prepare the complaint, the timeline of an incident, or the fallbacks for the wards (PDF)",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=(*INCIDENT_PAPERS, _FALLBACK, *_ENVELOPE), help="which paper")
    parser.add_argument("incident", metavar="INCIDENT", nargs="?", help="its id (default: the latest)")
    _operator.add_language(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the PDF to write")
    _incident.add_arguments(parser)
    _operator.add_station(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the paper."""
    if arguments.kind == _FALLBACK:
        write(arguments.out, fallback(arguments, read_site(arguments.site), arguments.lang))
        print(f"{arguments.out}: what to use instead, for the wards")
        return ExitCode.OK
    if make := _ENVELOPE.get(arguments.kind):
        site = read_site(arguments.site)
        write(arguments.out, make(site, SystemClock().now(), papers.CARE, arguments.lang))
        print(f"{arguments.out}: for the envelope beside the box")
        return ExitCode.OK
    told = _incident.account_of(arguments)
    write(arguments.out, papers.about_incident(arguments.kind, told, arguments.lang))
    print(f"{arguments.out}: {arguments.kind} of {told.incident.id}, {len(told.lines)} journal entries cited")
    return ExitCode.OK


def write(out: Path, written: Paper) -> None:
    """Set the paper in type into that file. Raises InputRefused when it cannot be written."""
    made = paper.pdf(written)
    try:
        out.write_bytes(made)
    except OSError as fault:
        raise InputRefused(
            f"cannot be written: {fault.strerror}", where=str(out), now="Give another --out."
        ) from None


def fallback(arguments: argparse.Namespace, site: Site, language: Language) -> Paper:
    """The paper for the wards, as the station says that the doors stand; else as a cut would leave them."""
    try:
        status = _operator.ask_status(arguments)
    except StationUnreachable:
        status = None
    return papers.fallback(site, status, SystemClock().now(), language)
