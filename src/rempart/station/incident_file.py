"""One incident with its case file, as somebody with certain roles may see it: what they may not is not in it.

Accounts of workers stay behind masks for everybody. Counts of persons, legal clocks, attached files and technical
detail are for those who check on things; a ward screen can be read by visitors.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from msgspec import structs

from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.engine import orders
from rempart.engine.rights import needs
from rempart.engine.state import State
from rempart.incidents.casefile import NOTHING, CaseFile, Deed, Seen
from rempart.instants import Instant, hours
from rempart.messages import MAX_FRAME, IncidentFile, house_name, machine_only
from rempart.site.site import Site
from rempart.station.status import Masked, incident_status

CHECKING = INFORMED
"""Roles that see clocks, counts of persons, files and technical detail."""

_BEFORE = hours(1)

_T = TypeVar("_T")


def belongs_to(state: State, incident: str) -> str | None:
    """The incident of that id, or the one that it became part of."""
    if incident in state.incidents:
        return incident
    return next((name for name, case in state.cases.items() if incident in case.absorbed), None)


def incident_file(
    site: Site, state: State, incident: str, now: Instant, *, roles: frozenset[Role], masked: Masked
) -> IncidentFile:
    """The incident for a visitor with these roles; none: whoever came by the link."""
    known = state.incidents[incident]
    case = _behind_masks(state.cases.get(incident, NOTHING), incident, masked)
    may = _may(state, incident, roles)
    since = known.opened - _BEFORE
    shown = IncidentFile(
        incident=incident_status(state, known, masked),
        case=case,
        swings=[swing for swing in state.swings if swing.at >= since],
        now=now,
        answers=state.duties.about(incident),
        staff={
            person.id: person.name
            for person in state.people.values()
            if person.enabled and person.roles & STAFF
        }
        if "AssignIncident" in may
        else {},
        may=may,
    )
    if roles & CHECKING:
        return shown
    return _plain(shown, site.called(), on_duty=Role.DUTY in roles)


def fitting(shown: IncidentFile) -> IncidentFile:
    """What of it one frame takes: the latest. A log may hold names of control characters, six bytes each in JSON."""
    while len(msgspec.json.encode(shown)) > MAX_FRAME and (shorter := _halved(shown.case)) != shown.case:
        shown = structs.replace(shown, case=shorter)
    return shown


def _halved(case: CaseFile) -> CaseFile:
    seen = _latest(case.seen)
    return replace(
        case,
        seen=seen,
        unkept=case.unkept + len(case.seen) - len(seen),
        deeds=_latest(case.deeds),
        comments=_latest(case.comments),
        qualified=_latest(case.qualified),
        assigned=_latest(case.assigned),
    )


def _latest(these: tuple[_T, ...]) -> tuple[_T, ...]:
    """The later half; what stands alone stays."""
    return these[len(these) // 2 :]


def _may(state: State, incident: str, roles: frozenset[Role]) -> list[str]:
    """Kinds of orders about the incident that these roles allow."""
    common: dict[str, Any] = {"by": "-", "incident": incident}
    these = (
        orders.QualifyIncident(**common),
        orders.AssignIncident(**common),
        orders.CommentIncident(**common, text="-"),
        orders.AttachFile(**common, name="-", size=1, sha256="0" * 64),
        orders.EraseFile(**common, sha256="0" * 64),
        orders.MergeIncidents(by="-", into=incident, merged="-"),
        orders.SplitIncident(**common, findings=["-"]),
        orders.AnswerQuestion(**common, question=QuestionId.NIS2_SCOPE),
        orders.NoteSending(**common, duty=DutyId.INSURER, on=0, proof="-"),
    )
    return [type(order).__name__ for order in these if roles & needs(state, order).roles]


def _plain(shown: IncidentFile, called: Mapping[str, str], *, on_duty: bool) -> IncidentFile:
    """The plain story: without names, addresses, counts of persons, clocks, files and technical detail."""
    case = shown.case
    return structs.replace(
        shown,
        incident=shown.incident.nameless(called),
        case=replace(
            NOTHING,
            deeds=tuple(
                _without_name(deed, called) for deed in case.deeds if deed.what not in ("answered", "told")
            ),
            qualified=tuple(replace(each, by="", note="") for each in case.qualified[-1:]),
            comments=case.comments if on_duty else (),
            absorbed=case.absorbed,
            split_off=case.split_off,
            split_from=case.split_from,
        ),
        swings=[replace(swing, by=machine_only(swing.by)) for swing in shown.swings],
        answers=None,
    )


def _without_name(deed: Deed, called: Mapping[str, str]) -> Deed:
    target = deed.target if deed.what in ("merged", "split") else house_name(deed.target, called)
    return replace(deed, by=machine_only(deed.by), reason="", target=target)


def _behind_masks(case: CaseFile, incident: str, masked: Masked) -> CaseFile:
    def hidden(seen: Seen) -> Seen:
        return replace(seen, accounts=tuple(masked(incident, each) for each in seen.accounts))

    return replace(case, seen=tuple(hidden(seen) for seen in case.seen))
