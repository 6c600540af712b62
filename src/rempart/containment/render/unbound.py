"""The configuration of unbound, which asks outside for the names that the station's resolver lets through.

It listens on loopback for the station's resolver alone. Its cache does no harm there: every answer, cached or not,
passes the resolver, which holds what it opens before it tells it.
"""

from rempart.containment.holdings import spelled
from rempart.containment.names import LARGEST
from rempart.containment.way import addresses
from rempart.site.site import Site

PORT = 5335
"""Where unbound listens, on 127.0.0.1."""

_SERVER = (
    "interface: 127.0.0.1",
    f"port: {PORT}",
    "access-control: 127.0.0.0/8 allow",
    "do-daemonize: no",
    'username: ""',
    'chroot: ""',
    'pidfile: ""',
    "use-syslog: no",
    'logfile: ""',
    "verbosity: 0",
    "hide-identity: yes",
    "hide-version: yes",
    "harden-glue: yes",
    "harden-below-nxdomain: yes",
    "qname-minimisation: yes",
    f"max-udp-size: {LARGEST}",
    "minimal-responses: yes",
    # When nobody outside answers, what was known an hour ago is better than nothing (RFC 8767).
    "serve-expired: yes",
    "serve-expired-ttl: 86400",
    "serve-expired-client-timeout: 1800",
    # Answers are not validated: many providers' resolvers do not pass signatures on.
    'module-config: "iterator"',
    "msg-cache-size: 8m",
    "rrset-cache-size: 16m",
)


def config(site: Site) -> str:
    """The whole file. The resolvers asked are the hosts of the site's resolving opening; ``*``: the root itself."""
    asked = [spelled(host) for host in addresses(_hosts(site))]
    forward = (
        ["forward-zone:", '\tname: "."', *(f"\tforward-addr: {host}" for host in asked)] if asked else []
    )
    server = ["server:", *(f"\t{line}" for line in _SERVER)]
    return "\n".join([*server, *forward, "remote-control:", "\tcontrol-enable: no", ""])


def _hosts(site: Site) -> tuple[str, ...]:
    return site.opening(site.resolver.opening).hosts if site.resolver else ()
