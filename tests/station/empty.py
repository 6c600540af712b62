"""The least that a site can be: one way out, and nothing behind it."""

from rempart.site.site import Site, Uplink

EMPTY = Site(
    id="test",
    name="Test",
    template="",
    languages=(),
    phone="",
    uplink=Uplink(interface="wan", addresses=()),
    zones=(),
    openings=(),
)
