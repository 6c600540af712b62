"""Facts about work by hand beside the path: what people say they did at the firewall or the switch."""

from rempart.care.reply import Reply
from rempart.containment.policy import Action
from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class TickedByHand(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody said that a step at the firewall or the switch was done, or is not (any more). Nobody checked it."""

    action: Action
    target: str
    """Empty: the site's cut."""
    step: str
    """As site.toml words it; empty: what is true everywhere."""
    reply: Reply
    note: str
    by: str
    on: Instant | None = None
    """When it was done, as they say; None: they did not say, or an older station did not ask."""
