"""``rempart rules``: looks at rules, tries them on their own samples, installs sets of them and takes them back."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rempart.adapters import compiled, indicators, shipped
from rempart.adapters import rules as rule_files
from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site
from rempart.adapters.store.hidden import HiddenFile, Hiding
from rempart.adapters.supply import RuleFiles, Supply
from rempart.cli import _except, _exceptions
from rempart.cli._samples import Fired, Outcome, Sample, samples, stated, tried
from rempart.cli._terminal import harmless
from rempart.config import STATE, Places
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection
from rempart.detection.exception import Exceptions, Exemption, Severity, Tamed
from rempart.detection.finding import Level
from rempart.detection.indicator import Indicators
from rempart.detection.place import line_of, placed
from rempart.detection.rule import RuleCard, RuleSet
from rempart.detection.surroundings import Surroundings
from rempart.errors import ExitCode, InputRefused, Problem
from rempart.instants import rfc3339

_CHECK = """\
Says of every rule whether it loads, waits for values of the site, or is refused: with file, line and reason. With
--site the site's placeholders are known, and the exceptions.toml beside it is checked as well.

exit codes: 0 every rule loads or waits, 1 something is refused, 2 there is no rule, or a file cannot be read"""

_TEST = """\
Runs attack directories through the rules: DIR/README.md, logs named after their decoder (nginx.log), expected.json
with what must be found, and benign/ with ordinary life in which every rule must stay silent. A site.toml beside them
(or --site) says in which home it happens. Without --rules behaviour and the indicators.json of samples are looked at
too. SigmaHQ's regression_data (info.yml beside EVTX files) is understood too.
Rules of level low or above that no sample shows are named.

