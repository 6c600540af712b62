"""The identity provider's keys and addresses: fetched by root, so that the console cannot say which keys are true."""

import argparse
from pathlib import Path

import msgspec

from rempart.accounts.identity import Provider
from rempart.adapters import identity
from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site
from rempart.config import SITE
from rempart.edge import whole
from rempart.errors import ExitCode, InputRefused


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart provider``."""
    parser = verbs.add_parser(
        "provider",
        help="fetch the keys of the identity provider named in site.toml",
        description="Fetches what the OpenID provider of site.toml publishes, over TLS, and keeps its keys and "
        "addresses where guard and console read them. Run it as root, and again each day: providers "
        "change their keys, and keys older than 30 days are not believed. "
        "exit codes: 0 kept, 2 site.toml names none, or what it publishes cannot be used.",
    )
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fetch them, keep them whole or not at all, and say which keys they are."""
    site = read_site(arguments.site)
    if site.sign_on is None:
        raise InputRefused("no identity provider is named", where=str(arguments.site), now="Add [sign_on].")
    provider = identity.fetched(site.sign_on.issuer, SystemClock().now())
    file = Path(site.sign_on.keys_file)
    _keep(file, provider)
    named = ", ".join(str(key.get("kid", key["kty"])) for key in provider.keys["keys"])
    print(f"kept in {file}: the keys of {provider.issuer}: {named}")
    return ExitCode.OK


def _keep(file: Path, provider: Provider) -> None:
    """The old one or the new one, never half. Raises `InputRefused`."""
    try:
        whole.put(file, msgspec.json.encode(provider), mode=0o644)
    except OSError as fault:
        raise InputRefused(
            f"the keys cannot be kept: {fault.strerror}", where=str(file), now="Run it as root."
        ) from fault
