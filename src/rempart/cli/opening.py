"""Close or filter one opening by itself, or put it back as it normally is."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import SetOpening
from rempart.site.opening import OpeningState


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart opening``."""
    parser = verbs.add_parser(
        "opening",
        help="close, filter or open one opening by itself (the GP portal alone)",
        description="While the site is contained, opening goes through `rempart reopen`. "
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    _operator.add_opening(parser)
    parser.add_argument(
        "state",
        type=OpeningState,
        choices=list(OpeningState),
        metavar="open|filtered|closed",
        help="how it is to be",
    )
    parser.add_argument(
        "--in-peace",
        action="store_true",
        help="close for maintenance, not for an attack: requests under way may end within a minute",
    )
    _operator.add_confirmation(parser)
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    order = SetOpening(
        by=arguments.by,
        reason=arguments.reason,
        opening=arguments.opening,
        state=arguments.state,
        in_peace=arguments.in_peace,
        confirm_within=arguments.confirm_within,
    )
    return _operator.give(arguments, order)
