"""Say why packets of an address do not pass: which measure, since when, by whom and until when."""

import argparse
import sys

import msgspec

from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine.why import Cause, Reason
from rempart.errors import ExitCode
from rempart.instants import Instant, as_datetime

_WORDS = {
    Cause.BLOCKED: "blocked as {what}",
    Cause.ISOLATED: "the machine {what} is isolated",
    Cause.CONTAINED: "the site is contained: {what} is closed",
    Cause.CLOSED: "{what} is closed",
    Cause.LIMITED: "{what} is filtered: what begins too fast is refused",
    Cause.VISIT: "{what} stands open for one visit only, and this address is no part of it",
    Cause.BARRED: "{what} is shut",
    Cause.ZONES: "{what}: site.toml does not let one reach the other",
    Cause.UNCLASSIFIED: "no opening of site.toml leads to {what}",
}


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart why``."""
    parser = verbs.add_parser(
        "why",
        help="say what stops packets of an address",
        description="Every measure that concerns the address, with what the kernel has refused because of it (of the "
        "whole measure, not of this address alone). exit codes: 0 told, 2 no address, 4 no station answers.",
    )
    parser.add_argument("address", help="an address inside or outside")
    parser.add_argument("--json", action="store_true", help="the reasons as JSON")
    _operator.add_station(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and tell."""
    reasons = _operator.ask_why(arguments, arguments.address)
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(reasons).decode() + "\n")
        return ExitCode.OK
    for reason in reasons:
        print(harmless(told(reason)))
    if not reasons:
        print("nothing stops it: every opening that leads there is open")
    return ExitCode.OK


def told(reason: Reason) -> str:
    """One line for one reason."""
    parts = [_WORDS[reason.cause].format(what=reason.what)]
    if reason.since is not None:
        parts.append(f"since {_clock(reason.since)}")
    if reason.by:
        parts.append(f"by {reason.by}")
    if reason.until is not None:
        parts.append(f"until {_clock(reason.until)}{' unless confirmed' if reason.waits else ''}")
    elif reason.by:
        parts.append("until lifted")
    if reason.reason:
        parts.append(f"“{reason.reason}”")
    if reason.refused is not None:
        parts.append(f"{reason.refused} packets refused")
    return ", ".join(parts)


def _clock(instant: Instant) -> str:
    return as_datetime(instant).strftime("%d %b %H:%M:%S UTC")
