"""What lies outside the wall: named in site.toml, each with its actions, ticked and sealed."""

import argparse

from rempart.care.reply import Reply
from rempart.cli import _operator, _ticking
from rempart.engine.orders import TickOutside
from rempart.messages import OutsideStatus


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart outside``."""
    parser = verbs.add_parser(
        "outside",
        help="what the cut does not reach: list it, tick what was done there",
        description="Hosted software, Microsoft 365, 4G telephones, vendors' modems: no box cuts them, a person does. "
        "exit codes: 0 done, 1 something is still to do (list), 4 no station answers, 5 refused.",
    )
    tick = _ticking.add_steps(
        parser,
        listed="what is to be done outside, and what was",
        ticked="an action was done, or could not be",
    )
    tick.add_argument("item", help="its name in site.toml")
    _ticking.add_reply(tick)
    tick.add_argument("--action", type=int, default=1, metavar="N", help="which of its actions (%(default)s)")
    tick.add_argument("--proof", default="", help="whom you called, what you saw; a yes needs it")
    _operator.add_person(tick)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do the chosen step."""
    if arguments.step == "list":
        return _list(arguments)
    _operator.require_name(arguments)
    return _operator.give(
        arguments,
        TickOutside(
            by=arguments.by,
            reason=arguments.reason,
            item=arguments.item,
            action=arguments.action,
            reply=arguments.reply,
            proof=arguments.proof,
        ),
    )


def _list(arguments: argparse.Namespace) -> int:
    outside = _operator.ask_status(arguments).care.outside
    return _ticking.shown(map(_line, outside), (each.reply for each in outside))


_MARKS = {Reply.YES: "done", Reply.NO: "could not be done", Reply.UNKNOWN: "to do"}


def _line(each: OutsideStatus) -> str:
    phone = f", {each.phone}" if each.phone else ""
    said = f" ({each.proof}, {each.by})" if each.proof else ""
    return f"{_MARKS[Reply(each.reply)]}: {each.item}, {each.number}: {each.action}{phone}{said}"
