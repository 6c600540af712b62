"""Let one named person of a supplier in from outside for minutes; the kernel closes the opening again by itself."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import LONGEST_VISIT, OpenVisit, SetOpening
from rempart.errors import InputRefused
from rempart.site.opening import OpeningState


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart maintenance``."""
    parser = verbs.add_parser(
        "maintenance",
        help="let a named person of a supplier in for minutes",
        description="Opens, filtered, an opening that is normally closed. It closes by itself, also when no process "
        "of Rempart lives. `rempart status` shows who is in. "
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    ways = parser.add_subparsers(dest="way", metavar="open|close", required=True)
    opened = ways.add_parser("open", help="let somebody in")
    _operator.add_opening(opened)
    opened.add_argument("--visitor", required=True, metavar="NAME", help="who comes in: one person, by name")
    opened.add_argument(
        "--from",
        required=True,
        dest="source",
        metavar="ADDRESS",
        help="their address; site.toml must know it",
    )
    opened.add_argument(
        "--to",
        action="append",
        default=[],
        dest="hosts",
        metavar="MACHINE",
        help="the only machine inside that they reach, by its id or address, and from their address alone; "
        "may be given several times",
    )
    opened.add_argument(
        "--certificate",
        default="",
        metavar="SHA256",
        help="the only client certificate that lets them in, where the opening is published and asks for one; "
        "as `openssl x509 -noout -fingerprint -sha256` prints it",
    )
    opened.add_argument("--minutes", type=int, required=True, help=f"1 to {LONGEST_VISIT}")
    opened.add_argument(
        "--override",
        action="store_true",
        help="although the site is contained; needs a reason, and is sealed",
    )
    _operator.add_person(opened)
    opened.set_defaults(run=run_open)
    closed = ways.add_parser("close", help="end the visit now, its connections too")
    _operator.add_opening(closed)
    _operator.add_person(closed)
    closed.set_defaults(run=run_close)


def run_open(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    order = OpenVisit(
        by=arguments.by,
        reason=arguments.reason,
        opening=arguments.opening,
        visitor=arguments.visitor,
        minutes=_between(arguments.minutes),
        source=arguments.source,
        hosts=arguments.hosts,
        certificate=arguments.certificate,
        override=arguments.override,
    )
    return _operator.give(arguments, order)


def run_close(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    order = SetOpening(
        by=arguments.by, reason=arguments.reason, opening=arguments.opening, state=OpeningState.CLOSED
    )
    return _operator.give(arguments, order)


def _between(minutes: int) -> int:
    if not 1 <= minutes <= LONGEST_VISIT:
        raise InputRefused(
            f"a visit lasts 1 to {LONGEST_VISIT} minutes, not {minutes}",
            now="Let them in again when it is over.",
        )
    return minutes
