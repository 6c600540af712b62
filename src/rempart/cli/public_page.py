"""Writes the public's pages of closed services as files, for a website that is hosted elsewhere."""

import argparse
from pathlib import Path

from rempart.adapters.site_file import read_site
from rempart.cli import _operator
from rempart.config import SITE
from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement, Stand
from rempart.errors import ExitCode, InputRefused
from rempart.messages import Status
from rempart.site.opening import OpeningState
from rempart.site.site import Site


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart public-page``."""
    parser = verbs.add_parser(
        "public-page",
        help="write the public's page of each closed service, for a website hosted elsewhere",
        description="One HTML file for each published opening, without script, picture or tracking, to be given to "
        "whoever hosts the website (to be served with status 503 and Retry-After). It says how things stand now: "
        "write it again when they change. exit codes: 0 written, 2 the site or the folder cannot be used, "
        "4 no station answers.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.add_argument(
        "--planned", action="store_true", help="ask no station: as if every published service were closed"
    )
    _operator.add_station(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files."""
    site = read_site(arguments.site)
    wanted = _all_closed(site) if arguments.planned else _present(_operator.ask_status(arguments))
    folder: Path = arguments.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for opening, page in PublicFace(site).filled(wanted).items():
            path = folder / f"{opening}.html"
            path.write_text(page, encoding="utf-8")
            print(path)
    except OSError as fault:
        raise InputRefused(
            f"the pages cannot be written: {fault.strerror}", where=str(folder), now="Name another folder."
        ) from fault
    return ExitCode.OK


def _present(status: Status) -> Enforcement:
    return Enforcement(
        stands={opening.id: Stand(state=opening.state) for opening in status.openings},
        closed_since={
            opening.id: opening.since
            for opening in status.openings
            if opening.since and opening.state is OpeningState.CLOSED
        },
        news_at=status.news_at,
    )


def _all_closed(site: Site) -> Enforcement:
    return Enforcement(stands={o.id: Stand(state=OpeningState.CLOSED) for o in site.published()})
