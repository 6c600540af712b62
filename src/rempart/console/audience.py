"""Who looks at a page, as far as what it may show and offer goes. The guard decides about every order by itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from msgspec import structs

from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.console.access import Session
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.messages import (
    WITHHELD,
    AlertStatus,
    CareStatus,
    HandStepStatus,
    IncidentStatus,
    MeasureStatus,
    OpeningStatus,
    RehearsalStatus,
    Status,
    house_name,
    machine_only,
)
from rempart.phrase import Phrase, phrase
from rempart.site.site import Site

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


TASKED = takers(orders.AgreeUnmasking) | takers(orders.ConfirmClock)
"""Roles that have things to do which others of their audience have not."""


@dataclass(frozen=True, slots=True)
class Tasked:
    """By what the things to do for whoever looks differ from what others of their audience have."""

    roles: frozenset[Role] = frozenset()
    asker: str = ""
    """Whoever may both ask for names and agree: a request of their own is not for them. Empty: everybody else."""


NO_TASKS = Tasked()


def tasked(here: Session) -> Tasked:
    """The tasks of whoever looks. Most people of a role have the same, and are shown one page that is drawn once."""
    if here.visitor is None:
        return NO_TASKS
    roles = frozenset(here.visitor.roles)
    both = roles & takers(orders.AskUnmasking) and roles & takers(orders.AgreeUnmasking)
    return Tasked(TASKED & roles, here.account if both else "")


def as_seen(status: Status, by: Audience, site: Site) -> Status:
    """The status without what this audience may not read.

    That is legal clocks, counts of persons, who is in an incident, who said or decided what and with which proof,
    addresses, and technical detail. What waits for approval, and the words that staff wrote of care, are left to
    whoever answers at night.
    """
    if by is Audience.INFORMED:
        return status
    called = site.called()
    overrides = [structs.replace(each, by="", reason="") for each in status.reopening.overrides]
    return structs.replace(
        status,
        clocks=[],
        incidents=[_incident(each, by, called) for each in status.incidents],
        openings=[_plain(each) for each in status.openings],
        measures=[_measure(each, called) for each in status.measures],
        journal_root="",
        enforcement_fault=status.enforcement_fault and WITHHELD,
        names_refused=None,
        alerts=[_alert(each, by) for each in status.alerts],
        answer_seconds=[],
        reopening=structs.replace(status.reopening, overrides=overrides),
        by_hand=structs.replace(status.by_hand, steps=[_step(each, called) for each in status.by_hand.steps]),
        care=_care(status.care, by),
    )


def for_anybody(status: Status) -> Status:
    """What the staff page may know: how the site and its doors stand, and when that was checked.

    Field by field, so that what is added to a status later does not get there by itself.
    """
    return Status(
        site=status.site,
        now=status.now,
        posture=status.posture,
        since=status.since,
        openings=[
            OpeningStatus(
                id=door.id,
                name=door.name,
                state=door.state,
                lifeline=door.lifeline,
                direction=door.direction,
                care=door.care,
                zones=door.zones,
                fallback=door.fallback,
                fallback_phone=door.fallback_phone,
                since=door.since,
            )
            for door in status.openings
        ],
        incidents=[],
        measures=[],
        journal_entries=0,
        journal_root="",
        enforcement_verified=status.enforcement_verified,
        enforcement_fault=status.enforcement_fault and WITHHELD,
        placement=status.placement,
        unwatched=status.unwatched,
    )


def _incident(incident: IncidentStatus, by: Audience, called: Mapping[str, str]) -> IncidentStatus:
    waiting = [structs.replace(each, target=house_name(each.target, called)) for each in incident.proposals]
    return structs.replace(incident.nameless(called), proposals=waiting if by.may_order else [])


def _measure(measure: MeasureStatus, called: Mapping[str, str]) -> MeasureStatus:
    target = house_name(measure.target, called)
    return structs.replace(measure, target=target, by=machine_only(measure.by), reason="")


def _step(step: HandStepStatus, called: Mapping[str, str]) -> HandStepStatus:
    return structs.replace(step, target=house_name(step.target, called), by="", note="")


def _alert(alert: AlertStatus, by: Audience) -> AlertStatus:
    """What it is about, and whether anybody was reached. The code takes it: it is for whoever may."""
    told = [replace(each, note="") for each in alert.told]
    return structs.replace(alert, code=alert.code if by.may_order else "", told=told, taken_by="")


def _care(care: CareStatus, by: Audience) -> CareStatus:
    """Whether care goes on, without who said so; the words of staff for those who answer at night."""

    def words(text: str) -> str:
        return text if by.may_order else ""

    wards = [structs.replace(each, by="", note=words(each.note)) for each in care.wards]
    troubles = [
        structs.replace(each, by="", note=words(each.note), remedy=words(each.remedy))
        for each in care.troubles
    ]
    return structs.replace(
        care,
        rehearsal=care.rehearsal and _rehearsal(care.rehearsal),
        wards=wards,
        troubles=troubles,
        outside=[structs.replace(each, by="", proof="") for each in care.outside],
        papers=[structs.replace(each, by="", what=words(each.what)) for each in care.papers],
        probes=[structs.replace(each, detail="") for each in care.probes],
        pack=care.pack and structs.replace(care.pack, path="", sha256=""),
    )


def _rehearsal(made: RehearsalStatus) -> RehearsalStatus:
    return structs.replace(
        made,
        by="",
        ticks=[structs.replace(each, by="", note="") for each in made.ticks],
        corrections=[structs.replace(each, by="", reason="") for each in made.corrections],
    )


def _plain(door: OpeningStatus) -> OpeningStatus:
    """One door: how far it is, without names, proofs and others' words."""
    return structs.replace(
        door,
        visitor=door.visitor and WITHHELD,
        visitor_from="",
        visitor_to=[],
        visitor_certificate="",
        partner=door.partner and WITHHELD,
        obstacles=[_obstacle(each) for each in door.obstacles],
        checks=[structs.replace(each, detail=_UNSAID) for each in door.checks],
        answers=[structs.replace(each, by="", proof="") for each in door.answers],
    )


def _obstacle(obstacle: Phrase) -> Phrase:
    """What stands against a trial, without what somebody else wrote and without what a machine found in detail."""
    if obstacle.key == "against-partner":
        return phrase(obstacle.key, condition=WITHHELD)
    if obstacle.because:
        return phrase(obstacle.key, because=[Phrase("", WITHHELD)], **obstacle.arguments)
    return obstacle
