"""Which pages the console has, by its own routes, so that none is forgotten; who looks at them; how things are then."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Route

from browser.home import Home, finding, home
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.console.access import Access
from rempart.console.app import Console
from rempart.console.feed import Feed
from rempart.detection.finding import Kind

LINK = "link"
"""Whoever came by the one-time link: no account."""

STRANGER = "stranger"
"""Whoever comes without anything."""

VISITORS = (STRANGER, LINK, *(role.value for role in Role))

NO_PAGES = {
    "/enter": "exchanges the one-time link and leads to the duty page",
    "/events": "a stream for the duty page's script",
    "/static/{path:path}": "files",
    "/incidents/{incident}/files/{sha256}": "an attached file, to be saved",
    "/incidents/{incident}/papers/timeline": "a PDF, to be saved",
    "/incidents/{incident}/papers/complaint": "a PDF, to be saved",
}
"""Routes that answer GET without being a page, and why."""

API = "/api/"
"""Below it nothing is for eyes."""

HOLES: Mapping[str, Callable[[Home], str]] = {
    "incident": lambda station: next((each.id for each in station.guard.status().incidents), "none"),
    "day": lambda _: "20000",
    "bunch": lambda _: "none",
}
"""What stands for a parameter of a route."""


def paths() -> list[str]:
    """The console's pages, as its routes name them."""
    clock = SystemClock()
    console = Console(
        site=home(), feed=Feed(Path("/nonexistent"), clock), access=Access(lambda _: None), clock=clock
    )
    routes = (route for route in console.app(frozenset()).routes if isinstance(route, Route))
    found = [route.path for route in routes if "GET" in (route.methods or ())]
    return [path for path in found if path not in NO_PAGES and not path.startswith(API)]


def address(path: str, station: Home) -> str:
    """The path with its parameters filled. KeyError names one that `HOLES` does not know."""
    return re.sub(r"\{([a-z_]+)(:[a-z]+)?\}", lambda hole: HOLES[hole[1]](station), path)


@dataclass(frozen=True, slots=True)
class State:
    """How things are at the home while its pages are looked at."""

    name: str
    come: Callable[[Home], None]
    sentence: str
    """What the duty page then says, in French."""


def _attacked(station: Home) -> None:
    station.see(finding(Kind.RECORDS, account="anne.dupont"))
    station.see(finding(Kind.GUESSING, actor="198.51.100.66"))


def _contained(station: Home) -> None:
    _attacked(station)
    station.contain()


def _silent(station: Home) -> None:
    _contained(station)
    station.silence()


CALM = State("calm", lambda _: None, "Tout est en ordre")
ATTACKED = State("attacked", _attacked, "inhabituel")
CONTAINED = State("contained", _contained, "Le site est confiné")
SILENT = State("silent", _silent, "Nous ne savons plus")

STATES = (CALM, ATTACKED, CONTAINED, SILENT)
