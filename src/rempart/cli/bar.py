"""Shut one passage, from a zone into another or one way of an opening, or open it again."""

from rempart.cli._measure import Measure
from rempart.engine.orders import Bar, Unbar

register = Measure(
    verb="bar",
    help="shut one zone off from another, or one way of an opening",
    description="wards>servers shuts what wards begin to servers; telephone:in what begins outside through that "
    "opening. Established connections are cut, all else stays.",
    target="passage",
    target_help="ZONE>ZONE, OPENING:in or OPENING:out, in quotes",
    put=Bar,
    lift=Unbar,
).register
