"""``rempart verify``: whether a journal or an evidence bag is what was sealed, and if not, where."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rempart.adapters import bag
from rempart.adapters.journal import verify_exported, verify_file
from rempart.adapters.journal.exported import ENTRIES
from rempart.adapters.site_file import read_text
from rempart.cli._exhibits import Held, exhibits, held, sealed
from rempart.cli._terminal import harmless
from rempart.cli.export import INCIDENT
from rempart.config import STATE
from rempart.engine import facts
from rempart.errors import ExitCode, InputRefused, JournalBroken
from rempart.evidence.checkpoint import NotACheckpoint, VerifierKey, parse
from rempart.evidence.verify import Fault, Verdict
from rempart.station.account import joined_to

_DESCRIPTION = """\
Checks every entry, body, checkpoint and page of a journal, an exported folder or an evidence bag, and names the first
bad entry. Of a bag it also holds each attached file against the hash that the journal sealed, and names the file that
is another, is missing, or was sealed by nobody. Changes nothing; works while the guard runs. Needs no key of the
station: --checkpoint and --key hold the journal against what had left the box (docs/design/journal.md says what each
proves).

exit codes: 0 verified, 1 not verified, 2 not a journal, or a file cannot be read"""

_SHOWN = 10
"""Faults told on a terminal; --json has them all."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart verify``."""
    parser = verbs.add_parser(
        "verify",
        help="check that a journal or an evidence bag is what was sealed",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path",
        metavar="PATH",
        type=Path,
        nargs="?",
        default=STATE / "guard" / "journal.db",
        help="journal.db, or a folder made by `rempart export` (%(default)s)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a checkpoint that had left the box; may be repeated",
    )
    parser.add_argument(
        "--key",
        metavar="KEY",
        action="append",
        default=[],
        help="the verifier key noted at installation (origin+id+base64); may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="the whole verdict as one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify and tell."""
    trusted = [str(_key(text)) for text in arguments.key]
    witnessed = [_note(file) for file in arguments.checkpoint]
    try:
        verdict, held = _verdict(arguments.path, trusted, witnessed)
    except PermissionError as error:
        now = "Run it as the guard's user or as root, or on a copy."
        raise InputRefused(
            f"it cannot be read: {error.strerror}", where=str(arguments.path), now=now
        ) from error
    if arguments.json:
        json.dump(plain(verdict, held, arguments.path), sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        for line in told(verdict, held, str(arguments.path), anchored=bool(trusted or witnessed)):
            print(line)
    return ExitCode.OK if verdict.ok else ExitCode.FOUND


def plain(verdict: Verdict, held: Held | None, path: Path) -> dict[str, Any]:
    """The verdict as JSON values; ``held`` None: it is no bag."""
    return {
        "path": str(path),
        "verified": verdict.ok,
        "origin": verdict.origin,
        "entries": verdict.entries,
        "root": verdict.root.hex(),
        "checkpoints": verdict.checkpoints,
        "keys": [str(key) for key in verdict.keys],
        "erased": verdict.erased,
        "withheld": verdict.withheld,
        "late": verdict.late,
        "first_bad": verdict.first_bad,
        "files": held and {"sound": held.sound, "erased": held.erased, "missing": list(held.missing)},
        "faults": [
            {"first": fault.first, "last": fault.last, "place": fault.place, "what": fault.what}
            for fault in verdict.faults
        ],
    }


def told(verdict: Verdict, held: Held | None, path: str, *, anchored: bool) -> Iterator[str]:
    """The verdict in words, a line at a time; ``held`` None: it is no bag."""
    yield f"{harmless(path)}: {'verified' if verdict.ok else 'NOT VERIFIED'}"
    for fault in verdict.faults[:_SHOWN]:
        yield f"  {harmless(str(fault), 400)}"
    if len(verdict.faults) > _SHOWN:
        yield f"  … and {len(verdict.faults) - _SHOWN} more; --json has them all"
    yield f"  journal {harmless(verdict.origin) or 'unknown'}: {verdict.entries} entries, {verdict.late} of them late"
    yield f"  bodies: {verdict.erased} erased, {verdict.withheld} withheld; good checkpoints: {verdict.checkpoints}"
    if held:
        missing = len(held.missing)
        yield f"  attached files: {held.sound} as sealed, {held.erased} erased, {missing} not in the bag"
        yield from (f"  not in the bag: {harmless(each, 400)}" for each in held.missing[:_SHOWN])
    yield f"  root {verdict.root.hex()}"
    for key in verdict.keys:
        yield f"  key {harmless(str(key))}"
    if verdict.ok and not anchored:
        yield "  Consistent in itself. Hold it against a checkpoint that left the box: --checkpoint FILE, or --key KEY."


def _verdict(path: Path, trusted: list[str], witnessed: list[str]) -> tuple[Verdict, Held | None]:
    """What the journal is, and, of a bag, what its attached files are."""
    if not path.is_dir():
        return verify_file(path, trusted=trusted, witnessed=witnessed), None
    folder = _journal_in(path)
    verdict = verify_exported(folder, trusted=trusted, witnessed=witnessed)
    if not (path / "bagit.txt").exists():
        return verdict, None
    held = _held(path, folder / ENTRIES)
    return verdict.also([*_broken_bag(path), *held.faults]), held


def _journal_in(path: Path) -> Path:
    """The folder of the exported journal."""
    for folder in (path, path / "journal", path / "data", path / "data" / "journal"):
        if (folder / ENTRIES).is_file():
            return folder
    raise InputRefused(
        f"no {ENTRIES} in this folder", where=str(path), now="Name a folder made by `rempart export`."
    )


def _broken_bag(path: Path) -> list[Fault]:
    """What is wrong with the bag around the journal, as any BagIt tool would say."""
    try:
        bag.check(path)
    except JournalBroken as error:
        return [Fault(error.what, where="the bag")]
    return []


def _held(path: Path, entries: Path) -> Held:
    """The bag's files beside what its journal says of them. What is wrong with a line, the journal's own walk tells."""
    read = sealed(entries)
    incidents = joined_to(bag.about(path).get(INCIDENT, ""), read.values())
    everywhere = {fact.incident for fact in read.values() if isinstance(fact, facts.FileAttached)}
    return held(path / "data", exhibits(read, everywhere), incidents)


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except NotACheckpoint as error:
        now = "It reads origin+id+base64, as `rempart verify` prints it."
        raise InputRefused(str(error), where="--key", now=now) from error


def _note(file: Path) -> str:
    now = "Give the file as it left the box, its signature lines included."
    note = read_text(file, now)
    try:
        parse(note)
    except ValueError as error:
        raise InputRefused(f"not a checkpoint: {error}", where=str(file), now=now) from error
    return note
