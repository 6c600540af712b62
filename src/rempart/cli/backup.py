"""``rempart backup``: one file from which a box that died is replaced."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site
from rempart.config import RUN, SITE, STATE, Places
from rempart.edge import whole
from rempart.errors import ExitCode, InputRefused
from rempart.station import backup


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart backup``."""
    parser = verbs.add_parser(
        "backup",
        help="write the box's backup: description, journal, and with --keys what it signs and opens with",
        description="Works while the station runs. Logs and findings are not in it, nor files that site.toml names by "
        "their path. The file is readable by its owner only and not encrypted: with --keys whoever has it can sign as "
        "the station. `--out - | gpg --symmetric --output FILE` encrypts it. "
        "exit codes: 0 written, 1 the journal does not verify, 2 a file cannot be used.",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="a new file; - for standard output")
    parser.add_argument(
        "--keys",
        action="store_true",
        help="with the signing key, accounts, masks and the console's certificate",
    )
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="the state (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write it."""
    site = read_site(arguments.site)
    places = Places(site=arguments.site, state=arguments.state, run=RUN, rules=())
    made = backup.taken(places, site.id, SystemClock().now(), keys=arguments.keys)
    if arguments.out == "-":
        sys.stdout.buffer.write(made)
        return ExitCode.OK
    out = Path(arguments.out)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        whole.settle(out.parent)
    except OSError as fault:
        with contextlib.suppress(OSError):
            if not isinstance(fault, FileExistsError):
                out.unlink()
        raise InputRefused(
            f"cannot be written: {fault.strerror}", where=str(out), now="Give a new file as --out."
        ) from None
    keys = (
        "with its keys: lock it away" if arguments.keys else "without its keys: a box made from it starts cut"
    )
    print(f"{out}: {len(made)} bytes, {keys}")
    return ExitCode.OK
