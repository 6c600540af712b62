"""The certificates of published services: whether they can be used, and until when."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.certificates import Certificate, certificates
from rempart.adapters.site_file import read_site
from rempart.cli._terminal import harmless
from rempart.config import SITE
from rempart.errors import ExitCode
from rempart.instants import Instant, as_datetime


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart expiry``."""
    parser = verbs.add_parser(
        "expiry",
        help="until when the certificates of published services last",
        description="Reads the files that site.toml names. The running proxy takes a new file up "
        "within seconds. exit codes: 0 all last three weeks, 1 one ends sooner or cannot be used, "
        "2 site.toml cannot be read.",
    )
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Tell of each."""
    now = SystemClock().now()
    found = list(certificates(read_site(arguments.site)))
    if not found:
        print("site.toml publishes no service with a certificate")
    for certificate in found:
        Console(highlight=False, soft_wrap=True).print(Text(harmless(_told(certificate, now))))
    troubled = any(certificate.trouble or certificate.ends_soon(now) for certificate in found)
    return ExitCode.FOUND if troubled else ExitCode.OK


def _told(certificate: Certificate, now: Instant) -> str:
    where = f"{certificate.host} ({certificate.opening}): {certificate.path}"
    if certificate.trouble or certificate.expires is None:
        return f"{where}: {certificate.trouble}; the service is closed, at the latest when the proxy starts again"
    days = (certificate.expires - now) // 86_400_000_000
    warning = ": renew it" if certificate.ends_soon(now) else ""
    return f"{where}: until {as_datetime(certificate.expires):%Y-%m-%d}, {days} days{warning}"
