"""Block an address or a network outside, or lift a block."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import Block, Unblock


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart block``."""
    parser = verbs.add_parser(
        "block",
        help="block an address or network outside, or lift a block",
        description="Operators' addresses, the site's own and lifelines are refused, with the reason. "
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    parser.add_argument("target", help="an address or a network: 203.0.113.7, 203.0.113.0/24, 2001:db8::/48")
    _operator.add_measure(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    if arguments.lift:
        return _operator.give(
            arguments, Unblock(by=arguments.by, reason=arguments.reason, target=arguments.target)
        )
    order = Block(
        by=arguments.by,
        reason=arguments.reason,
        target=arguments.target,
        seconds=arguments.length,
        confirm_within=arguments.confirm_within,
    )
    return _operator.give(arguments, order)
