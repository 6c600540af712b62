"""``rempart detect``: holds Sigma rules against logs that are already there."""

import argparse
import csv
import gc
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rempart.adapters import rules as rule_files
from rempart.adapters.collect import files
from rempart.adapters.collect.files import LogFile
from rempart.cli._search import Found, Row, Search, spread, units
from rempart.cli._terminal import harmless
from rempart.detection.finding import Level
from rempart.detection.rule import RuleSet, load
from rempart.errors import ExitCode, InputRefused, Problem
from rempart.instants import rfc3339

_HELP = """\
Holds Sigma rules against EVTX files, JSON lines (.ndjson, also .zst or .gz) and text logs (haproxy, nginx, sshd,
dnsmasq, ulogd, syslog), and prints one line for each rule that an event matches, then one for each correlation that
is reached. A folder is searched for logs by their names; a file named on the command line is always read.

What cannot be read (a damaged EVTX, a line that is cut off) is named on standard error; everything else is done.
An argument of --rules that holds no rule is taken as a log, so `--rules FOLDER LOG` works without another option
between them.

exit codes: 0 done, 1 something at or above --fail-on was found, 2 no rule or no log could be used,
3 some rules or logs could not be read; the rest was done"""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    verb = verbs.add_parser(
        "detect",
        help="hold Sigma rules against logs",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument(
        "--rules", nargs="+", action="extend", required=True, metavar="DIR", help="folders of rules"
    )
    verb.add_argument("--format", choices=tuple(_FORMATS), default="table", help="default: table")
    verb.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes (default: 1)")
    verb.add_argument(
        "--placeholder",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value of %%NAME%% in rules with |expand; may be given again",
    )
    verb.add_argument(
        "--fail-on",
        choices=[level.name.lower() for level in Level],
        help="exit 1 when something of this level or above is found",
    )
    verb.add_argument("paths", nargs="*", metavar="PATH", help="logs, or folders of logs")
    verb.set_defaults(run=run)


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= 256:
        raise argparse.ArgumentTypeError("from 1 to 256")
    return jobs


def run(arguments: argparse.Namespace) -> int:
    """Search, print, and say what could not be read."""
    troubles = _Troubles()
    folders, paths = _rules_and_logs(arguments.rules, arguments.paths)
    rules = _load(folders, arguments.placeholder, troubles)
    logs = _logs(paths, troubles)
    search = Search(rules)
    gc.freeze()  # rules stay to the end: the collector need not look at a million of their parts again and again
    worst = Level.INFORMATIONAL - 1
    parts = []
    with _FORMATS[arguments.format](sys.stdout) as printer:
        for found in _watched(spread(search, units(logs, troubles.say), arguments.jobs), logs):
            troubles.say_all(found.problems)
            parts += found.parts
            worst = max(worst, _print(printer, found.rows))
        worst = max(worst, _print(printer, search.correlated(parts)))
    if troubles.said:
        return ExitCode.PARTIAL
    failing = arguments.fail_on is not None and worst >= Level[arguments.fail_on.upper()]
    return ExitCode.FOUND if failing else ExitCode.OK


def _rules_and_logs(rules: Sequence[str], paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Trailing arguments of --rules that hold no rule are logs, when no log is named otherwise."""
    folders, logs = list(rules), list(paths)
    if not logs:
        while len(folders) > 1 and not rule_files.holds_rules(folders[-1]):
            logs.insert(0, folders.pop())
    if not logs:
        raise InputRefused(
            "no log is named", now="Name the files or folders to search: rempart detect --rules DIR LOG"
        )
    return folders, logs


def _load(folders: Sequence[str], placeholders: Sequence[str], troubles: "_Troubles") -> RuleSet:
    values: dict[str, list[str]] = {}
    for each in placeholders:
        name, equals, value = each.partition("=")
        if not equals:
            raise InputRefused(f"--placeholder {each}: no '=' in it", now="Write --placeholder NAME=VALUE.")
        values.setdefault(name.strip("%"), []).append(value)
    rules = load(rule_files.read(folders), values)
    troubles.say_all(rules.refused)
    if rules.waiting:
        troubles.note(_waiting(rules.waiting))
    if not rules.rules:
        raise InputRefused("no rule could be loaded", where=", ".join(folders), now="See the messages above.")
    return rules


def _waiting(rules: Sequence[Problem]) -> Problem:
    """All of them in one, since they are no mistake: a site need not have what they are about."""
    asked = sorted({problem.what.removeprefix("waits for the values of ") for problem in rules})
    return Problem(
        f"{len(rules)} rules wait for values of {', '.join(asked)}",
        ", ".join(dict.fromkeys(problem.where for problem in rules[:2])) + (" …" if len(rules) > 2 else ""),
        "They are not asked. Give values with --placeholder NAME=VALUE.",
    )


def _logs(paths: Sequence[str], troubles: "_Troubles") -> list[LogFile]:
    logs: dict[str, LogFile] = {}
    for path in paths:
        for each in files.find(path):
            if isinstance(each, Problem):
                troubles.say(each)
            else:
                logs.setdefault(each.source, each)
    if not logs:
        raise InputRefused(
            "no log was found", where=", ".join(paths), now="Name files, or folders with logs in them."
        )
    return list(logs.values())


class _Troubles:
    """What could not be read, told on standard error as it is met."""

    def __init__(self) -> None:
        self.said = 0

    def say(self, problem: Problem) -> None:
        """Tell it, and remember that not everything was done."""
        self.said += 1
        self.note(problem)

    def say_all(self, problems: Iterable[Problem]) -> None:
        """Tell each."""
        for problem in problems:
            self.say(problem)

    def note(self, problem: Problem) -> None:
        """Tell it without calling the work incomplete."""
        where, what, mend = (harmless(text, 500) for text in (problem.where, problem.what, problem.mend))
        print(f"{where}: {what}\n    {mend}", file=sys.stderr)


def _watched(found: Iterator[Found], logs: Sequence[LogFile]) -> Iterator[Found]:
    """The same, with a bar on standard error while a person is looking."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from found
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[events]:,} events"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=sum(log.size for log in logs), events=0)
        events = 0
        for each in found:
            events += each.events
            bar.update(task, advance=each.read, events=events)
            yield each


# -- formats ------------------------------------------------------------------------------------------------------


class _Printer(Protocol):
    def __call__(self, row: Row) -> None: ...


def _print(printer: _Printer, rows: Iterable[Row]) -> int:
    """Print them; the highest level among them, or one below the lowest."""
    worst = Level.INFORMATIONAL - 1
    for row in rows:
        printer(row)
        worst = max(worst, row.card.level)
    return worst


def _time(row: Row) -> str | None:
    return None if row.time is None else rfc3339(row.time)


@contextmanager
def _jsonl(out: TextIO) -> Iterator[_Printer]:
    def printer(row: Row) -> None:
        # All but ASCII is escaped, so that the lines may be shown on a terminal too.
        print(
            json.dumps(
                {
                    "rule": row.card.id,
                    "title": row.card.title,
                    "level": row.card.level.name.lower(),
                    "time": _time(row),
                    "source": row.source,
                    "record": row.record,
                    "author": row.card.author,
                    "count": row.count,
                    "proofs": [{"field": proof.field, "value": proof.value} for proof in row.proofs],
                }
            ),
            file=out,
        )

    yield printer


_COLUMNS = ("time", "level", "title", "source", "record", "rule", "author", "proofs")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        _time(row) or "",
        row.card.level.name.lower(),
        row.card.title if row.count == 1 else f"{row.card.title} ({row.count})",
        row.source,
        str(row.record),
        row.card.id,
        row.card.author,
        "; ".join(f"{proof.field}={proof.value}" for proof in row.proofs),
    )


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def _csv(out: TextIO) -> Iterator[_Printer]:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_COLUMNS)

    def printer(row: Row) -> None:
        # A spreadsheet runs a cell that begins like a formula (CWE-1236).
        cells = (harmless(cell, 2000) for cell in _cells(row))
        table.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])

    yield printer


@contextmanager
def _table(out: TextIO) -> Iterator[_Printer]:
    """One line a match, as it is found: a table that waits for its widest cell shows nothing for minutes."""
    width = Console(file=out).width if out.isatty() else None

    def printer(row: Row) -> None:
        time, level, title, source, record, rule, author, proofs = (
            harmless(cell, 300) for cell in _cells(row)
        )
        line = f"{time[:19]:19}  {level:13}  {title}  {source}:{record}  [{rule}, {author}]  {proofs}"
        print(line if width is None or len(line) <= width else line[: width - 1] + "…", file=out)

    yield printer


_FORMATS = {"jsonl": _jsonl, "table": _table, "csv": _csv}
