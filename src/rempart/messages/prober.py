"""Prober and guard: what services answer and how the downtime pack lies; nothing is said back."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ProbeAnswered(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A probe got an answer, or none. ``detail`` is what somebody else said: hostile text.

    ``asked``: when the question was put, in microseconds since the Unix epoch. An answer proves what was so then, not
    what is so when it is heard.
    """

    asked: Annotated[int, Meta(ge=0, le=1 << 53)]
    probe: Annotated[str, Meta(max_length=40)]
    answered: bool
    detail: Annotated[str, Meta(max_length=120)] = ""


class PackSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The downtime pack as it lies there. ``sha256`` empty: there is none."""

    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)]
    written: Annotated[int, Meta(ge=0, le=1 << 53)]


FromProber = ProbeAnswered | PackSeen


class Hello(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Nothing is ever said to the prober; its union needs a member."""


ToProber = Hello
