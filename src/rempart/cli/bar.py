"""Shut one passage, from a zone into another or one way of an opening, or open it again."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import Bar, Unbar


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart bar``."""
    parser = verbs.add_parser(
        "bar",
        help="shut one zone off from another, or one way of an opening",
        description="wards>servers shuts what wards begin to servers; telephone:in what begins outside through that "
        "opening. Established connections are cut, all else stays. "
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    parser.add_argument("passage", help="ZONE>ZONE, OPENING:in or OPENING:out, in quotes")
    _operator.add_measure(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    if arguments.lift:
        return _operator.give(
            arguments, Unbar(by=arguments.by, reason=arguments.reason, passage=arguments.passage)
        )
    order = Bar(
        by=arguments.by,
        reason=arguments.reason,
        passage=arguments.passage,
        seconds=arguments.length,
        confirm_within=arguments.confirm_within,
    )
    return _operator.give(arguments, order)
