"""What is done by hand where the station stands beside the path: listed, ticked by name, sealed."""

import argparse
from collections.abc import Iterator

from rempart.care.reply import Reply
from rempart.cli import _operator, _ticking
from rempart.containment.by_hand import Deed, told
from rempart.containment.policy import Action
from rempart.engine.handwork import Checked
from rempart.engine.orders import TickByHand
from rempart.instants import Instant
from rempart.messages import HandStepStatus, HandworkStatus
from rempart.site.belgian_time import on_the_wall

_DEEDS = (Action.CONTAIN, Action.BLOCK, Action.ISOLATE)


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart by-hand``."""
    parser = verbs.add_parser(
        "by-hand",
        help="beside another gateway: list what is done there by hand, tick what was done",
        description="An observer stops nothing: a person does it at the firewall or the switch, and says so here. "
        "It is sealed as that person's word; a probe through a door outside may confirm or contradict a cut. "
        "exit codes: 0 done, 1 a step of the cut is not done (list), 4 no station answers, 5 refused.",
    )
    tick = _ticking.add_steps(
        parser,
        listed="the steps of the cut, and what was done by hand",
        ticked="a step was done by hand, or is not (any more)",
    )
    tick.add_argument(
        "action", type=Action, choices=_DEEDS, metavar="contain|block|isolate", help="what is done"
    )
    _ticking.add_reply(tick)
    tick.add_argument("--target", default="", help="block: the address; isolate: the machine")
    tick.add_argument("--number", type=int, default=1, metavar="N", help="which of its steps (%(default)s)")
    tick.add_argument("--note", default="", help="what you did or saw")
    tick.add_argument(
        "--on",
        type=_operator.moment,
        metavar="TIME",
        help="when it was done, if it was earlier: 2026-11-26T03:12",
    )
    _operator.add_person(tick)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do the chosen step."""
    if arguments.step == "list":
        return _list(arguments)
    _operator.require_name(arguments)
    return _operator.give(
        arguments,
        TickByHand(
            by=arguments.by,
            reason=arguments.reason,
            action=arguments.action,
            target=arguments.target,
            step=arguments.number,
            reply=arguments.reply,
            note=arguments.note,
            on=arguments.on,
        ),
    )


def _list(arguments: argparse.Namespace) -> int:
    work = _operator.ask_status(arguments).by_hand
    if not work.steps:
        print("nothing is done by hand: this station stands in the path")
    cut = (step.reply for step in work.steps if step.action == Action.CONTAIN)
    return _ticking.shown((line(step, work) for step in work.steps), cut)


def said(work: HandworkStatus) -> Iterator[str]:
    """The steps of which anything was said, and those of a cut that was begun: nothing while nobody did anything."""
    begun = any(step.action == Action.CONTAIN and step.at for step in work.steps)
    for step in work.steps:
        if step.at or (begun and step.action == Action.CONTAIN):
            yield line(step, work)


def line(step: HandStepStatus, work: HandworkStatus) -> str:
    """One step: when it was done by hand and whether anything checked it, or that it is to be done."""
    target = f" {step.target}" if step.target else ""
    what = f"{step.action}{target}, {step.number or 'no longer in the plan'}: {_worded(step)}"
    whose = f" ({', '.join(filter(None, (step.note, step.by)))})" if step.by else ""
    at = _when(step.at, step.on) if step.at else ""
    match step.reply:
        case Reply.YES:
            return f"by hand, at {at}, {_checked(step, work)}: {what}{whose}"
        case Reply.NO:
            return f"NOT done by hand, at {at}: {what}{whose}"
        case _:
            return f"to do by hand: {what}{whose}"


def _when(said: Instant, done: Instant | None) -> str:
    """When it was done; when that was said too, where these are two moments."""
    at, then = (f"{on_the_wall(moment):%d/%m %H:%M}" for moment in (said, said if done is None else done))
    if then == at:
        return at[6:]
    return f"{then[6:] if then[:5] == at[:5] else then} (said at {at[6:]})"


def _worded(step: HandStepStatus) -> str:
    return told(Deed(Action(step.action), step.target), step.step).text


def _checked(step: HandStepStatus, work: HandworkStatus) -> str:
    if step.action == Action.CONTAIN and work.cut is Checked.CONTRADICTED:
        return f"BUT A PROBE STILL GETS AN ANSWER ({', '.join(work.probes)})"
    if step.action == Action.CONTAIN and work.cut is Checked.CONFIRMED:
        return f"a probe gets no answer any more ({', '.join(work.probes)})"
    return "not checked by Rempart"
