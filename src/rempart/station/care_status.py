"""Whether care goes on, as pages and terminals see it."""

from rempart.care import attestation, rehearsal
from rempart.care.ledger import Turn
from rempart.care.rehearsal import Becomes, Correction
from rempart.care.reply import Reply
from rempart.engine.state import State
from rempart.instants import Instant, hours
from rempart.messages import (
    CareStatus,
    CorrectionStatus,
    OutsideStatus,
    PackStatus,
    PaperStatus,
    ProbeStatus,
    RehearsalStatus,
    TickStatus,
    TroubleStatus,
    WardStatus,
)
from rempart.site.opening import OpeningState
from rempart.site.probe import Probe
from rempart.site.site import Site

_SHOWN = 60
"""Troubles, and piles of paper, shown at most: the open ones first."""


def care_status(site: Site, state: State, now: Instant) -> CareStatus:
    """What is known about care now."""
    ledger = state.care
    troubles = sorted(ledger.troubles.values(), key=lambda each: (each.settled is not None, -each.at))
    papers = sorted(ledger.papers.values(), key=lambda each: (each.entered is not None, -each.at))
    return CareStatus(
        rehearsal=_rehearsal(site, state, now),
        locked=rehearsal.locked(site, ledger.rehearsal, now),
        wards=_wards(site, state, now),
        troubles=[
            TroubleStatus(
                id=each.id,
                service=each.service,
                ail=each.ail.value,
                ward=each.ward,
                note=each.note,
                by=each.by,
                at=each.at,
                settled=each.settled,
                remedy=each.remedy,
            )
            for each in troubles[:_SHOWN]
        ],
        outside=_outside(site, state),
        papers=[
            PaperStatus(
                id=each.id,
                opening=each.opening,
                what=each.what,
                by=each.by,
                at=each.at,
                entered=each.entered,
            )
            for each in papers[:_SHOWN]
        ],
        probes=[_probe(state, probe) for probe in site.probes],
        pack=_pack(site, state, now),
    )


def _rehearsal(site: Site, state: State, now: Instant) -> RehearsalStatus | None:
    latest = state.care.rehearsal
    if latest is None:
        return None
    return RehearsalStatus(
        began=latest.began,
        until=latest.until,
        by=latest.by,
        ended=latest.ended,
        early=latest.early,
        locked=rehearsal.locked(site, latest, now),
        ticks=[
            TickStatus(ward=ward, question=question, reply=tick.reply.value, note=tick.note, by=tick.by)
            for ward, ticks in latest.ticks.items()
            for question, tick in ticks.items()
        ],
        unanswered=[(ward, question.value) for ward, question in rehearsal.unanswered(site, latest)],
        corrections=[
            CorrectionStatus(
                opening=each.opening,
                becomes=each.becomes.value,
                reason=each.reason,
                by=each.by,
                written=_written(site, each),
            )
            for each in latest.corrections
        ],
    )


def _written(site: Site, correction: Correction) -> bool:
    """Whether site.toml, as the guard read it, says so by now; of a fallback only people can tell."""
    opening = next((each for each in site.openings if each.id == correction.opening), None)
    match correction.becomes:
        case Becomes.LIFELINE:
            return opening is not None and opening.lifeline
        case Becomes.NO_LIFELINE:
            return opening is not None and not opening.lifeline
        case Becomes.OPENING:
            return opening is not None
        case Becomes.FALLBACK:
            return False


def _wards(site: Site, state: State, now: Instant) -> list[WardStatus]:
    standings = attestation.standings(site, state.care.attested, now)
    found = []
    for ward in site.wards:
        said = state.care.attested.get(ward.id)
        found.append(
            WardStatus(
                id=ward.id,
                name=ward.name,
                phone=ward.phone,
                standing=standings[ward.id].value,
                at=said.at if said else None,
                note=said.note if said else "",
                by=said.by if said else "",
            )
        )
    return found


def _outside(site: Site, state: State) -> list[OutsideStatus]:
    found = []
    for item in site.outside_wall:
        for number, action in enumerate(item.actions, start=1):
            tick = state.care.outside.get(item.name, {}).get(action)
            found.append(
                OutsideStatus(
                    item=item.name,
                    number=number,
                    action=action,
                    phone=item.phone,
                    reply=(tick.reply if tick else Reply.UNKNOWN).value,
                    proof=tick.proof if tick else "",
                    by=tick.by if tick else "",
                    at=tick.at if tick else None,
                )
            )
    return found


def _probe(state: State, probe: Probe) -> ProbeStatus:
    turns = state.care.probes.get(probe.id, ())
    last = turns[-1] if turns else None
    return ProbeStatus(
        id=probe.id,
        name=probe.name,
        opening=probe.opening,
        answered=last.answered if last else None,
        right=_right(state, probe, last) if last else None,
        since=last.asked if last else None,
        detail=last.detail if last else "",
        history=[(turn.asked, turn.answered) for turn in turns],
    )


def _right(state: State, probe: Probe, last: Turn) -> bool | None:
    """Whether an answer, or none, is as it should be.

    Through an open door silence proves nothing; nor does what was asked before the door last changed.
    """
    if probe.opening is None:
        return last.answered
    door = state.doors[probe.opening]
    if last.asked < door.since:
        return None
    if door.stand.state is OpeningState.CLOSED:
        return not last.answered
    return True if last.answered else None


def _pack(site: Site, state: State, now: Instant) -> PackStatus | None:
    if site.downtime_pack is None:
        return None
    seen = state.care.pack
    there = seen is not None and bool(seen.sha256)
    return PackStatus(
        path=site.downtime_pack.path,
        written=seen.written if seen and there else None,
        sha256=seen.sha256 if seen else "",
        hours=site.downtime_pack.hours,
        fresh=seen is not None and there and now - seen.written <= hours(site.downtime_pack.hours),
    )
