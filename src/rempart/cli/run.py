"""Run the station: guard, watch, console, the proxy and the packet log."""

import argparse
import logging
import sys
from pathlib import Path

from rempart.adapters import rules as rule_files
from rempart.adapters import shipped
from rempart.adapters.site_file import read_site
from rempart.config import RUN, SITE, STATE, Places
from rempart.errors import ExitCode, InputRefused, SiteInvalid
from rempart.site import soundness
from rempart.station.policy import read_policy
from rempart.station.supervisor import Supervisor
from rempart.station.users import choose


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart run``."""
    parser = verbs.add_parser(
        "run",
        help="run the station until it is told to stop",
        description="Started as root, guard, watch and console are three users. Stopping the station reopens nothing: "
        "the kernel keeps its verdicts. SIGHUP has it start again with site.toml, policy and rules as they are then; "
        "if they cannot be used, it says so and goes on as it was. exit codes: 0 stopped, 1 the journal is broken, "
        "2 the site, the policy or the rules cannot be used, "
        "6 the kernel or the proxy refused, 7 a program or privilege is missing.",
    )
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help="what must survive (%(default)s)"
    )
    parser.add_argument(
        "--run", dest="run_dir", type=Path, default=RUN, metavar="DIR", help="sockets (%(default)s)"
    )
    parser.add_argument(
        "--rules", type=Path, action="append", metavar="DIR", help="Sigma rules; may be repeated"
    )
    parser.add_argument("--policy", type=Path, metavar="FILE", help="policy.toml; default: the one shipped")
    parser.add_argument("--port", type=port, default=8420, help="of the console (%(default)s)")
    parser.add_argument(
        "--console-name",
        default="",
        metavar="NAME",
        help="host name of the console, with TLS; first: rempart certificate NAME",
    )
    parser.add_argument(
        "--console-address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where the console listens; others than loopback need --console-name (%(default)s)",
    )
    parser.add_argument(
        "--operator", type=int, action="append", default=[], metavar="UID", help="may give orders too"
    )
    parser.set_defaults(run=run)


def port(text: str) -> int:
    """A TCP port as argparse reads it."""
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError
    return number


def run(arguments: argparse.Namespace) -> int:
    """Check the site, the policy and the rules, then start everything; again, when told to, with what they are then."""
    logging.basicConfig(level=logging.INFO, format="rempart: %(message)s", stream=sys.stderr)
    station = _station(arguments)
    while (code := station.run()) == ExitCode.OK and station.heir:
        station = station.heir
    return code


def _station(arguments: argparse.Namespace) -> Supervisor:
    """The station that the options and the files describe. Raises RempartError when they cannot be used."""
    site = read_site(arguments.site)
    if unfit := soundness.check(site):
        raise SiteInvalid(
            "this site cannot be defended as it is described",
            where=str(arguments.site),
            now="Mend it, then: rempart site check",
            problems=unfit,
        )
    places = Places(
        site=arguments.site.absolute(),
        state=arguments.state.absolute(),
        run=arguments.run_dir.absolute(),
        rules=tuple(path.absolute() for path in arguments.rules or (shipped.rules(),)),
        policy=arguments.policy.absolute() if arguments.policy else None,
    )
    read_policy(places.policy)
    rule_files.read([str(path) for path in places.rules])
    if arguments.console_name and not (places.certificate / "station.pem").exists():
        raise InputRefused(
            f"there is no certificate for {arguments.console_name}",
            where=str(places.certificate),
            now=f"First: rempart certificate {arguments.console_name} --state {places.state}",
        )
    return Supervisor(
        places,
        site,
        choose(),
        arguments.port,
        tuple(arguments.operator),
        console_name=arguments.console_name,
        console_address=arguments.console_address,
        renew=lambda: _station(arguments),
    )
