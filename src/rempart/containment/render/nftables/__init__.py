"""A site and its wanted state as one nftables table: the whole of it, or the difference between two states.

Every connection is named once, in the low 12 bits of its mark, with the mark of its opening; every packet of it is
then judged by that mark, before anything is let through for being established. docs/design/ruleset.md explains the
order. Names in the text are made of marks and numbers; the site's own words appear only in log prefixes, cleaned.
"""

import hashlib

from rempart.containment.holdings import Holdings, holdings
from rempart.containment.limits import limited_by_kernel
from rempart.containment.measure import Enforcement
from rempart.containment.render.nftables.classification import classification, to_the_gate
from rempart.containment.render.nftables.elements import (
    CONTAINED_FLAG,
    VISIT,
    Difference,
    changes,
    differences,
    filled,
    lasting,
    visit_set,
)
from rempart.containment.render.nftables.hooks import forward_hook, input_hook, output_hook
from rempart.containment.render.nftables.measures import blocking, isolation
from rempart.containment.render.nftables.openings import judgement, opening_chains, visit_chain
from rempart.containment.render.nftables.refusal import refusals
from rempart.containment.render.nftables.safeguards import safeguards
from rempart.containment.render.nftables.sets import counters, fixed_sets, lease_set
from rempart.containment.render.nftables.spelling import TABLE
from rempart.instants import Instant
from rempart.site.site import Site

__all__ = [
    "CONTAINED_FLAG",
    "TABLE",
    "VISIT",
    "Difference",
    "changes",
    "differences",
    "holding",
    "lasting",
    "layout",
    "lease_set",
    "ruleset",
    "visit_set",
]


def ruleset(site: Site, wanted: Enforcement, now: Instant) -> str:
    """The whole table as one transaction that replaces only itself. Raises InputRefused."""
    return holding(site, holdings(site, wanted, now), now)


def holding(site: Site, held: Holdings, now: Instant) -> str:
    """The whole table with these holdings, as one transaction that replaces only itself."""
    lines = [*_layout(site), *filled(held, now)]
    head = (f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{", f"\tchain {layout(site)} {{ }}")
    return "\n".join([*head, *(f"\t{line}" for line in lines), "}", ""])


def layout(site: Site) -> str:
    """The name of an empty chain that tells which layout the kernel holds: same name, same rules, only sets differ."""
    return f"layout_{hashlib.sha256(chr(10).join(_layout(site)).encode()).hexdigest()[:24]}"


def _layout(site: Site) -> list[str]:
    """What never changes while the site does not: chains in the order in which they are read best."""
    return [
        *fixed_sets(site),
        *counters(site),
        *refusals(site),
        *(line for opening in site.openings for line in opening_chains(site, opening)),
        *(line for opening in limited_by_kernel(site) for line in visit_chain(site, opening)),
        *judgement(site),
        *isolation(site),
        *blocking(site),
        *safeguards(site),
        *classification(site),
        *to_the_gate(site),
        *forward_hook(site),
        *input_hook(site),
        *output_hook(site),
    ]
