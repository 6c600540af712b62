"""``rempart units``: the systemd units that this site needs, to be enabled on a box."""

import argparse
from pathlib import Path

from rempart.adapters.site_file import read_site
from rempart.config import SITE
from rempart.errors import ExitCode
from rempart.station.parts import units


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart units``."""
    parser = verbs.add_parser(
        "units",
        help="name the systemd units that this site needs",
        description="One a line: systemctl enable --now $(rempart units). A site with a resolver, probes, people "
        "to tell, a group or shared addresses needs more than others. exit codes: 0 named, 2 the site cannot be used.",
    )
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Name them."""
    print(*units(read_site(arguments.site)), sep="\n")
    return ExitCode.OK
