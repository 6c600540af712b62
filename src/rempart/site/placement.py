"""Where the station stands: in the path as the gateway, or beside it on a mirror port, where it stops nothing."""

from dataclasses import dataclass
from enum import StrEnum


class Placement(StrEnum):
    """What passes the station, and so what it can do about it."""

    GATEWAY = "gateway"
    """All that leaves the site or enters it, and all that goes from zone to zone."""
    OBSERVER = "observer"
    """Nothing: it is given copies. It sees and reports, and enforces nothing."""


LONGEST_STEP = 120
"""Characters of one step: it must fit a refusal, a page and a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """The site's own plan for what an observer cannot do: steps at the firewall or the switch, each in order."""

    cut: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    isolate: tuple[str, ...] = ()
