"""Staff page: tells anybody in the house what works and whom to call. It has no privilege and no way to the guard."""

import sys

import uvicorn

from rempart.adapters.clock import SystemClock
from rempart.adapters.staff_notice import StaffNotice
from rempart.config import Places
from rempart.console.staff import Staff
from rempart.edge.callers import BACKLOG, Callers
from rempart.errors import InputRefused, PrivilegeMissing
from rempart.site.site import Site
from rempart.site.staff_page import StaffPage
from rempart.station.starting import started

_MOST = 512
"""Connections at once; beyond them the oldest of whoever holds most is ended, so that one machine keeps nobody out."""


async def serve_staff_page(places: Places, site: Site) -> None:
    """Serve until told to end. Raises `InputRefused` when the site has no such page, and `PrivilegeMissing`."""
    if site.staff_page is None:
        raise InputRefused(
            "site.toml has no [staff_page]",
            where=str(places.site),
            now="Write one, or do not start this unit.",
        )
    pages = Staff(site, SystemClock(), StaffNotice(places.staff_notice).read)
    config = uvicorn.Config(
        pages.app(frozenset({site.staff_page.authority})),
        access_log=False,  # who in the house reads it is nobody's affair
        log_config=None,
        server_header=False,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        loop="asyncio",
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(config).serve(sockets=[_callers(site.staff_page)])


def _callers(page: StaffPage) -> Callers:
    try:
        return Callers.at(page.address, page.port, most=_MOST)
    except OSError as fault:
        raise PrivilegeMissing(
            f"the staff page's address cannot be had: {fault.strerror}",
            where=page.authority,
            now="Give [staff_page] in site.toml an address of this station, and a port that nobody uses.",
        ) from fault


def main() -> int:
    """``python -m rempart.station.staff_page``: started by `rempart run` or by systemd, never by hand."""
    return started("staff", __doc__, serve_staff_page)


if __name__ == "__main__":
    sys.exit(main())
