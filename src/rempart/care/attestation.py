"""An attestation: a ward says, once a shift, whether care goes on there. Nobody else can know."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rempart.care.reply import Reply
from rempart.instants import Instant
from rempart.site.belgian_time import came
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What a ward last said."""

    reply: Reply
    note: str
    by: str
    at: Instant


class Standing(StrEnum):
    """How a ward stands in this shift."""

    GOES_ON = "goes-on"
    TROUBLED = "troubled"
    UNHEARD = "unheard"  # nobody said anything since the shift began


def standings(site: Site, said: Mapping[str, Attestation], now: Instant) -> dict[str, Standing]:
    """How each ward stands in the shift that is on in the house at ``now``."""
    since = came(site.hours.shifts or (0,), now)
    return {ward.id: _standing(said.get(ward.id), since) for ward in site.wards}


def _standing(said: Attestation | None, since: Instant) -> Standing:
    if said is None or said.at < since or said.reply is Reply.UNKNOWN:
        return Standing.UNHEARD
    return Standing.GOES_ON if said.reply is Reply.YES else Standing.TROUBLED
