"""Block an address or a network outside, or lift a block."""

from rempart.cli._measure import Measure
from rempart.engine.orders import Block, Unblock

register = Measure(
    verb="block",
    help="block an address or network outside, or lift a block",
    description="Operators' addresses, the site's own and lifelines are refused, with the reason.",
    target="target",
    target_help="an address or a network: 203.0.113.7, 203.0.113.0/24, 2001:db8::/48",
    put=Block,
    lift=Unblock,
).register
