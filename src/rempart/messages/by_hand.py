"""What people say they did at the firewall or the switch, where the station stands beside the path."""

import msgspec

from rempart.engine.handwork import Checked
from rempart.instants import Instant


class HandStepStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One step by hand, beside the path. ``number`` counts the steps of its deed from 1; 0: no longer in the plan."""

    action: str
    target: str
    number: int
    step: str
    """As site.toml words it; empty: what is true everywhere."""
    reply: str
    note: str = ""
    by: str = ""
    at: Instant | None = None
    """When it was said."""
    on: Instant | None = None
    """When it was done, where that was said too."""


class HandworkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What people say they did at the firewall or the switch: the steps of the cut, then blocks and isolations."""

    steps: list[HandStepStatus] = []
    cut: Checked = Checked.UNCHECKED
    """What probes say to the cut by hand. Blocks and isolations are never checked."""
    probes: list[str] = []
    """Names of the probes that say it."""
