"""``rempart export``: an evidence bag that a third party can check without Rempart."""

import argparse
import sys
import tempfile
from pathlib import Path

from rempart.adapters import bag, journal, paper, shipped
from rempart.adapters.attachments import Attachments
from rempart.adapters.journal.exported import ENTRIES
from rempart.cli import _exhibits, _incident
from rempart.cli._terminal import harmless
from rempart.console.incident import INCIDENT_PAPERS
from rempart.console.papers import about_incident
from rempart.duties.document import Account
from rempart.errors import ExitCode, RempartError
from rempart.instants import Instant, rfc3339
from rempart.site.language import Language
from rempart.station.account import joined_to

_DESCRIPTION = """\
Puts the exported journal, the papers in four languages, the files attached to the incident and a note on how to
check them into one BagIt folder. Attached files lie there under their SHA-256; files.json says what each was called,
who attached it when, and which entry of the journal sealed that. One that was erased, is gone or is not what was
sealed is named there and left out.
Every journal entry is there, so that the chain can be checked; of their contents only what concerns the incident,
unless --whole is given.
`bagit.py --validate DIR` checks that every file is whole; `rempart verify DIR` also checks the journal's seals.

exit codes: 0 written, 1 the journal does not verify, 2 no such incident, or DIR exists already"""

INCIDENT = "External-Identifier"
"""What a bag's description calls the incident that it is about (RFC 8493, 2.2.2)."""

TRIES = 5
"""How often a journal that grows while it is exported is read again."""

README = {"LISEZMOI.txt": "duties/templates/bag.fr.txt", "README.txt": "duties/templates/bag.en.txt"}


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart export``."""
    parser = verbs.add_parser(
        "export",
        help="export an incident as an evidence bag",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("incident", metavar="INCIDENT", nargs="?", help="its id (default: the latest)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that does not exist")
    parser.add_argument(
        "--whole", action="store_true", help="with the contents of every entry, other incidents' too"
    )
    _incident.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the bag."""
    with tempfile.TemporaryDirectory(prefix="rempart-export.") as making:
        content = Path(making)
        told = _sealed(arguments, content / "journal")
        _papers(told, content / "papers")
        folder = _incident.journal_of(arguments).with_name("attachments")
        missing = _exhibits.put(_attached(told, content / "journal"), Attachments(folder), content)
        for name, source in README.items():
            (content / name).write_text(shipped.text(source), encoding="utf-8")
        bag.make(content, arguments.out, about=_about(told), dated=as_of(told))
    for line in missing:
        print(harmless(line, 400), file=sys.stderr)
    print(
        f"{arguments.out}: evidence of {harmless(told.incident.id)}, journal of {told.seals.entries} entries"
    )
    return ExitCode.OK


def _sealed(arguments: argparse.Namespace, exported: Path) -> Account:
    """The account, and beside it the exported journal with the same root, so that the papers cite what is there."""
    source = _incident.journal_of(arguments)
    for _ in range(TRIES):
        told = _incident.account_of(arguments)
        bodies = None if arguments.whole else {line.entry for line in told.lines}
        journal.export(source, exported, bodies=bodies)
        verdict = journal.verify_exported(exported)
        if verdict.ok and (verdict.entries, verdict.root.hex()) == (told.seals.entries, told.seals.root):
            return told
    raise RempartError(
        "the journal grew while it was read, each time", where=str(source), now="Try again in a moment."
    )


def _attached(told: Account, exported: Path) -> tuple[_exhibits.Exhibit, ...]:
    """The files attached to the incident, as the exported journal tells: it holds the entries that say so."""
    read = _exhibits.sealed(exported / ENTRIES)
    return _exhibits.exhibits(read, joined_to(told.incident.id, read.values()))


def _papers(told: Account, folder: Path) -> None:
    folder.mkdir()
    for language in Language:
        for kind in INCIDENT_PAPERS:
            made = paper.pdf(about_incident(kind, told, language))
            (folder / f"{kind}.{language.value}.pdf").write_bytes(made)


def as_of(told: Account) -> Instant:
    """The moment of the last entry cited: the date of the bag."""
    return max((line.at for line in told.lines), default=told.incident.last_seen)


def _about(told: Account) -> dict[str, str]:
    return {
        "Source-Organization": told.who.name,
        INCIDENT: told.incident.id,
        "External-Description": f"Evidence of incident {told.incident.id}, as of {rfc3339(as_of(told))}",
        "Rempart-Journal-Entries": str(told.seals.entries),
        "Rempart-Journal-Root": told.seals.root,
    }
