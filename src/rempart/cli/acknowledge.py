"""Take an alert, so that nobody else is woken for it."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import Acknowledge


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart acknowledge``."""
    parser = verbs.add_parser(
        "acknowledge",
        help="take an alert: you look at it, the others need not",
        description="The code stands in the message that you received and in `rempart status`. The minutes from the "
        "alert to you are sealed. exit codes: 0 taken, 4 no station answers, 5 no such code, or somebody took it.",
    )
    parser.add_argument("code", metavar="CODE", help="the six letters of the message")
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    return _operator.give(
        arguments, Acknowledge(by=arguments.by, reason=arguments.reason, code=arguments.code)
    )
