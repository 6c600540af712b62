"""A ward says, once a shift, whether care goes on there."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import AttestCare


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart attest``."""
    parser = verbs.add_parser(
        "attest",
        help="a ward says whether care goes on",
        description="Once a shift, by whoever is on the ward; `rempart status` shows which wards were not heard. "
        "exit codes: 0 sealed, 4 no station answers, 5 refused.",
    )
    _operator.add_ward(parser)
    _operator.add_reply(parser, "does care go on?")
    parser.add_argument("--note", default="", help="what does not go on")
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    return _operator.give(
        arguments,
        AttestCare(
            by=arguments.by,
            reason=arguments.reason,
            ward=arguments.ward,
            reply=arguments.reply,
            note=arguments.note,
        ),
    )
