"""The chains of the openings: one for each state, one for each visit with limits, and which of them judges."""

from rempart.containment import gate
from rempart.containment.names import resolved
from rempart.containment.render.nftables.elements import VISIT, visit_set
from rempart.containment.render.nftables.spelling import BEGUN, OURS, chain, device, report
from rempart.site.opening import Opening
from rempart.site.site import Site

_NEW_FLOWS = "limit rate over 20/second burst 50 packets"
"""What one source may begin through one filtered opening."""
_QUIC = "meta l4proto udp ct original proto-dst 443"


def opening_chains(site: Site, opening: Opening) -> list[str]:
    """What becomes of a packet of the opening when it is closed, filtered or open."""
    mark, name = opening.mark, opening.id
    # QUIC hides the name it asks for, and what is filtered by name must show it.
    hidden = [f"{_QUIC} goto closed_{mark}"] if resolved(site, opening) else []
    if opening in gate.gated(site):
        # Nothing passes beside the gate; and it is the machine that is counted, not the gate's leg for all of them.
        hidden += [f"iifname @inside oifname {device(site.uplink.interface)} goto closed_{mark}"]
        hidden += [f"oifname {device(site.uplink.interface)} counter name filtered_{mark} accept"]
    rates = (
        f"{BEGUN} meta nfproto ipv{family} update @rate{family} "
        f"{{ {address} saddr . ct mark {_NEW_FLOWS} }} goto limited_{mark}"
        for family, address in ((4, "ip"), (6, "ip6"))
    )
    refused = f"counter name closed_{mark} goto refuse"
    return [
        *chain(f"closed_{mark}", report(f"closed:{name}"), refused),
        *chain(f"limited_{mark}", report(f"limited:{name}"), f"counter name limited_{mark} goto refuse"),
        *chain(
            f"filtered_{mark}",
            *hidden,
            *rates,
            report(f"filtered:{name}", BEGUN),
            f"counter name filtered_{mark} accept",
        ),
        *chain(f"open_{mark}", report(f"open:{name}", BEGUN), f"counter name open_{mark} accept"),
    ]


def visit_chain(site: Site, opening: Opening) -> list[str]:
    """A visit with limits: between its one address and the machines it may reach, as filtered; else as closed."""
    uplink, mark = device(site.uplink.interface), opening.mark
    return chain(
        f"{VISIT}_{mark}",
        *(
            f"{side} {protocol} {outside} . {protocol} {inside} @{visit_set(mark, family)} goto filtered_{mark}"
            for protocol, family in (("ip", 4), ("ip6", 6))
            for side, outside, inside in (
                (f"iifname {uplink}", "saddr", "daddr"),
                (f"oifname {uplink}", "daddr", "saddr"),
            )
        ),
        f"goto closed_{mark}",
    )


def judgement(site: Site) -> list[str]:
    """Containment wins over trials, trials over the standing state."""
    marks = ", ".join(f"{opening.mark} : goto closed_{opening.mark}" for opening in site.openings)
    uplink = device(site.uplink.interface)
    return [
        *chain("responder", report("responder:in", BEGUN), "counter name responder accept"),
        *chain("cut", *([f"{OURS} vmap {{ {marks} }}"] if marks else []), "goto unclassified"),
        *chain(
            "openings",
            # One way of an opening: who began it, told by the uplink's side and the packet's direction.
            f"iifname {uplink} ct direction original {OURS} == @barred_in goto cut",
            f"oifname {uplink} ct direction reply {OURS} == @barred_in goto cut",
            f"oifname {uplink} ct direction original {OURS} == @barred_out goto cut",
            f"iifname {uplink} ct direction reply {OURS} == @barred_out goto cut",
            f"{OURS} == @contained goto cut",
            f"{OURS} vmap @trial",
            f"{OURS} vmap @state",
            "goto unclassified",
        ),
    ]
