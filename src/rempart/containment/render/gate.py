"""The gate as a haproxy configuration of its own, and its map of states.

Nothing is decrypted: the name stands in clear in the TLS greeting, and what follows is passed on as it came. The
station's own resolver is asked for the address, so that a name which may not be resolved leads nowhere here either.
"""

import re
from collections.abc import Iterator, Mapping

from rempart.config import Places
from rempart.containment.acl import acl
from rempart.containment.gate import OTHERS_PORTS, Wide, gate_port, gated, port, wide
from rempart.containment.holdings import network
from rempart.containment.measure import Enforcement
from rempart.containment.names import resolved
from rempart.errors import InputRefused
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

_PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")
_WORD = re.compile(r"[a-z0-9][a-z0-9.-]*")

_HEAD = (
    "global",
    "\tstats socket {socket} mode 660 level admin",
    "\tstats timeout 10s",
    "\tmaxconn 4000",
    "",
    "defaults",
    "\tmode tcp",
    "\ttimeout connect 4s",
    "\ttimeout client 1h",
    "\ttimeout server 1h",
    "\ttimeout client-fin 30s",
    "\tretries 0",
    "",
    "resolvers station",
    "\tnameserver station 127.0.0.1:53",
    "\tresolve_retries 2",
    "\ttimeout resolve 1s",
    "\ttimeout retry 2s",
    # Far less than a lease lives: what haproxy remembers is still open in the kernel.
    *(f"\thold {what} 1s" for what in ("valid", "nx", "other", "refused", "timeout", "obsolete")),
    "",
)


def config(site: Site, places: Places) -> str:
    """The configuration. Raises InputRefused."""
    head = (line.format(socket=_matching(_PATH, str(places.gate_socket))) for line in _HEAD)
    sections = (line for opening in gated(site) for line in _opening(site, opening, places))
    return "\n".join([*head, *sections, ""])


def states_map(site: Site, wanted: Enforcement) -> str:
    """Opening id and state, one a line."""
    return "".join(f"{name} {state}\n" for name, state in states(site, wanted).items())


def states(site: Site, wanted: Enforcement) -> Mapping[str, OpeningState]:
    """How the openings that the gate knows should stand in it; closed when nobody said anything."""
    known = {
        each.id
        for opening in gated(site)
        for each in (opening, *(other.opening for other in wide(site, opening)))
    }
    return {
        _matching(_WORD, name): wanted.stands[name].state if name in wanted.stands else OpeningState.CLOSED
        for name in sorted(known)
    }


def servers(site: Site) -> Iterator[tuple[str, str]]:
    """Each server of the gate as the runtime socket names it, and the opening with which its sessions end."""
    for opening in gated(site):
        yield f"{_named(opening)}/server", opening.id
        for other in wide(site, opening):
            yield f"{_others(opening, other)}/server", other.opening.id


def _opening(site: Site, opening: Opening, places: Places) -> Iterator[str]:
    others = list(wide(site, opening))
    yield from (
        f"frontend {_named(opening)}",
        f"\tbind 0.0.0.0:{gate_port(opening)}",
        f"\tbind [::]:{gate_port(opening)} v6only",
        *acl("own", "req.ssl_sni,lower -m str", (_matching(_WORD, name) for name in resolved(site, opening))),
        *(f"\tacl {_acl(other)} var(txn.{_acl(other)}) -m found" for other in others),
        "\ttcp-request inspect-delay 3s",
        *(line for other in others for line in _may(other, places)),
        f"\ttcp-request content reject if {_closed(opening, places)}",
        "\ttcp-request content reject if !{ req.ssl_hello_type 1 }",
        "\ttcp-request content reject if !{ req.ssl_sni -m found }",
        f"\ttcp-request content reject if {' '.join(['!own', *(f'!{_acl(other)}' for other in others)])}",
        "\ttcp-request content do-resolve(txn.address,station,ipv4) req.ssl_sni,lower",
        "\ttcp-request content reject if !{ var(txn.address) -m found }",
        *(f"\tuse_backend {_others(opening, other)} if !own {_acl(other)}" for other in others),
        f"\tdefault_backend {_named(opening)}",
        "",
        *_backend(_named(opening), opening),
    )
    first, last = OTHERS_PORTS
    for other in others:
        yield from _backend(_others(opening, other), opening, f" source 0.0.0.0:{first}-{last}")


def _backend(name: str, opening: Opening, source: str = "") -> Iterator[str]:
    yield from (
        f"backend {name}",
        "\ttcp-request content set-dst var(txn.address)",
        f"\ttcp-request content set-dst-port int({port(opening)})",
        f"\tserver server 0.0.0.0:0{source}",
        "",
    )


def _may(other: Wide, places: Places) -> Iterator[str]:
    """Marks whoever may browse: inside one of its zones, while it is not closed."""
    inside = f"inside_{other.opening.mark}"
    yield from acl(inside, "src", (str(network(text)) for text in other.networks))
    condition = f"{inside} !{_closed(other.opening, places)}"
    yield f"\ttcp-request content set-var(txn.{_acl(other)}) bool(true) if {condition}"


def _acl(other: Wide) -> str:
    return f"wide_{other.opening.mark}"


def _closed(opening: Opening, places: Places) -> str:
    state = f"map_str({_matching(_PATH, str(places.gate_map))},closed)"
    return f"{{ str({_matching(_WORD, opening.id)}),{state} -m str closed }}"


def _named(opening: Opening) -> str:
    return f"named_{opening.mark}"


def _others(opening: Opening, other: Wide) -> str:
    return f"others_{opening.mark}_{other.opening.mark}"


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise InputRefused(
            f"{text[:80]!r} cannot stand in the gate's configuration", now="Use letters, digits, `-` and `.`."
        )
    return text
