"""The chains of what is isolated and what is blocked."""

from collections.abc import Iterator

from rempart.containment.holdings import spelled
from rempart.containment.render.nftables.spelling import braced, chain, device, families, protocol_of, report
from rempart.site.site import Safeguard, Site


def isolation(site: Site) -> list[str]:
    """Nothing of an isolated machine passes but what the operators begin to it: as they may reach it otherwise too."""
    return [
        *chain("isolated", report("isolated:asset"), "counter name isolated goto refuse"),
        *chain(
            "isolation",
            *(rule for safeguard in site.safeguards for rule in _begun_by_operators(safeguard)),
            "ip saddr @isolated4 goto isolated",
            "ip daddr @isolated4 goto isolated",
            "ip6 saddr @isolated6 goto isolated",
            "ip6 daddr @isolated6 goto isolated",
        ),
    ]


def _begun_by_operators(safeguard: Safeguard) -> Iterator[str]:
    interface = device(safeguard.interface)
    for hosts in families(safeguard.networks):
        protocol, members = protocol_of(hosts[0]), braced(map(spelled, hosts))
        yield f"iifname {interface} {protocol} saddr {members} ct direction original return"
        yield f"oifname {interface} {protocol} daddr {members} ct direction reply return"


def blocking(site: Site) -> list[str]:
    """Blocks concern the uplink only: no block, however wide, touches the inside."""
    uplink = device(site.uplink.interface)
    sides = ((f"iifname {uplink}", "saddr", "blocked_in"), (f"oifname {uplink}", "daddr", "blocked_out"))
    return [
        *chain("blocked_in", report("blocked:in"), "counter name blocked drop"),
        *chain("blocked_out", report("blocked:out"), "counter name blocked goto refuse"),
        *chain(
            "blocking",
            *(
                f"{side} {protocol} {field} @{kind}{family} goto {target}"
                for side, field, target in sides
                for protocol, family in (("ip", 4), ("ip6", 6))
                for kind in ("blocked", "blocked_nets")
            ),
        ),
    ]
