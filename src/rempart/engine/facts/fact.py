"""What every fact has, and who acts when nobody did."""

import msgspec

from rempart.instants import Instant

MACHINE = "rempart"
"""Who acts when nobody did: the station itself."""


class Fact(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all facts. ``at`` is when it was decided, not when it was sealed."""

    at: Instant
