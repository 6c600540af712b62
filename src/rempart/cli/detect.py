"""``rempart detect``: holds Sigma rules against logs that are already there."""

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rempart.adapters import compiled, licence
from rempart.adapters import indicators as indicator_files
from rempart.adapters import rules as rule_files
from rempart.adapters.collect import files
from rempart.adapters.collect.files import LogFile
from rempart.adapters.compiled import KeptFiles
from rempart.adapters.site_file import read_site
from rempart.cli import _exceptions, _in_force, _report, _summary
from rempart.cli._formats import FORMATS, Form, nothing
from rempart.cli._search import Found, Row, Search, spread, units
from rempart.cli._terminal import harmless
from rempart.config import RUN, SITE, STATE, Places
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.exception import Exceptions, Tamed
from rempart.detection.finding import Level
from rempart.detection.indicator import Indicators
from rempart.detection.place import placed
from rempart.detection.report import Report
from rempart.detection.rule import RuleCard, RuleSet
from rempart.detection.surroundings import Surroundings
from rempart.detection.tally import Tally
from rempart.errors import ExitCode, InputRefused, Problem
from rempart.events.decode import DECODERS

_HELP = f"""\
Holds Sigma rules against EVTX files, JSON lines (.ndjson, also .zst or .gz) and text logs ({len(DECODERS)} kinds:
docs/logs.md), and prints one line for each rule that an event matches, then one for each correlation that is
reached; rules that only serve a correlation are silent unless its 'generate' is true. A folder is searched for
logs by their names; a file named on the command line is always read.

What cannot be read (a damaged EVTX, a line that is cut off) is named on standard error; everything else is done.
An argument of --rules that holds no rule is taken as a log, so `--rules FOLDER LOG` works without another option
between them. On a terminal a summary by rule and ATT&CK tactic comes last. A report is one HTML file that opens
without a network.

exit codes: 0 done, 1 something at or above --fail-on was found, 2 no rule or no log could be used,
3 some rules or logs could not be read; the rest was done, and nothing at or above --fail-on found"""

_PROBLEMS = 200
"""Problems that a report names; it says how many there were."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    verb = verbs.add_parser(
        "detect",
        help="hold Sigma rules against logs",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_what_is_looked_for(verb)
    _add_what_is_told(verb)
    verb.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes (default: 1)")
    verb.add_argument("paths", nargs="*", metavar="PATH", help="logs, or folders of logs")
    verb.set_defaults(run=run)


def _add_what_is_looked_for(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--rules",
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help="folders of rules (default: Rempart's own, and those installed on this box)",
    )
    verb.add_argument(
        "--placeholder",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value of %%NAME%% in rules with |expand; may be given again",
    )
    verb.add_argument(
        "--indicators",
        action="append",
        default=[],
        metavar="LIST",
        help="bad addresses, domains, URLs and hashes (plain list, MISP, STIX), or a folder; may be given again",
    )
    verb.add_argument(
        "--behaviour",
        action="store_true",
        help="also what is unusual without a rule: beacons, volumes, scans, firsts; needs the logs in order, one job",
    )
    verb.add_argument(
        "--site",
        type=Path,
        metavar="FILE",
        help="site.toml: what is inside, known devices, care files; exceptions.toml beside it is obeyed",
    )


def _add_what_is_told(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--format",
        choices=(*FORMATS, "html"),
        default="table",
        help="table (the default), csv or jsonl: a line for each finding, at once; html: the report, at the end",
    )
    verb.add_argument("--report", metavar="FILE.html", help="write the report too, whatever the format")
    verb.add_argument(
        "--with-event",
        action="store_true",
        help="jsonl: all fields of the event; they may hold personal data",
    )
    verb.add_argument(
        "--with-parts",
        action="store_true",
        help="also what rules find that only serve a correlation (without: where its 'generate' says so)",
    )
    verb.add_argument(
        "--summary",
        action=argparse.BooleanOptionalAction,
        help="by rule and ATT&CK tactic, on standard error (without: on a terminal only)",
    )
    verb.add_argument(
        "--fail-on",
        choices=[level.name.lower() for level in Level],
        metavar="LEVEL",
        help="exit 1 when something of this level (informational, low, medium, high, critical) or above is found",
    )


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= 256:
        raise argparse.ArgumentTypeError("from 1 to 256")
    return jobs


def run(arguments: argparse.Namespace) -> int:
    """Search, print, and say what could not be read."""
    if arguments.behaviour and arguments.jobs > 1:
        raise InputRefused(
            "--behaviour needs all events in one process", now="Leave --jobs or --behaviour out."
        )
    troubles = _Troubles()
    folders, paths = _rules_and_logs(arguments.rules, arguments.paths)
    folders = folders or _in_force.folders(Places(site=SITE, state=STATE, run=RUN, rules=()))
    surroundings, exceptions = _site(arguments.site)
    kept = _kept()
    rules = _licensed(_load(folders, _placeholders(arguments.placeholder, surroundings), kept, troubles))
    logs = _logs(paths, troubles)
    tamed = Tamed(exceptions, rules)
    for problem in tamed.problems:
        troubles.note(problem)
    search = Search(
        rules,
        surroundings,
        tamed,
        kept,
        indicators=_indicators(arguments.indicators, troubles),
        behaviour=Behaviour(surroundings) if arguments.behaviour else None,
        with_event=arguments.with_event,
        with_parts=arguments.with_parts,
    )
    if kept:
        search.warm()
    gc.freeze()  # rules stay to the end: the collector need not look at a million of their parts again and again
    tally = Tally()
    form = FORMATS.get(arguments.format, nothing)()
    parts, events, hidden = [], 0, 0
    for found in _watched(spread(search, units(logs, troubles.say), arguments.jobs), logs):
        troubles.say_all(found.problems)
        parts += found.parts
        events += found.events
        hidden += found.hidden
        _show(found.rows, form, tally)
    _show(search.correlated(parts), form, tally)
    page = Report.of(tally, events=events, logs=len(logs), problems=troubles.first, unread=troubles.said)
    _conclude(arguments, page)
    if hidden:
        print(f"{_summary.many(hidden, 'finding')} hidden by exceptions of the site", file=sys.stderr)
    if arguments.summary or (arguments.summary is None and sys.stderr.isatty()):
        print("\n".join(_summary.lines(tally, events)), file=sys.stderr)
    return _answer(arguments.fail_on, tally.worst, troubles.said)


def _site(file: Path | None) -> tuple[Surroundings | None, Exceptions]:
    if file is None:
        return None, Exceptions()
    return Surroundings.of(read_site(file)), _exceptions.beside(file)


def _indicators(lists: Sequence[str], troubles: "_Troubles") -> Indicators | None:
    if not lists:
        return None
    reading = indicator_files.read(lists)
    held = Indicators.of(reading.rows())
    troubles.say_all(reading.problems)
    if held.refused:
        what = f"{_summary.many(held.refused, 'indicator')} left out"
        troubles.note(
            Problem(what, ", ".join(lists), "They name nothing, or so much that everybody would be meant.")
        )
    return held


def _kept() -> KeptFiles | None:
    """Where compiled rules stay for the next time: the folder that the desktop's conventions (XDG) give for it."""
    home = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("HOME", "") and f"{os.environ['HOME']}/.cache")
    return KeptFiles(Path(home, "rempart", "compiled")) if home else None


