"""A certificate from an ACME client, put where the proxy reads it: the client's deploy hook."""

import argparse
import grp
import os
from pathlib import Path

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.renewal import destinations, obtained, previous, put
from rempart.adapters.site_file import read_site
from rempart.config import SITE
from rempart.errors import ExitCode, InputRefused
from rempart.instants import as_datetime

_LINEAGE = "RENEWED_LINEAGE"
"""The variable in which certbot tells its hooks the folder."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart deploy``."""
    parser = verbs.add_parser(
        "deploy",
        help="put a certificate from an ACME client where the proxy reads it",
        description="The deploy hook of certbot: checks that certificate, chain, key, names and dates fit, and "
        "replaces the file that site.toml names for that host, whole or not at all; the earlier one is kept beside it. "
        "The running proxy takes it up within seconds, the first one too. Repeating it changes nothing. "
        "exit codes: 0 in place, 2 refused, and the file in use stays.",
    )
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help=f"with fullchain.pem and privkey.pem; not said: what certbot says in {_LINEAGE}",
    )
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check it, put it in each place, and say what is left to do."""
    renewal = obtained(_folder(arguments.folder), SystemClock().now())
    found = list(destinations(read_site(arguments.site), renewal))
    if not found:
        raise InputRefused(
            f"no published service with a certificate is called {', '.join(sorted(renewal.names)) or 'so'}",
            where=str(arguments.site),
            now="Write `tls = { certificate = … }` in the service's publication.",
        )
    for destination in found:
        first = not destination.file.exists()
        changed = put(renewal, destination.file, _readers())
        named = f"{', '.join(sorted(destination.hosts))}: {destination.file}"
        print(f"{named}, until {as_datetime(renewal.expires):%Y-%m-%d}")
        if changed:
            before = "" if first else f" Before it: {previous(destination.file)}"
            print(f"The running proxy takes it up within seconds.{before}")
    return ExitCode.OK


def _folder(named: Path | None) -> Path:
    """The folder that was named, or the one of which certbot speaks."""
    if named is not None:
        return named
    told = os.environ.get(_LINEAGE)
    if not told:
        raise InputRefused(
            "no folder is named", now=f"Name it, or let certbot start this: it sets {_LINEAGE}."
        )
    return Path(told)


def _readers() -> int | None:
    """The group of guard and proxy; None where there is no such group."""
    try:
        return grp.getgrnam("rempart-guard").gr_gid
    except KeyError:
        return None
