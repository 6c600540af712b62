"""Console: serves the pages on loopback. Holds no privilege, reads no file of the guard, may order the cut only."""

import argparse
import ipaddress
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from rempart.adapters.clock import SystemClock
from rempart.config import Places
from rempart.console.access import Access
from rempart.console.app import Console
from rempart.console.feed import Feed
from rempart.errors import InputRefused, PrivilegeMissing, RempartError
from rempart.site import description
from rempart.site.site import Site

_log = logging.getLogger("rempart.console")

PORT = 8440
"""Where the pages are when nobody says otherwise."""


def run(places: Places, site: Site, host: str = "127.0.0.1", port: int = PORT) -> None:
    """Serve the pages until SIGTERM or SIGINT. ``port`` 0 takes any free one; the link's file says which.

    Raises InputRefused for an address that is not loopback, since there are no accounts yet, and PrivilegeMissing
    when the port cannot be had.
    """
    bound = _bound(host, port)
    port = bound.getsockname()[1]
    link = places.run / "console" / "link"
    clock = SystemClock()
    access = Access(publish=lambda token: _publish(link, f"http://{host}:{port}/enter?token={token}"))
    console = Console(site=site, feed=Feed(places.console_socket, clock), access=access, clock=clock)
    names = frozenset({f"{host}:{port}", f"localhost:{port}"})
    _log.info("the pages are at http://%s:%d; the one-time link is in %s", host, port, link)
    config = uvicorn.Config(
        console.app(names),
        access_log=False,  # a request line holds the link's token
        log_config=None,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=1,  # live pages never end by themselves
    )
    server = uvicorn.Server(config)
    for signum in (signal.SIGTERM, signal.SIGINT):
        # uvicorn takes over once it runs and raises the signal again for us when it has stopped; one that comes
        # before must not be lost.
        signal.signal(signum, lambda *_: setattr(server, "should_exit", True))
    server.run(sockets=[bound])
    link.unlink(missing_ok=True)


def _bound(host: str, port: int) -> socket.socket:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback or ":" in host:
        raise InputRefused(
            f"{host} is no IPv4 loopback address",
            where="--host",
            now="There are no accounts yet: use 127.0.0.1, and an ssh tunnel from elsewhere.",
        )
    try:
        return socket.create_server((host, port))
    except OSError as fault:
        raise PrivilegeMissing(
            f"the port cannot be had: {fault.strerror}",
            where=f"{host}:{port}",
            now="Choose another with --port.",
        ) from fault


def _publish(file: Path, link: str) -> None:
    """Write the link where only this user and root read it, whole or not at all; show it on a terminal."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{link}\n")
    fresh.replace(file)
    if sys.stdout.isatty():
        sys.stdout.write(f"Open once: {link}\n")


def main() -> int:
    """``python -m rempart.station.console``."""
    parser = argparse.ArgumentParser(prog="rempart console", description=__doc__)
    parser.add_argument("--site", type=Path, required=True, metavar="FILE", help="site.toml")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="the station's run folder")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0: any free one")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    places = Places(site=arguments.site, state=Path("/nonexistent"), run=arguments.run, rules=())
    try:
        site = description.parse(arguments.site.read_text(encoding="utf-8"), str(arguments.site))
        run(places, site, arguments.host, arguments.port)
    except OSError as fault:
        _log.error("%s: %s", arguments.site, fault.strerror)
        return int(InputRefused.exit_code)
    except RempartError as fault:
        _log.error("%s", fault.diagnostics())
        return int(fault.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
