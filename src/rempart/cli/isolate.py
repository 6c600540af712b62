"""Isolate a machine inside, or release it."""

from rempart.cli._measure import Measure
from rempart.engine.orders import Isolate, Release

register = Measure(
    verb="isolate",
    help="isolate a machine inside, or release it",
    description="Nothing of the machine crosses the gateway any more but what the operators begin to it, as far as "
    "they may reach it otherwise. Machines on its own network segment are still reachable from it: the "
    "gateway does not see those.",
    target="asset",
    target_help="id of the machine as in site.toml, or its address",
    put=Isolate,
    lift=Release,
).register
