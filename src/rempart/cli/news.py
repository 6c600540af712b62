"""Tell the public when there will be news: the maintenance pages say so."""

import argparse

from rempart.adapters.clock import SystemClock
from rempart.cli import _operator
from rempart.engine.orders import AnnounceNews
from rempart.instants import after, seconds


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart news``."""
    parser = verbs.add_parser(
        "news",
        help="tell the public when there will be news",
        description="The pages of closed services show it; it is sealed. Announce only what you will keep. "
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument(
        "--in", dest="length", type=_operator.duration, metavar="TIME", help="90m, 4h, 2d from now"
    )
    when.add_argument("--none", action="store_true", help="announce nothing any more")
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    at = None if arguments.none else after(SystemClock().now(), seconds(arguments.length))
    return _operator.give(arguments, AnnounceNews(by=arguments.by, reason=arguments.reason, at=at))
