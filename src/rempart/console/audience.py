"""Who looks at a page, as far as what it may show and offer goes. The guard decides about every order by itself."""

from enum import StrEnum

from rempart.accounts.person import INFORMED, STAFF
from rempart.console.access import Session


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
    if here.visitor is None:
        return Audience.NIGHT
    held = frozenset(here.visitor.roles)
    if held & INFORMED:
        return Audience.INFORMED
    return Audience.NIGHT if held & STAFF else Audience.ONLOOKER
