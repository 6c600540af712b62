"""The day's summary in plain words: whether there is something to do, what led nowhere, what asked for somebody."""

import argparse
import os

from rempart.cli import _operator
from rempart.console.letter import digested
from rempart.console.when import moment
from rempart.console.words import words
from rempart.errors import ExitCode
from rempart.site.language import Language


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart digest``."""
    parser = verbs.add_parser(
        "digest",
        help="the day so far in plain words; --last for the summary that was sent",
        description="The summary that those with `digest = true` in site.toml receive each morning. "
        "exit codes: 0 nothing to do, 1 an alert waits for somebody, 2 there is no summary yet, 4 no station answers.",
    )
    parser.add_argument("--last", action="store_true", help="the last summary instead of the day so far")
    parser.add_argument(
        "--language",
        type=Language,
        choices=list(Language),
        default=_own(),
        help="fr, nl, de or en (default: that of the terminal, else en)",
    )
    _operator.add_station(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and tell."""
    status = _operator.ask_status(arguments)
    said = words(arguments.language)
    day = status.yesterday if arguments.last else status.day
    if day is None or not day.since:
        print(said.say("digest.none"))
        return ExitCode.USAGE
    print(said.say("message.since", hour=moment(day.since, status.now, said)))
    for sentence in digested(day, said):
        print(sentence)
    return ExitCode.FOUND if day.unanswered else ExitCode.OK


def _own() -> Language:
    """The terminal's language (POSIX: the first of these variables that is set)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if set_to := os.environ.get(name, ""):
            tag = set_to[:2]
            return Language(tag) if tag in set(Language) else Language.ENGLISH
    return Language.ENGLISH
