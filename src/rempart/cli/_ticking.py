"""What the verbs share whose steps people list and tick: the two steps, the reply, and how a list ends."""

import argparse
from collections.abc import Iterable

from rempart.care.reply import Reply
from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.errors import ExitCode


def add_steps(parser: argparse.ArgumentParser, *, listed: str, ticked: str) -> argparse.ArgumentParser:
    """Add ``list`` and ``tick`` with their helps; what is ticked is for the caller to add to the returned one."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    _operator.add_station(steps.add_parser("list", help=listed))
    return steps.add_parser("tick", help=ticked)


def add_reply(tick: argparse.ArgumentParser) -> None:
    """Add what is said of it."""
    _operator.add_reply(tick, "is it done?")


def shown(lines: Iterable[str], replies: Iterable[str]) -> ExitCode:
    """Print the list; `ExitCode.FOUND` while not all of ``replies`` are a yes."""
    for line in lines:
        print(harmless(line, 600))
    return ExitCode.OK if all(reply == Reply.YES for reply in replies) else ExitCode.FOUND
