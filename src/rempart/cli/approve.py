"""Agree to a measure that the policy proposes for an incident."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import ApproveMeasure


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart approve``."""
    parser = verbs.add_parser(
        "approve",
        help="agree to a measure that the station proposes",
        description="`rempart status` lists what waits. exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    parser.add_argument("proposal", help="id of the proposal")
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    order = ApproveMeasure(by=arguments.by, reason=arguments.reason, proposal=arguments.proposal)
    return _operator.give(arguments, order)
