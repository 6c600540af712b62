"""The hooks: what is asked of each packet that is forwarded, comes in or goes out, in order."""

from collections.abc import Iterator

from rempart.containment.holdings import network, spelled
from rempart.containment.render.nftables.spelling import OURS, chain, device, protocol_of
from rempart.site.site import Site

_NAME_PORTS = "{ 53, 853 }"
"""Names in the clear and over TLS (RFC 7858) or QUIC (RFC 9250)."""
_NEIGHBOURS = (
    "{ nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }"
)


def _hook(name: str, *rules: str) -> list[str]:
    return chain(name, f"type filter hook {name} priority filter; policy drop;", *rules)


def forward_hook(site: Site) -> list[str]:
    """What passes between two zones, or between a zone and the uplink."""
    return _hook(
        "forward",
        "jump isolation",
        "ct direction original iifname . oifname @barred_zones goto barred",
        "ct direction reply oifname . iifname @barred_zones goto barred",
        # A reaches B; what comes back from B passes because A began. Judged without the connection's mark, so that
        # nothing done to openings can touch it.
        "iifname . oifname @reaches accept",
        "oifname . iifname @reaches ct direction reply accept",
        "iifname @inside oifname @inside goto between_zones",
        "jump blocking",
        *_past_the_resolver(site),
        f"{OURS} == 0 ct direction original jump classify",
        # A connection older than this table whose first packet seen is an answer (a server's push).
        f"{OURS} == 0 ct direction reply jump classify_replies",
        "goto openings",
    )


def _past_the_resolver(site: Site) -> Iterator[str]:
    """The station alone asks for names outside, whatever openings say."""
    if site.resolver:
        path = f"iifname @inside oifname {device(site.uplink.interface)} ct direction original"
        yield f"{path} meta l4proto {{ tcp, udp }} th dport {_NAME_PORTS} goto past_the_resolver"


def input_hook(site: Site) -> list[str]:
    """What ends at the gateway itself."""
    uplink = device(site.uplink.interface)
    return _hook(
        "input",
        'iifname "lo" accept',
        "jump safeguards_in",
        "jump isolation",
        "jump blocking",
        f"icmpv6 type {_NEIGHBOURS} ip6 hoplimit {{ 1, 255 }} accept",
        f"iifname {uplink} udp sport 67 udp dport 68 accept",
        f"iifname {uplink} udp sport 547 udp dport 546 accept",
        "iifname @inside udp dport { 53, 67, 123, 547 } accept",
        "iifname @inside tcp dport 53 accept",
        *_staff_page(site),
        "iifname @inside icmp type echo-request limit rate 50/second accept",
        "iifname @inside icmpv6 type echo-request limit rate 50/second accept",
        # Answers to what the gateway itself asked inside (probes): never named, because no opening is concerned.
        f"iifname @inside ct direction reply {OURS} == 0 accept",
        f"{OURS} == 0 ct direction original jump classify_in",
        "goto openings",
    )


def _staff_page(site: Site) -> Iterator[str]:
    """Read by anybody in the house, however the openings stand; never from outside."""
    if page := site.staff_page:
        address = network(page.address)
        yield f"iifname @inside {protocol_of(address)} daddr {spelled(address)} tcp dport {page.port} accept"


def output_hook(site: Site) -> list[str]:
    """What the gateway itself sends."""
    uplink = device(site.uplink.interface)
    return _hook(
        "output",
        'oifname "lo" accept',
        "jump safeguards_out",
        f"icmpv6 type {_NEIGHBOURS} accept",
        # Our own refusals carry the mark of the refused connection and would otherwise be refused in turn.
        "oifname @inside ct state related accept",
        "jump isolation",
        "jump blocking",
        f"oifname {uplink} udp sport 68 udp dport 67 accept",
        f"oifname {uplink} udp sport 546 udp dport 547 accept",
        f"oifname @inside {OURS} == 0 ct direction original jump classify_backends",
        f"oifname @inside {OURS} == 0 accept",
        f"oifname {uplink} {OURS} == 0 ct direction original jump classify_out",
        "goto openings",
    )
