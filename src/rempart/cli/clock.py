"""Say that the station's date is right, though its clock leapt."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import ConfirmClock


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart clock``."""
    parser = verbs.add_parser(
        "clock",
        help="say that the date is right though the clock leapt",
        description="When the clock is more than seven days ahead of what the station lived through, nothing is "
        "erased by it until it is set right, or until you look at a calendar and say so here. It is sealed with your "
        "name. exit codes: 0 confirmed, 4 no station answers, 5 the clock is believed already.",
    )
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    return _operator.give(arguments, ConfirmClock(by=arguments.by, reason=arguments.reason))