exit codes: 0 all is as expected, 1 something is not, 2 rules or samples cannot be used"""

_INSTALL = """\
Takes in a set of rules from a folder, an archive (zip, tar, tar.gz) or an https address, and puts it in force at once
beside Rempart's own; a running station takes it up by itself. The set before it is kept for `rempart rules
rollback`. Nothing is changed when the set cannot be used or its SHA-256 is not the one given.

exit codes: 0 in force, 2 it cannot be used, 6 the disk refused, 7 not permitted"""

_ROLLBACK = """\
Puts the set of rules before the present one in force again.

exit codes: 0 in force, 2 there is none, 6 the disk refused, 7 not permitted"""

_LIST = """\
Says which rules are in force: Rempart's own, the installed set, the one kept for a rollback; with --site also the
site's exceptions, and how often the station hid what because of each.

exit codes: 0 done, 2 something cannot be read"""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its actions."""
    verb = verbs.add_parser("rules", help="check, try, install and take back detection rules")
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = _action(actions, "check", "say which rules load", _CHECK, _check)
    check.add_argument("folders", nargs="+", metavar="DIR", help="folders of Sigma rules")
    check.add_argument("--site", type=Path, metavar="FILE", help="site.toml, for placeholders and exceptions")
    check.add_argument("--format", choices=("table", "jsonl"), default="table", help="default: table")
    test = _action(actions, "test", "try rules on their own samples", _TEST, _test)
    test.add_argument(
        "samples", nargs="+", type=Path, metavar="DIR", help="attack directories, or above them"
    )
    test.add_argument(
        "--rules",
        nargs="+",
        action="extend",
        metavar="DIR",
        help="folders of rules, tried alone (default: Rempart's own, with behaviour and lists)",
    )
    test.add_argument(
        "--site", type=Path, metavar="FILE", help="site.toml (default: the one beside the samples)"
    )
    install = _action(actions, "install", "put a set of rules in force", _INSTALL, _install)
    install.add_argument("source", metavar="DIR|ARCHIVE|URL", help="where the rules are")
    install.add_argument("--sha256", metavar="HEX", help="what the archive's SHA-256 must be")
    rollback = _action(actions, "rollback", "take the previous set again", _ROLLBACK, _rollback)
    listing = _action(actions, "list", "say which rules are in force", _LIST, _list)
    listing.add_argument(
        "--site", type=Path, metavar="FILE", help="site.toml beside which exceptions.toml is"
    )
    exempt = _action(actions, "except", "say that something is normal here", _except.DESCRIPTION, _except.run)
    _except.add_arguments(exempt)
    for each in (install, rollback, listing, exempt):
        each.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="default: %(default)s")


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    told: str,
    description: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    action = actions.add_parser(
        name,
        help=told,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    action.set_defaults(run=run)
    return action


def _say(text: str) -> None:
    print(harmless(text, 500))


# -- check ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """What became of one rule."""

    state: str
    where: str
    level: str
    said: str
    """Its title, or why it cannot be used."""
    mend: str = ""


def _check(arguments: argparse.Namespace) -> int:
    files = dict(rule_files.read(arguments.folders))
    surroundings = Surroundings.of(read_site(arguments.site)) if arguments.site else Surroundings()
    rules = compiled.load(None, files.items(), surroundings.placeholders)
    rows = [
        *_loaded(rules, files),
        *_unused("waits", rules.waiting, files),
        *_unused("refused", rules.refused, files),
    ]
    _FORMATS[arguments.format](rows)
    refused = bool(rules.refused)
    if arguments.site:
        refused |= _check_exceptions(_exceptions.beside(arguments.site), rules)
    return ExitCode.FOUND if refused else ExitCode.OK


def _loaded(rules: RuleSet, files: Mapping[str, str]) -> Iterator[_Row]:
    for card in sorted(_cards(rules), key=lambda card: card.path):
        where = f"{card.path}, line {line_of(card, files[card.path])}"
        yield _Row("loads", where, card.level.name.lower(), card.title)


def _cards(rules: RuleSet) -> list[RuleCard]:
    return [each.card for each in rules.rules] + [each.card for each in rules.correlations]


def _unused(state: str, problems: Sequence[Problem], files: Mapping[str, str]) -> Iterator[_Row]:
    for problem in placed(problems, files):
        yield _Row(state, problem.where, "", problem.what, problem.mend)


def _table(rows: Sequence[_Row]) -> None:
    for row in rows:
        _say(f"{row.state:8} {row.level:14} {row.where}  {row.said}{'  -> ' if row.mend else ''}{row.mend}")
    counts = {state: sum(row.state == state for row in rows) for state in ("loads", "waits", "refused")}
    print(
        f"{counts['loads']} load, {counts['waits']} wait for values of the site, {counts['refused']} refused."
    )


def _jsonl(rows: Sequence[_Row]) -> None:
    for row in rows:
        where, _, line = row.where.rpartition(", line ")
        print(
            json.dumps(
                {
                    "state": row.state,
                    "file": where or row.where,
                    "line": int(line) if where else None,
                    "level": row.level or None,
                    "said": row.said,
                    "mend": row.mend or None,
                }
            )
        )


_FORMATS: Mapping[str, Callable[[Sequence[_Row]], None]] = {"table": _table, "jsonl": _jsonl}


# -- exceptions -------------------------------------------------------------------------------------------------------


def _check_exceptions(exceptions: Exceptions, rules: RuleSet) -> bool:
    """Tell what is wrong with them on standard error; whether anything is."""
    problems = Tamed(exceptions, rules).problems
    for problem in problems:
        print(harmless(str(problem).replace("\n    ", "  -> "), 500), file=sys.stderr)
    for _, line in _entries(exceptions):
        print(harmless(line, 500), file=sys.stderr)
    return bool(problems)


def _entries(exceptions: Exceptions) -> Iterator[tuple[Exemption | Severity, str]]:
    """Each entry and its line."""
    now = SystemClock().now()
    over = exceptions.ended(now)
    entries: tuple[Exemption | Severity, ...] = (*exceptions.exemptions, *exceptions.severities)
    for each in entries:
        rules = ", ".join(each.rules) or "every rule"
        if isinstance(each, Exemption):
            fields = "; ".join(f"{name} = {' or '.join(v.text for v in vs)}" for name, vs in each.fields)
            what = f"hides {rules}{' where ' if fields else ''}{fields}"
        else:
            what = f"tells {rules} as {each.level.name.lower()}"
        until = f" until {each.until}" if each.until else ""
        ended = " HAS ENDED: it is without effect." if each in over else ""
        yield each, f"{each.where}: {what}{until} ({each.reason}; {each.author}).{ended}"


# -- test -------------------------------------------------------------------------------------------------------------


def _test(arguments: argparse.Namespace) -> int:
    found = [sample for folder in arguments.samples for sample in samples(folder)]
    regression = [each for folder in arguments.samples for each in stated(folder)]
    if not found and not regression:
        raise InputRefused(
            "there is no attack directory",
            where=", ".join(map(str, arguments.samples)),
            now="A directory with expected.json or benign/ in it is one; see docs/operating/rules.md.",
        )
    site = arguments.site or (_site_beside(found[0].folder) if found else None)
    surroundings = Surroundings.of(read_site(site)) if site else Surroundings()
    files = dict(rule_files.read(arguments.rules or [str(shipped.rules())]))
    rules = compiled.load(None, files.items(), surroundings.placeholders)
    for problem in placed(rules.refused, files):
        _say(f"refused  {problem.where}  {problem.what}")
    # Rules that are named are tried alone; otherwise all that Rempart itself would see.
    detection = Detection(rules, surroundings) if arguments.rules else _whole(rules, surroundings, found)
    fired = Fired(rules, regression)
    outcomes = [
        *((sample.folder, tried(sample, detection)) for sample in found),
        *((each.folder, fired.held_against(each)) for each in regression),
    ]
    for folder, outcome in outcomes:
        _tell_outcome(folder, outcome)
    told = {rule for _, outcome in outcomes for rule in outcome.told}
    unseen = [card for card in _cards(rules) if card.id not in told and card.level >= Level.LOW]
    for card in unseen:
        _say(f"no sample    {card.path}, line {line_of(card, files[card.path])}  {card.title}")
    print(f"{len(outcomes)} samples; {len(unseen)} rules that no sample shows.")
    differing = any(outcome.differences for _, outcome in outcomes)
    return ExitCode.FOUND if differing or rules.refused else ExitCode.OK


def _whole(rules: RuleSet, surroundings: Surroundings, found: Sequence[Sample]) -> Detection:
    """Rules with behaviour and the indicators of all samples, as the station has them."""
    lists = [str(file) for sample in found if (file := sample.folder / "indicators.json").exists()]
    reading = indicators.read(lists)
    listed = Indicators.of(reading.rows())
    for problem in reading.problems:
        _say(f"left out     {problem.where}  {problem.what}")
    return Detection(rules, surroundings, indicators=listed, behaviour=Behaviour(surroundings))


def _tell_outcome(folder: Path, outcome: Outcome) -> None:
    _say(f"{'differs' if outcome.differences else 'as expected':12} {folder}")
    for difference in outcome.differences:
        _say(f"             {difference}")


def _site_beside(folder: Path) -> Path | None:
    """The site.toml of the sample, or of the folder in which it lies."""
    return next((file for at in (folder, folder.parent) if (file := at / "site.toml").is_file()), None)


# -- supply -----------------------------------------------------------------------------------------------------------


def _supply(arguments: argparse.Namespace) -> Supply:
    return Supply(_places(arguments.state).installed_rules)


def _places(state: Path) -> Places:
    return Places(site=Path(), state=state, run=Path(), rules=())


def _install(arguments: argparse.Namespace) -> int:
    supply = _supply(arguments)
    with supply.staged(arguments.source, sha256=arguments.sha256) as staged:
        files = dict(rule_files.read([str(staged.folder)]))
        rules = compiled.load(None, files.items())
        names = {path: str(Path(path).relative_to(staged.folder)) for path in files}
        for problem in placed(rules.refused, files):
            path, comma, line = problem.where.rpartition(", line ")
            _say(f"refused  {names.get(path, path)}{comma}{line}  {problem.what}")
        if not rules.rules and not rules.waiting:
            raise InputRefused(
                "no rule of it can be used", where=harmless(arguments.source), now="Nothing was changed."
            )
        installed = supply.switch(staged, SystemClock().now())
    _tell_set("in force", installed)
    loaded = len(rules.rules) + len(rules.correlations)
    print(
        f"{loaded} rules load, {len(rules.waiting)} wait for values of the site, {len(rules.refused)} refused."
    )
    if arguments.sha256 is None and not Path(arguments.source).is_dir():
        print("No --sha256 was given: nobody has vouched for this archive but the one who handed it over.")
    return ExitCode.OK


def _rollback(arguments: argparse.Namespace) -> int:
    _tell_set("in force", _supply(arguments).rollback())
    return ExitCode.OK


def _list(arguments: argparse.Namespace) -> int:
    own = rule_files.read([str(shipped.rules())])
    _say(f"{'own':10} {shipped.rules()}  {len(own)} files")
    supply = _supply(arguments)
    for state, found in (("in force", supply.current), ("previous", supply.previous)):
        if found is None:
            _say(f"{state:10} none installed")
        else:
            _tell_set(state, found)
    if arguments.site:
        hidden = _hidden(HiddenFile(_places(arguments.state).hidden))
        for entry, line in _entries(_exceptions.beside(arguments.site)):
            _say(line)
            for each in _told_of(entry, hidden):
                _say(f"{'':10} {each}")
    return ExitCode.OK


def _hidden(file: HiddenFile) -> tuple[Hiding, ...] | None:
    """What the station counted; None, and it is said, when that cannot be known here."""
    try:
        return file.read()
    except (OSError, ValueError) as fault:
        _say(f"how often exceptions hid something cannot be read here: {fault}")
        return None


def _told_of(entry: Exemption | Severity, hidden: Sequence[Hiding] | None) -> Iterator[str]:
    """What one exception hid, the most often hidden first."""
    if isinstance(entry, Severity) or hidden is None:
        return
    own = sorted((each for each in hidden if each.exception == entry.id), key=lambda each: -each.times)
    for each in own[:_HIDDEN]:
        times = "once" if each.times == 1 else f"{each.times} times"
        since, last = (rfc3339(moment)[:16].replace("T", " ") for moment in (each.first, each.last))
        yield f"hid {each.title!r} {times} since {since}Z, last {last}Z"
    if len(own) > _HIDDEN:
        yield f"hid {len(own) - _HIDDEN} other rules"
    if not own:
        yield "hid nothing yet"


_HIDDEN = 5
"""Rules shown of one exception."""


def _tell_set(state: str, found: RuleFiles) -> None:
    since = f" since {rfc3339(found.installed)[:19]}Z" if found.installed else ""
    _say(f"{state:10} {found.source}{since}: {found.kept} files, {found.left_out} left out")
    _say(f"{'':10} sha256 {found.sha256}")