def _show(rows: Iterable[Row], form: Form, tally: Tally) -> None:
    """Print them at once, and count them. The stream is looked up now: while a bar is shown, lines go above it."""
    lines = []
    for row in rows:
        lines.append(form(row))
        tally.add(row.card, row.finding, row.time)
    sys.stdout.write("".join(lines))


def _conclude(arguments: argparse.Namespace, page: Report) -> None:
    if arguments.format == "html":
        print(_report.html(page))
    if arguments.report:
        _report.write(page, arguments.report)


def _answer(asked: str | None, worst: Level | None, unread: int) -> ExitCode:
    """What was found goes before what could not be read: one broken line must not hide it from a script."""
    if asked is not None and worst is not None and worst >= Level[asked.upper()]:
        return ExitCode.FOUND
    return ExitCode.PARTIAL if unread else ExitCode.OK


def _rules_and_logs(rules: Sequence[str], paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Trailing arguments of --rules that hold no rule are logs, when no log is named otherwise."""
    folders, logs = list(rules), list(paths)
    if not logs:
        while len(folders) > 1 and not rule_files.holds_rules(folders[-1]):
            logs.insert(0, folders.pop())
    if not logs:
        raise InputRefused(
            "no log is named", now="Name the files or folders to search: rempart detect /var/log"
        )
    return folders, logs


def _placeholders(given: Sequence[str], surroundings: Surroundings | None) -> Mapping[str, Sequence[str]]:
    """Those of the site, then those given on the command line."""
    values = {name: list(known) for name, known in surroundings.placeholders.items()} if surroundings else {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise InputRefused(f"--placeholder {each}: no '=' in it", now="Write --placeholder NAME=VALUE.")
        values.setdefault(name.strip("%"), []).append(value)
    return values


def _load(
    folders: Sequence[str],
    placeholders: Mapping[str, Sequence[str]],
    kept: KeptFiles | None,
    troubles: "_Troubles",
) -> RuleSet:
    texts = dict(rule_files.read(folders))
    rules = compiled.load(kept, texts.items(), placeholders)
    troubles.say_all(placed(rules.refused, texts))
    if rules.waiting:
        troubles.note(_waiting(rules.waiting))
    if not rules.rules:
        raise InputRefused("no rule could be loaded", where=", ".join(folders), now="See the messages above.")
    return rules


def _licensed(rules: RuleSet) -> RuleSet:
    """The same; a rule that names no licence has that of the collection it lies in, as SigmaHQ's have."""
    return replace(
        rules,
        rules=tuple(replace(each, card=_with_licence(each.card)) for each in rules.rules),
        correlations=tuple(replace(each, card=_with_licence(each.card)) for each in rules.correlations),
    )


def _with_licence(card: RuleCard) -> RuleCard:
    return card if card.license else replace(card, license=licence.of(card.path))


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
        self.first: list[Problem] = []

    def say(self, problem: Problem) -> None:
        """Tell it, and remember that not everything was done."""
        self.said += 1
        if len(self.first) < _PROBLEMS:
            self.first.append(problem)
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
    bar = Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # lines go above the bar; those for a file are no business of its
    )
    with bar:
        task = bar.add_task("reading", total=sum(log.size for log in logs), events=0)
        events = 0
        for each in found:
            events += each.events
            bar.update(task, advance=each.read, events=events)
            yield each
