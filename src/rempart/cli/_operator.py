"""What the verbs that speak to the running station share: its place, who gives the order, and the answer in words."""

import argparse
import getpass
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from rempart.accounts.conversation import NamesAsked, NamesTold, People, PeopleAsked
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import connect
from rempart.care.reply import Reply
from rempart.cli._terminal import harmless
from rempart.config import RUN
from rempart.engine.orders import AnyOrder
from rempart.engine.why import Reason
from rempart.errors import ExitCode, InputRefused, StationUnreachable
from rempart.instants import parse_rfc3339
from rempart.messages import (
    Foreseen,
    OrderDone,
    Ordered,
    OrderRejected,
    SimulationAsked,
    Status,
    StatusAsked,
    ToOperator,
    Why,
    WhyAsked,
)
from rempart.site.belgian_time import belgian, wall_instant
from rempart.site.language import Language

_Answer = TypeVar("_Answer")

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ANSWER_WITHIN = 30.0
"""Seconds the command line waits for the guard."""


def add_station(parser: argparse.ArgumentParser) -> None:
    """Where the running station is."""
    parser.add_argument(
        "--run",
        type=Path,
        default=RUN,
        dest="run_dir",
        metavar="DIR",
        help="the station's run folder (%(default)s)",
    )


def add_person(parser: argparse.ArgumentParser) -> None:
    """Who gives the order, and why: both are sealed."""
    add_station(parser)
    parser.add_argument(
        "--by", default=getpass.getuser(), metavar="NAME", help="who gives the order (%(default)s)"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, in your own words; it is sealed")
    parser.add_argument("--simulate", action="store_true", help="say what it would do, and do nothing")


def add_confirmation(parser: argparse.ArgumentParser) -> None:
    """A dead-man switch: without `rempart confirm` in time, the kernel undoes the change by itself."""
    parser.add_argument(
        "--confirm-within",
        type=duration,
        metavar="TIME",
        help="undone by the kernel itself unless `rempart confirm` is given within 10s to 1h",
    )


def add_opening(parser: argparse.ArgumentParser) -> None:
    """Which opening an order is about."""
    parser.add_argument("opening", help="id of the opening, as in site.toml")


def add_incident(parser: argparse.ArgumentParser) -> None:
    """Which incident an order is about."""
    parser.add_argument("incident", help="id of the incident, as `rempart status` shows it")


def add_ward(parser: argparse.ArgumentParser) -> None:
    """Which ward speaks."""
    parser.add_argument("ward", help="id of the zone, as in site.toml")


def add_reply(parser: argparse.ArgumentParser, question: str) -> None:
    """What somebody answers to the question."""
    parser.add_argument("reply", type=Reply, choices=list(Reply), metavar="yes|no|unknown", help=question)


def add_length(parser: argparse.ArgumentParser, usual: str, asked: str) -> None:
    """How long something lasts, in seconds; ``usual`` when nothing is said, as ``10m``."""
    parser.add_argument(
        "--for", dest="length", type=duration, default=usual, metavar="TIME", help=f"{asked} (%(default)s)"
    )


def add_language(parser: argparse.ArgumentParser) -> None:
    """In which language a paper is written."""
    parser.add_argument(
        "--lang",
        type=Language,
        choices=list(Language),
        default=Language.FRENCH,
        help="its language (%(default)s)",
    )


def give(
    arguments: argparse.Namespace,
    order: AnyOrder,
    shown: Callable[[OrderDone], str] | None = None,
    *,
    content: bytes = b"",
) -> int:
    """Send an order and say what came of it; ``shown`` puts a secret that it made into words.

    ``content`` are the bytes of the file that the order is about.
    """
    if arguments.simulate:
        return _simulate(arguments, order)
    done = _exchange(arguments, Ordered(order=order, content=content), OrderDone)
    if isinstance(done, OrderRejected):
        print(f"refused: {done.what}", file=sys.stderr)
        if done.now:
            print(done.now, file=sys.stderr)
        return ExitCode.REFUSED
    print(_told(done))
    if shown and done.handed:
        print(shown(done))
    return ExitCode.OK


def _simulate(arguments: argparse.Namespace, order: AnyOrder) -> int:
    """Say what an order would do; nothing is done."""
    foreseen = _ask(arguments, SimulationAsked(order=order), Foreseen)
    for line in told_beforehand(foreseen):
        print(harmless(line, 600))
    return ExitCode.REFUSED if foreseen.refused else ExitCode.OK


def told_beforehand(foreseen: Foreseen) -> Iterator[str]:
    """What would happen, door by door."""
    if foreseen.refused:
        yield f"it would be refused: {foreseen.refused}"
        if foreseen.instead:
            yield foreseen.instead
        return
    yield f"it would seal: {', '.join(foreseen.facts) or 'nothing'}"
    for door in foreseen.doors:
        falls = f" until {belgian(door.until)}, then {door.then}" if door.until and door.then else ""
        yield f"  {door.opening}: {door.now} → {door.would}{falls}"
    if foreseen.loosens:
        yield "it lets something through: it would wait for its seal"
    yield "nothing was done"


def ask_people(arguments: argparse.Namespace) -> People:
    """Who has an account, and who is signed in."""
    return _ask(arguments, PeopleAsked(session=""), People)


def ask_names(arguments: argparse.Namespace, incident: str) -> NamesTold | OrderRejected:
    """Who stands behind the masks of an incident."""
    return _exchange(arguments, NamesAsked(session="", incident=incident), NamesTold)


def ask_status(arguments: argparse.Namespace) -> Status:
    """The station's status now."""
    return _ask(arguments, StatusAsked(), Status)


def ask_why(arguments: argparse.Namespace, address: str) -> list[Reason]:
    """What stops packets of an address. Raises InputRefused for what is none."""
    return _ask(arguments, WhyAsked(address=address), Why).reasons


def _ask(arguments: argparse.Namespace, question: msgspec.Struct, wanted: type[_Answer]) -> _Answer:
    """What the station answers to a question. Raises InputRefused when it refuses."""
    answer = _exchange(arguments, question, wanted)
    if isinstance(answer, OrderRejected):
        raise InputRefused(answer.what, now=answer.now)
    return answer


def _exchange(
    arguments: argparse.Namespace, message: msgspec.Struct, wanted: type[_Answer]
) -> _Answer | OrderRejected:
    """Send one message; what came back. Raises StationUnreachable for anything else."""
    with connect(socket_of(arguments), incoming=ToOperator) as client:
        client.send(message)
        answer = client.receive(seconds=_ANSWER_WITHIN)
    if isinstance(answer, wanted | OrderRejected):
        return answer
    raise StationUnreachable(
        f"the station answered {type(answer).__name__} to {type(message).__name__}",
        now="It may be of another version: start it again.",
    )


def socket_of(arguments: argparse.Namespace) -> Path:
    """The operator's socket below the run folder."""
    return Path(arguments.run_dir) / "guard" / "operator.sock"


def duration(text: str) -> int:
    """Seconds in text like ``90s``, ``10m``, ``24h`` or ``3d``."""
    found = re.fullmatch(r"(\d{1,7})([smhd]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: write 90s, 10m, 24h or 3d")
    return int(found[1]) * _UNITS[found[2] or "s"]


def moment(text: str) -> int:
    """An instant in text like ``now``, ``2026-11-26`` (its beginning in Belgium), ``2026-11-26T03:12`` or RFC 3339."""
    if text == "now":
        return SystemClock().now()
    try:
        if len(text) == len("2026-11-26"):
            return wall_instant(date.fromisoformat(text), 0)
        if len(text) == len("2026-11-26T03:12"):
            shown = datetime.fromisoformat(text)
            return wall_instant(shown.date(), shown.hour * 60 + shown.minute)
        return parse_rfc3339(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment: write 2026-11-26 or 2026-11-26T03:12"
        ) from None


def require_name(arguments: argparse.Namespace) -> None:
    """Refuse an order without a name before it is sent."""
    if not str(arguments.by).strip():
        raise InputRefused("an order needs a name", now="Give --by NAME.")


def _told(done: OrderDone) -> str:
    if done.enforced is None and done.sealed is None:
        return "nothing to change: it is so already"
    parts = []
    if done.enforced is not None:
        parts.append(f"done in {(done.enforced - done.received) / 1000:.1f} ms")
    if done.sealed is not None:
        parts.append(f"sealed as entry {done.sealed}")
    else:
        parts.append("to be sealed late: the disk takes long, or refuses")
    return ", ".join(parts)
