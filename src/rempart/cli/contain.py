"""Cut the site off from the outside, or one lifeline more."""

import argparse
from pathlib import Path

from rempart.cli import _group, _operator
from rempart.cli._terminal import harmless
from rempart.engine.orders import CloseLifeline, Contain


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart contain``."""
    parser = verbs.add_parser(
        "contain",
        help="cut the connections to the outside; lifelines stay, filtered",
        description="Close every opening at once, established connections too. Lifelines stay, filtered; what runs "
        "inside goes on. Repeating it changes nothing. exit codes: 0 cut, 3 not every box of the group confirmed, "
        "4 no station answers, 5 refused.",
    )
    parser.add_argument(
        "--lifeline", metavar="OPENING", help="close this lifeline instead; a person's decision only"
    )
    parser.add_argument("--fallback-confirmed", action="store_true", help="its fallback was tried and works")
    parser.add_argument(
        "--group", type=Path, metavar="FILE", help="cut every box of this group; who does not answer is shown"
    )
    _operator.add_confirmation(parser)
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    if arguments.group:
        confirmed = _group.contain(arguments.group, arguments.by, arguments.reason)
        for line in _group.told(confirmed):
            print(harmless(line, 600))
        return _group.exit_code(confirmed)
    if arguments.lifeline:
        close = CloseLifeline(
            by=arguments.by,
            reason=arguments.reason,
            opening=arguments.lifeline,
            fallback_confirmed=arguments.fallback_confirmed,
            confirm_within=arguments.confirm_within,
        )
        return _operator.give(arguments, close)
    order = Contain(by=arguments.by, reason=arguments.reason, confirm_within=arguments.confirm_within)
    return _operator.give(arguments, order)
