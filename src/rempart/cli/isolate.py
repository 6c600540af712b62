"""Isolate a machine inside, or release it."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import Isolate, Release


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart isolate``."""
    parser = verbs.add_parser(
        "isolate",
        help="isolate a machine inside, or release it",
        description="Nothing of the machine crosses the gateway any more but what the operators begin to it, as far as "
        "they may reach it otherwise. Machines on its own network segment are "
        "still reachable from it: the gateway does not see those. exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    parser.add_argument("asset", help="id of the machine as in site.toml, or its address")
    _operator.add_measure(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    if arguments.lift:
        return _operator.give(
            arguments, Release(by=arguments.by, reason=arguments.reason, asset=arguments.asset)
        )
    order = Isolate(
        by=arguments.by,
        reason=arguments.reason,
        asset=arguments.asset,
        seconds=arguments.length,
        confirm_within=arguments.confirm_within,
    )
    return _operator.give(arguments, order)
