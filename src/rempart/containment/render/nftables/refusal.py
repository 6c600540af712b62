"""Refusals: begun inside, answered at once so that applications fail quickly; begun outside, dropped."""

from rempart.containment.render.nftables.spelling import chain, device, report
from rempart.site.site import Site


def refusals(site: Site) -> list[str]:
    """Begun inside: refused, so that applications fail at once. Begun outside: dropped without a word."""
    begun_inside = f"iifname != {device(site.uplink.interface)} ct direction original"
    return [
        *chain(
            "refuse",
            f"{begun_inside} meta l4proto tcp reject with tcp reset",
            f"{begun_inside} reject with icmpx type admin-prohibited",
            "drop",
        ),
        *_refusing("unclassified", "unclassified", site),
        *_refusing("between_zones", "denied:zones", site),
        *_refusing("barred", "barred:zones", site),
        *(_refusing("past_the_resolver", "denied:resolver", site) if site.resolver else ()),
    ]


def _refusing(counter: str, prefix: str, site: Site) -> list[str]:
    """A chain that counts, reports and refuses. Chatter to everybody (mDNS, NetBIOS) is counted, not reported."""
    uplink = device(site.uplink.interface)
    reports = (
        [report(f"{prefix}:in", f"iifname {uplink}"), report(f"{prefix}:out", f"iifname != {uplink}")]
        if ":" not in prefix
        else [report(prefix)]
    )
    silence = f"meta pkttype {{ broadcast, multicast }} counter name {counter} drop"
    return chain(counter, silence, *reports, f"counter name {counter} goto refuse")
