"""Who looks at a page, as far as what it may show and offer goes. The guard decides about every order by itself."""

from collections.abc import Collection
from enum import StrEnum

from msgspec import structs

from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.console.access import Session
from rempart.messages import OpeningStatus, Status, machine_only
from rempart.phrase import Phrase, phrase

_WITHHELD = "…"
_UNSAID = Phrase("", "")
"""Instead of what a machine found."""


class Audience(StrEnum):
    """Each sees what those before it see, and more."""

    ONLOOKER = "onlooker"
    """Looks only: an observer, the region. No order is offered."""
    NIGHT = "night"
    """Answers at night, or came with the link: cuts, says that care is blocked. No name, no count of persons."""
    INFORMED = "informed"
    """Director, privacy officer, technician: everything that is known."""

    @property
    def may_order(self) -> bool:
        """Whether orders are offered at all."""
        return self is not Audience.ONLOOKER


def audience(here: Session) -> Audience:
    """What the roles of whoever looks make of them. Whoever came with the link has none, and answers at night."""
    return Audience.NIGHT if here.visitor is None else audience_of(here.visitor.roles)


def audience_of(roles: Collection[Role]) -> Audience:
    """What these roles make of whoever has them."""
    held = frozenset(roles)
    if held & INFORMED:
        return Audience.INFORMED
    return Audience.NIGHT if held & STAFF else Audience.ONLOOKER


def as_seen(status: Status, by: Audience) -> Status:
    """The status without what this audience may not read.

    That is legal clocks, counts of persons, who is in an incident, who decided what and with which proof, and what
    machines found in detail. What waits for approval is left to whoever answers at night, who may give it.
    """
    if by is Audience.INFORMED:
        return status
    incidents = [
        structs.replace(each.nameless(), proposals=each.proposals if by.may_order else [])
        for each in status.incidents
    ]
    overrides = [structs.replace(each, by="", reason="") for each in status.reopening.overrides]
    outside = [structs.replace(each, by="", proof="") for each in status.care.outside]
    return structs.replace(
        status,
        clocks=[],
        incidents=incidents,
        openings=[_plain(each) for each in status.openings],
        measures=[structs.replace(each, by=machine_only(each.by), reason="") for each in status.measures],
        reopening=structs.replace(status.reopening, overrides=overrides),
        care=structs.replace(status.care, outside=outside),
    )


def _plain(door: OpeningStatus) -> OpeningStatus:
    """One door: how far it is, without names, proofs and others' words."""
    return structs.replace(
        door,
        visitor=door.visitor and _WITHHELD,
        visitor_from="",
        visitor_to=[],
        visitor_certificate="",
        partner=door.partner and _WITHHELD,
        obstacles=[
            phrase(each.key, condition=_WITHHELD) if each.key == "against-partner" else each
            for each in door.obstacles
        ],
        checks=[structs.replace(each, detail=_UNSAID) for each in door.checks],
        answers=[structs.replace(each, by="", proof="") for each in door.answers],
    )
