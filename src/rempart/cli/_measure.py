"""The verbs that put a measure on one target, or lift it: ``bar``, ``block`` and ``isolate``."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from rempart.cli import _operator
from rempart.engine.orders import AnyOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One such verb, and its two orders."""

    verb: str
    help: str
    description: str
    target: str
    """The field of both orders that says on what."""
    target_help: str
    put: Callable[..., AnyOrder]
    lift: Callable[..., AnyOrder]

    def register(self, verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        """Add the verb."""
        parser = verbs.add_parser(
            self.verb,
            help=self.help,
            description=f"{self.description} exit codes: 0 done, 4 no station answers, 5 refused.",
        )
        parser.add_argument(self.target, help=self.target_help)
        parser.add_argument(
            "--for",
            dest="length",
            type=_operator.duration,
            metavar="TIME",
            help="90s, 10m, 24h, 3d, moved to when somebody is there; without: until lifted",
        )
        parser.add_argument("--lift", action="store_true", help="end it instead")
        _operator.add_confirmation(parser)
        _operator.add_person(parser)
        parser.set_defaults(run=self.run)

    def run(self, arguments: argparse.Namespace) -> int:
        """Give the order."""
        _operator.require_name(arguments)
        what = {
            "by": arguments.by,
            "reason": arguments.reason,
            self.target: getattr(arguments, self.target),
        }
        if arguments.lift:
            return _operator.give(arguments, self.lift(**what))
        order = self.put(**what, seconds=arguments.length, confirm_within=arguments.confirm_within)
        return _operator.give(arguments, order)
