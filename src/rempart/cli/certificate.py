"""A certificate for the console's name, under an authority of the station's own: passkeys need one."""

import argparse
import grp
import re
from pathlib import Path

from rempart.adapters import certificate
from rempart.adapters.clock import SystemClock
from rempart.config import STATE
from rempart.errors import ExitCode

_NAME = r"(?=.{4,64}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart certificate``."""
    parser = verbs.add_parser(
        "certificate",
        help="make or renew the certificate of the console's host name",
        description="Makes an authority that is good for this one name and, under it, the station's certificate. Trust "
        "root.pem once on each desk and telephone that opens the console; a renewal keeps it. "
        "exit codes: 0 made, 2 the name or the folder cannot be used.",
    )
    parser.add_argument(
        "name", type=_host, metavar="NAME", help="as browsers will call it: rempart.home.arpa"
    )
    parser.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help="the station's state (%(default)s)"
    )
    parser.set_defaults(run=run)


def _host(text: str) -> str:
    """A host name with a dot in it: passkeys are not made for addresses."""
    if not re.fullmatch(_NAME, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no host name of at most 64 characters: write one like rempart.home.arpa"
        )
    return text


def run(arguments: argparse.Namespace) -> int:
    """Make it, and say what to do with the root."""
    folder = arguments.state / "certificate"
    root = certificate.written(folder, arguments.name, SystemClock().now(), _console())
    print(f"made for {arguments.name}, good for {certificate.LEAF_DAYS} days, in {folder}")
    print(f"Trust this on each desk and telephone that opens the console: {root}")
    print(f"Then: rempart run --console-name {arguments.name} …")
    return ExitCode.OK


def _console() -> int | None:
    """The group of the console's user, which reads the key; None where there is no such user."""
    try:
        return grp.getgrnam("rempart-console").gr_gid
    except KeyError:
        return None
