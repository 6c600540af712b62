"""Classification: every connection is named once, by the mark of the opening that describes it most narrowly."""

from collections.abc import Iterable, Iterator

from rempart.containment import gate
from rempart.containment.holdings import network, spelled
from rempart.containment.render.nftables.elements import RESPONDER
from rempart.containment.render.nftables.sets import leased
from rempart.containment.render.nftables.spelling import (
    braced,
    chain,
    device,
    devices,
    port_set,
    protocol_of,
)
from rempart.containment.way import Way, ways
from rempart.site.opening import MARK_BITS, Opening, Transport
from rempart.site.site import Site, Zone

FRONT_PORTS = "{ 80, 443 }"


def classification(site: Site) -> list[str]:
    """Chains that give a connection its opening's mark, the narrowest description of it first."""
    known = ways(site)
    published = [opening for opening in site.openings if opening.publication]
    return [
        *chain("classify", *(rule for way in known for rule in _through(site, way, answers=False))),
        *chain("classify_replies", *(rule for way in known for rule in _through(site, way, answers=True))),
        *chain(
            "classify_in",
            *(_fronts(site) if published else ()),
            *_at_the_gate(site),
            *_ending_here(site, known),
        ),
        *chain(
            "classify_out",
            *_under_other_names(site),
            *(rule for way in known if way.outward for rule in _to(way)),
        ),
        *chain("classify_backends", *(rule for opening in published for rule in _backend(site, opening))),
    ]


def _through(site: Site, way: Way, *, answers: bool) -> Iterator[str]:
    """Forwarded packets of a way: those that follow it, or the answers to them."""
    interfaces = [zone for zone in site.zones if zone.id in way.opening.zones]
    if not interfaces:
        return
    outbound = way.outward is not answers
    inside, outside = devices(interfaces), device(site.uplink.interface)
    path = f"iifname {inside} oifname {outside}" if outbound else f"iifname {outside} oifname {inside}"
    host, client = ("daddr", "saddr") if outbound else ("saddr", "daddr")
    for rule in _matches(way, client=client, host=host, port="sport" if answers else "dport"):
        yield f"{path} {rule}"


def _ending_here(site: Site, known: Iterable[Way]) -> Iterator[str]:
    """Connections from outside that end at the gateway itself (a VPN)."""
    uplink = device(site.uplink.interface)
    inward = (way for way in known if not way.outward)
    return (
        f"iifname {uplink} {rule}" for way in inward for rule in _matches(way, host="saddr", port="dport")
    )


def _to(way: Way) -> Iterator[str]:
    """Connections that the gateway itself begins (its resolver, its clock) belong to openings like any other."""
    return _matches(way, host="daddr", port="dport")


def _matches(way: Way, *, client: str = "", host: str, port: str) -> Iterator[str]:
    """Rules for packets of a way; ``client`` is where the machine inside stands in the packet, if there is one."""
    return (
        f"{peers}{way.transport} {port} {port_set(way.ports)} {_named(way.opening.mark)}"
        for peers in _peers(way, client, host)
    )


def _peers(way: Way, client: str, host: str) -> Iterator[str]:
    if way.by_name:
        yield from leased(way.opening.mark, client, host)
    elif way.hosts:
        yield f"{protocol_of(way.hosts[0])} {host} {braced(map(spelled, way.hosts))} "
    else:
        yield ""


def _fronts(site: Site) -> Iterator[str]:
    """The proxy's front on the uplink's addresses, from outside and from inside."""
    mine = [network(address.partition("/")[0]) for address in site.uplink.addresses]
    matches = [f"{protocol_of(address)} daddr {spelled(address)}" for address in mine]
    return (
        f"{match} tcp dport {FRONT_PORTS} {_named(RESPONDER)}"
        for match in matches or ["fib daddr type local"]
    )


def _backend(site: Site, opening: Opening) -> Iterator[str]:
    """The leg from the proxy to the server of a published opening."""
    publication = opening.publication
    assert publication is not None
    server, port = network(publication.address), int(publication.port)
    for zone in site.zones:
        if zone.id == publication.zone:
            yield (
                f"oifname {device(zone.interface)} {protocol_of(server)} daddr {spelled(server)} "
                f"tcp dport {port} {_named(opening.mark)}"
            )


def _named(mark: int) -> str:
    return f"ct mark set ct mark and {0xFFFFFFFF ^ MARK_BITS:#x} or {mark:#x} return"


def to_the_gate(site: Site) -> list[str]:
    """Connections to what a gated opening's names resolved to are turned to the gate, whatever address they name."""
    turned = [
        f"iifname {devices(_zones_of(site, opening))} {peers}tcp dport {gate.port(opening)} "
        f"redirect to :{gate.gate_port(opening)}"
        for opening in gate.gated(site)
        for peers in leased(opening.mark, client="saddr", host="daddr")
    ]
    hook = "type nat hook prerouting priority dstnat; policy accept;"
    return chain("to_the_gate", hook, *turned) if turned else []


def _at_the_gate(site: Site) -> Iterator[str]:
    """What was turned to the gate belongs to the opening; nobody else may speak to it."""
    for opening in gate.gated(site):
        inside = devices(_zones_of(site, opening))
        yield (
            f"iifname {inside} tcp dport {gate.gate_port(opening)} ct status dnat "
            f"ct original proto-dst {gate.port(opening)} {_named(opening.mark)}"
        )


def _under_other_names(site: Site) -> Iterator[str]:
    """The gate's legs under names that the opening does not have: judged without what names lead to."""
    if gate.gated(site):
        ports = port_set([gate.OTHERS_PORTS])
        for way in ways(site):
            if way.outward and not way.by_name and way.transport is Transport.TCP:
                yield from (f"tcp sport {ports} {rule}" for rule in _to(way))
        yield f"tcp sport {ports} return"


def _zones_of(site: Site, opening: Opening) -> list[Zone]:
    return [zone for zone in site.zones if zone.id in opening.zones]
