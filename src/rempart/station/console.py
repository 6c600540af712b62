"""Console: serves the pages. Holds no privilege, reads no file of the guard, orders what people signed in prove."""

import argparse
import ipaddress
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site
from rempart.adapters.staff_notice import StaffNotice
from rempart.config import Places
from rempart.console.access import Access
from rempart.console.app import Console
from rempart.console.feed import Feed
from rempart.console.inquirer import Inquirer
from rempart.edge import whole
from rempart.edge.callers import BACKLOG, Callers
from rempart.errors import InputRefused, PrivilegeMissing, RempartError
from rempart.site.site import Site
from rempart.station.ending import ended

_log = logging.getLogger("rempart.console")

_HTTPS = 443
_MOST = 768
"""Connections at once: two hundred people who look on, with room in the 1,024 files that a process may have open."""
PORT = 8440
"""Where the pages are when nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The host name of the pages, and the folder of the certificate for it (`rempart certificate`)."""

    name: str
    folder: Path


def run(
    places: Places, site: Site, host: str = "127.0.0.1", port: int = PORT, tls: Tls | None = None
) -> None:
    """Serve the pages until SIGTERM or SIGINT. ``port`` 0 takes any free one; the link's file says which.

    Raises InputRefused for an address that is not loopback without TLS, and PrivilegeMissing when the port cannot
    be had.
    """
    bound = _bound(host, port, tls)
    port = bound.getsockname()[1]
    link = places.run / "console" / "link"
    base = f"https://{tls.name}:{port}" if tls else f"http://{host}:{port}"
    with _waiting(signal.SIGTERM, signal.SIGINT):  # one that comes between would leave the link behind
        access = Access(publish=lambda token: _publish(link, f"{base}/enter?token={token}"))
        _log.info("the pages are at %s; the one-time link is in %s", base, link)
        server = _server(places, site, access, _names(host, port, tls), tls)
        for signum in (signal.SIGTERM, signal.SIGINT):
            # uvicorn takes over once it runs and raises the signal again for us when it has stopped; one that comes
            # before must not be lost.
            signal.signal(signum, lambda *_: setattr(server, "should_exit", True))
    server.run(sockets=[Callers(bound, most=_MOST)])
    link.unlink(missing_ok=True)


def _server(
    places: Places, site: Site, access: Access, names: frozenset[str], tls: Tls | None
) -> uvicorn.Server:
    clock = SystemClock()
    console = Console(
        site=site,
        feed=Feed(places.console_socket, clock),
        access=access,
        clock=clock,
        tls=tls is not None,
        inquirer=Inquirer(places.inquiry_socket),
        certificate=tls.folder / "station.pem" if tls else None,
        leave=StaffNotice(places.staff_notice).leave if site.staff_page else None,
    )
    config = uvicorn.Config(
        console.app(names),
        ssl_certfile=tls.folder / "station.pem" if tls else None,
        ssl_keyfile=tls.folder / "station.key" if tls else None,
        access_log=False,  # a request line holds the link's token
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody stands before it; whoever says so would choose the address that is sealed
        ws="none",
        loop="asyncio",
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,  # live pages never end by themselves
    )
    if tls:
        _strictly(config, tls)
    return uvicorn.Server(config)


@contextmanager
def _waiting(*signals: signal.Signals) -> Iterator[None]:
    """These signals are delivered when the block ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _names(host: str, port: int, tls: Tls | None) -> frozenset[str]:
    """The names that are answered to. With TLS one only: cookies and passkeys are of that name."""
    if tls is None:
        return frozenset({f"{host}:{port}", f"localhost:{port}"})
    return frozenset({f"{tls.name}:{port}", *([tls.name] if port == _HTTPS else [])})


def _strictly(config: uvicorn.Config, tls: Tls) -> None:
    """Load the certificate now, and speak TLS 1.3 only: every browser that makes passkeys does."""
    try:
        config.load()
    except (OSError, ssl.SSLError) as fault:
        raise InputRefused(
            f"the certificate cannot be used: {fault}",
            where=str(tls.folder),
            now=f"Make it again: rempart certificate {tls.name}",
        ) from fault
    assert config.ssl
    config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3


def _bound(host: str, port: int, tls: Tls | None) -> socket.socket:
    try:
        address = ipaddress.ip_address(host)
        usable = address.version == 4 and (address.is_loopback or tls is not None)
    except ValueError:
        usable = False
    if not usable:
        raise InputRefused(
            f"{host} is no IPv4 loopback address",
            where="--host",
            now="Without TLS: use 127.0.0.1, and an ssh tunnel from elsewhere. With it: rempart certificate NAME.",
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
    whole.put(file, f"{link}\n".encode(), lasting=False)
    if sys.stdout.isatty():
        sys.stdout.write(f"Open once: {link}\n")


def main() -> int:
    """``python -m rempart.station.console``."""
    parser = argparse.ArgumentParser(prog="rempart console", description=__doc__)
    parser.add_argument("--site", type=Path, required=True, metavar="FILE", help="site.toml")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="the station's run folder")
    parser.add_argument(
        "--host", default="127.0.0.1", help="loopback, or any IPv4 address with --certificate"
    )
    parser.add_argument("--name", default="", help="host name of the pages, with --certificate")
    parser.add_argument("--certificate", type=Path, metavar="DIR", help="made by rempart certificate")
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0: any free one")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    places = Places(site=arguments.site, state=Path("/nonexistent"), run=arguments.run, rules=())
    try:
        site = read_site(arguments.site)
        tls = Tls(arguments.name, arguments.certificate) if arguments.certificate else None
        run(places, site, arguments.host, arguments.port, tls)
    except RempartError as fault:
        return ended(fault, _log)
    return 0


if __name__ == "__main__":
    sys.exit(main())
