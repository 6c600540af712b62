"""Fold a journal again, without touching anything: for audits, drills and doubts."""

import argparse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from rempart.adapters.journal import Journal, verify_file
from rempart.adapters.site_file import read_site
from rempart.cli._terminal import harmless
from rempart.containment.measure import disagreements
from rempart.engine.facts import FACTS, AnyFact, body_of, kind_of, read
from rempart.engine.fold.fitted import fitted
from rempart.engine.fold.fold import fold
from rempart.engine.state import NEVER, State, enforcement, initial
from rempart.errors import ExitCode, JournalBroken
from rempart.instants import Instant, rfc3339
from rempart.site.site import Site
from rempart.station.recall import recall


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart replay``."""
    parser = verbs.add_parser(
        "replay",
        help="fold a journal again and show what was decided, in order",
        description="Reads only. Every fact from the first one leads to what the walls should hold; a station that "
        "starts begins at the last snapshot instead, and must come to the same. "
        "exit codes: 0 folded, 1 the journal does not verify or its snapshot tells otherwise, 2 not a journal or site.",
    )
    parser.add_argument("journal", type=Path, metavar="JOURNAL", help="journal.db, or a copy of it")
    parser.add_argument("--site", type=Path, required=True, help="the site.toml the journal belongs to")
    parser.add_argument("--until", type=int, metavar="ENTRY", help="stop after this entry")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fold and show."""
    site = read_site(arguments.site)
    _verified(arguments.journal)
    console = Console(highlight=False)
    state = initial(site)
    with closing(Journal.read(arguments.journal)) as journal:
        for number, fact in numbered(journal, arguments.until):
            state = fold(state, site, fact)
            _show(console, number, fact, state, as_json=arguments.json)
        differing = _otherwise(journal, site, state) if arguments.until is None else ()
    console.print(Text(f"posture: {state.posture.value}; incidents: {len(state.incidents)}"), style="bold")
    for line in differing:
        console.print(Text(f"the last snapshot tells otherwise: {harmless(line)}"), style="bold red")
    return ExitCode.FOUND if differing else ExitCode.OK


def _otherwise(journal: Journal, site: Site, state: State) -> tuple[str, ...]:
    """What a station that starts from the last snapshot would hold otherwise than all facts together tell."""
    if journal.latest_snapshot() is None:
        return ()
    told, recalled = enforcement(fitted(state, site)), enforcement(recall(journal, site))
    if told == recalled:
        return ()
    return disagreements(told, recalled, NEVER) or ("since when doors are closed, or the next news",)


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
    when = rfc3339(Instant(fact.at))
    console.out(f"{number:>6} {when} {state.posture.value:<10} {kind_of(fact)} {harmless(told)}")
