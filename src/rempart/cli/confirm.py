"""Confirm what was ordered with --confirm-within: it stays."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import Confirm


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart confirm``."""
    parser = verbs.add_parser(
        "confirm",
        help="keep what was ordered with --confirm-within",
        description="Without it the kernel undoes the change at its time, also when no process of the station runs. "
        "exit codes: 0 kept, 4 no station answers, 5 nothing waits for it.",
    )
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    return _operator.give(arguments, Confirm(by=arguments.by, reason=arguments.reason))
