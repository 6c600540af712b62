"""Casework: what people write about an incident becomes facts."""

from rempart.accounts.person import STAFF
from rempart.engine import facts, orders
from rempart.engine.facts import AnyFact
from rempart.engine.state import State
from rempart.errors import require
from rempart.incidents.casefile import MOST_FILES, NOTHING
from rempart.instants import Instant

CaseOrder = (
    orders.QualifyIncident
    | orders.AssignIncident
    | orders.CommentIncident
    | orders.AttachFile
    | orders.EraseFile
    | orders.MergeIncidents
    | orders.SplitIncident
    | orders.AnswerQuestion
    | orders.NoteSending
)
"""Orders that say something about an incident and change nothing in the kernel."""


def decide(state: State, order: CaseOrder, now: Instant) -> AnyFact:
    """What is sealed of somebody's words about an incident. Raises `OrderRefused`."""
    match order:
        case orders.MergeIncidents(into=into, merged=merged, by=by, reason=reason):
            require(into != merged, "merged-into-itself")
            for name in (into, merged):
                require(name in state.incidents, "no-incident", incident=name)
            return facts.IncidentsMerged(at=now, into=into, merged=merged, by=by, reason=reason)
        case orders.EraseFile():
            return _erased(state, order, now)
        case _:
            name = order.incident
    require(name in state.incidents, "no-incident", incident=name)
    match order:
        case orders.QualifyIncident():
            return facts.IncidentQualified(
                at=now,
                incident=name,
                by=order.by,
                author=order.author.value,
                intent=order.intent.value,
                ransom=order.ransom.value,
                outcome=order.outcome.value,
                note=order.reason,
            )
        case orders.AssignIncident(person=person):
            require(not person or _may_look_after(state, person), "nobody-by-that-name", person=person)
            return facts.IncidentAssigned(at=now, incident=name, person=person, by=order.by)
        case orders.CommentIncident(text=text):
            require(bool(text.strip()), "empty-comment")
            return facts.IncidentCommented(at=now, incident=name, text=text, by=order.by)
        case orders.AttachFile():
            return _attached(state, order, now)
        case orders.SplitIncident():
            return _split(state, order, now)
        case orders.AnswerQuestion():
            return _answered(order, now)
        case orders.NoteSending():
            require(bool(order.proof.strip()), "no-proof")
            require(order.on <= now, "sent-in-future")
            return facts.DutyFulfilled(
                at=now,
                incident=name,
                duty=order.duty.value,
                on=Instant(order.on),
                proof=order.proof,
                by=order.by,
            )


def _may_look_after(state: State, person: str) -> bool:
    known = state.people.get(person)
    return known is not None and known.enabled and bool(known.roles & STAFF)


def _attached(state: State, order: orders.AttachFile, now: Instant) -> facts.FileAttached:
    held = state.cases.get(order.incident, NOTHING).files
    require(len(held) < MOST_FILES, "many-files", count=MOST_FILES)
    require(all(file.sha256 != order.sha256 or file.erased for file in held), "file-again")
    return facts.FileAttached(
        at=now,
        incident=order.incident,
        name=order.name,
        size=order.size,
        sha256=order.sha256,
        note=order.reason,
        by=order.by,
    )


def _erased(state: State, order: orders.EraseFile, now: Instant) -> facts.FileErased:
    """Also of an incident that is no longer kept in mind: whether there are such bytes, the guard knows.

    What stands as erased may be erased again: the disk may have refused.
    """
    held = state.cases.get(order.incident, NOTHING).files
    known = any(file.sha256 == order.sha256 for file in held)
    require(known or order.incident not in state.incidents, "no-such-file")
    require(bool(order.reason.strip()), "erasure-reason")
    return facts.FileErased(
        at=now, incident=order.incident, sha256=order.sha256, by=order.by, reason=order.reason
    )


def _split(state: State, order: orders.SplitIncident, now: Instant) -> facts.IncidentSplit:
    case = state.cases.get(order.incident, NOTHING)
    kept, wanted = {seen.finding for seen in case.seen}, set(order.findings)
    require(wanted <= kept, "not-its-findings", incident=order.incident, findings=sorted(wanted - kept))
    require(len(wanted) < len(kept) + case.unkept, "one-finding-stays")
    into = f"{order.incident}-{len(case.split_off) + 2}"
    require(into not in state.incidents and len(into) <= 120, "split-too-often")
    return facts.IncidentSplit(
        at=now,
        incident=order.incident,
        into=into,
        findings=sorted(wanted),
        by=order.by,
        reason=order.reason,
    )


def _answered(order: orders.AnswerQuestion, now: Instant) -> facts.QuestionAnswered:
    if order.question.number:
        require(order.number is not None, "asks-for-number", question=order.question.value)
    else:
        require(order.number is None, "asks-for-yes-or-no", question=order.question.value)
    require(order.since is None or order.since <= now, "known-from-future")
    answer: str | int = order.reply.value if order.number is None else order.number
    return facts.QuestionAnswered(
        at=now,
        incident=order.incident,
        question=order.question.value,
        answer=answer,
        since=order.since,
        why=order.reason,
        by=order.by,
    )
