"""Fold a journal again, without touching anything: for audits, drills and doubts."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal, verify_file
from rempart.adapters.site_file import read_site
from rempart.cli._terminal import harmless
from rempart.engine.facts import FACTS, AnyFact, body_of, kind_of, read
from rempart.engine.fold.fold import fold
from rempart.engine.state import State, enforcement, initial
from rempart.errors import ExitCode, JournalBroken
from rempart.instants import Instant, rfc3339


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart replay``."""
    parser = verbs.add_parser(
        "replay",
        help="fold a journal again and show what was decided, in order",
        description="Reads only. The enforcement it leads to is built in memory and compared. "
        "exit codes: 0 folded, 1 the journal does not verify, 2 not a journal or site.",
    )
    parser.add_argument("journal", type=Path)
    parser.add_argument("--site", type=Path, required=True, help="the site.toml the journal belongs to")
    parser.add_argument("--until", type=int, metavar="ENTRY", help="stop after this entry")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fold and show."""
    site = read_site(arguments.site)
    _verified(arguments.journal)
    console = Console(highlight=False)
    state, enforcer = initial(site), MemoryEnforcer()
    journal = Journal.read(arguments.journal)
    try:
        for number, fact in numbered(journal, arguments.until):
            state = fold(state, site, fact)
            enforcer.enforce(enforcement(state), fact.at)
            _show(console, number, fact, state, as_json=arguments.json)
    finally:
        journal.close()
    console.print(Text(f"posture: {state.posture.value}; incidents: {len(state.incidents)}"), style="bold")
    return ExitCode.OK


def numbered(journal: Journal, until: int | None) -> Iterator[tuple[int, AnyFact]]:
    """The facts of a journal with their entry numbers."""
    for recorded in journal.entries():
        if until is not None and recorded.number > until:
            return
        if recorded.body is not None and recorded.kind in FACTS:
            yield recorded.number, read(recorded.body)


def _verified(path: Path) -> None:
    verdict = verify_file(path)
    if not verdict.ok:
        raise JournalBroken(
            f"the journal does not verify: {verdict.faults[0]}",
            where=str(path),
            now="Nothing was folded. Keep the file as it is and run `rempart verify` on it.",
        )


def _show(console: Console, number: int, fact: AnyFact, state: State, *, as_json: bool) -> None:
    body = {key: value for key, value in body_of(fact).items() if key not in ("type", "at")}
    if as_json:
        line = {"entry": number, "at": rfc3339(Instant(fact.at)), "kind": kind_of(fact), "body": body}
        console.out(msgspec.json.encode(line).decode())
        return
    told = ", ".join(f"{key}={value}" for key, value in body.items() if value not in (None, "", []))
    console.print(
        Text(f"{number:>6} {rfc3339(Instant(fact.at))} {state.posture.value:<10} {kind_of(fact)} "), end=""
    )
    console.print(Text(harmless(told)))
