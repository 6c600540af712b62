"""How a part of the station starts that needs site.toml and the folders, and no more: its options, its log, its end."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from rempart.adapters.site_file import read_site
from rempart.config import Places
from rempart.errors import RempartError
from rempart.site.site import Site
from rempart.station.ending import ended


def started(name: str, what: str | None, serve: Callable[[Places, Site], Coroutine[None, None, None]]) -> int:
    """Serve until that ends, and return the exit code. ``name`` stands in the log, ``what`` in the help."""
    parser = argparse.ArgumentParser(prog=f"rempart {name}", description=what)
    for option in ("--site", "--state", "--run"):
        parser.add_argument(option, type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr)
    places = Places(site=arguments.site, state=arguments.state, run=arguments.run, rules=())
    try:
        asyncio.run(serve(places, read_site(places.site)))
    except RempartError as fault:
        return ended(fault, logging.getLogger(f"rempart.{name}"))
    except KeyboardInterrupt:
        pass
    return os.EX_OK
