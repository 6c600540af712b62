"""The options by which the verbs that make papers find their journal, and the account of an incident in it."""

import argparse
from pathlib import Path

from rempart.adapters.site_file import read_site
from rempart.config import SITE, STATE
from rempart.duties.document import Account
from rempart.station import account

JOURNAL = Path("guard") / "journal.db"
"""The journal below the state folder."""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """The options by which every paper finds its journal."""
    verb.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help="the station's state folder (%(default)s)"
    )
    verb.add_argument(
        "--journal", type=Path, metavar="FILE", help="a journal elsewhere, instead of the one below --state"
    )
    verb.add_argument(
        "--site", type=Path, default=SITE, metavar="FILE", help="the site's description (%(default)s)"
    )


def journal_of(arguments: argparse.Namespace) -> Path:
    """The journal the options name."""
    return Path(arguments.journal or arguments.state / JOURNAL)


def account_of(arguments: argparse.Namespace) -> Account:
    """The account of ``arguments.incident`` in the journal the options name. Raises as `station.account` does."""
    return account.account_of(journal_of(arguments), read_site(arguments.site), arguments.incident)
