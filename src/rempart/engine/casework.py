"""Casework: what people write about an incident becomes facts, and the incidents' case files follow from all facts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rempart.accounts.person import Role
from rempart.detection.finding import Outcome
from rempart.duties.answers import Answer, Sent
from rempart.duties.ledger import DutyLedger
from rempart.engine import facts, orders
from rempart.engine.facts import AnyFact
from rempart.errors import require
from rempart.incidents.casefile import (
    MOST_FILES,
    MOST_WRITTEN,
    NOTHING,
    Assigned,
    Attachment,
    CaseFile,
    Comment,
    Deed,
    Erasure,
    Qualified,
    Seen,
    joined,
    latest,
    parties,
)
from rempart.incidents.incident import Incident, Qualification, Sentence
from rempart.instants import Instant

if TYPE_CHECKING:
    from rempart.engine.state import State

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

LOOK_AFTER = frozenset({Role.DUTY, Role.TECHNICIAN, Role.PRIVACY_OFFICER, Role.APPROVER})


def decide(state: "State", order: CaseOrder, now: Instant) -> AnyFact:
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


def _may_look_after(state: "State", person: str) -> bool:
    known = state.people.get(person)
    return known is not None and known.enabled and bool(known.roles & LOOK_AFTER)


def _attached(state: "State", order: orders.AttachFile, now: Instant) -> facts.FileAttached:
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


def _erased(state: "State", order: orders.EraseFile, now: Instant) -> facts.FileErased:
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


def _split(state: "State", order: orders.SplitIncident, now: Instant) -> facts.IncidentSplit:
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


# -- the case files ----------------------------------------------------------------------------------------------

Cases = Mapping[str, CaseFile]


def after_it(before: "State", after: "State", fact: AnyFact) -> Cases:
    """The case files after one fact; incidents that are no longer kept in mind have none. Total, as the fold is."""
    cases = before.cases
    match fact:
        case facts.FindingJoined(incident=incident):
            return _with(cases, incident, cases.get(incident, NOTHING).with_seen(_seen(fact)))
        case facts.IncidentsMerged(into=into, merged=merged) if into in cases and merged in cases:
            whole = joined(cases[into], cases[merged], merged)
            told = whole.with_deed(
                Deed(at=fact.at, what="merged", target=merged, by=fact.by, reason=fact.reason)
            )
            return {**{name: case for name, case in cases.items() if name != merged}, into: told}
        case facts.IncidentSplit(incident=incident) if incident in cases and incident in before.incidents:
            return _parted(cases, fact)
        case facts.FileErased(sha256=sha256):
            gone = Erasure(at=fact.at, by=fact.by, reason=fact.reason)
            return {name: case.without_bytes(sha256, gone) for name, case in cases.items()}
        case facts.QuietReturned():
            return {name: case for name, case in cases.items() if name in after.incidents}
        case _ if (written := _written(fact, cases)) is not None and written[0] in after.incidents:
            return _with(cases, *written)
    deed = _deed(fact)
    if deed is None:
        return cases
    concerned = [name for name in _concerned(before, after, fact) if name in after.incidents]
    if not concerned:
        return cases
    return {**cases, **{name: cases.get(name, NOTHING).with_deed(deed) for name in concerned}}


def _with(cases: Cases, name: str, case: CaseFile) -> Cases:
    return {**cases, name: case}


def _seen(fact: facts.FindingJoined) -> Seen:
    return Seen(
        finding=fact.finding,
        at=fact.at,
        rule=fact.rule,
        title=fact.title,
        level=fact.level,
        kind=fact.kind,
        outcome=fact.outcome,
        actors=parties(fact.actors),
        accounts=parties(fact.accounts),
        assets=parties(fact.assets),
        hosts=parties(fact.hosts),
        victims=parties(fact.victims),
        source=fact.source,
        record=fact.record,
        count=fact.count,
        tally=fact.tally,
    )


def _written(fact: AnyFact, cases: Cases) -> tuple[str, CaseFile] | None:
    """The incident that somebody wrote about, and its file with their words."""
    match fact:
        case facts.IncidentQualified(incident=incident):
            said = Qualification(
                author=fact.author, intent=fact.intent, ransom=fact.ransom, outcome=fact.outcome
            )
            case = cases.get(incident, NOTHING)
            one = Qualified(at=fact.at, by=fact.by, said=said, note=fact.note)
            return incident, replace(case, qualified=latest((*case.qualified, one), MOST_WRITTEN))
        case facts.IncidentAssigned(incident=incident):
            case = cases.get(incident, NOTHING)
            given = Assigned(at=fact.at, by=fact.by, person=fact.person)
            return incident, replace(case, assigned=latest((*case.assigned, given), MOST_WRITTEN))
        case facts.IncidentCommented(incident=incident):
            case = cases.get(incident, NOTHING)
            comment = Comment(at=fact.at, by=fact.by, text=fact.text)
            return incident, replace(case, comments=latest((*case.comments, comment), MOST_WRITTEN))
        case facts.FileAttached(incident=incident):
            case = cases.get(incident, NOTHING)
            file = Attachment(
                at=fact.at,
                by=fact.by,
                name=fact.name,
                size=fact.size,
                sha256=fact.sha256,
                note=fact.note,
            )
            return incident, replace(case, files=(*case.files, file))
        case _:
            return None


def _parted(cases: Cases, fact: facts.IncidentSplit) -> Cases:
    case, moved = cases[fact.incident], set(fact.findings)
    deed = Deed(at=fact.at, what="split", target=fact.into, by=fact.by, reason=fact.reason)
    stays = replace(
        case,
        seen=tuple(seen for seen in case.seen if seen.finding not in moved),
        split_off=(*case.split_off, fact.into),
    )
    goes = CaseFile(seen=tuple(seen for seen in case.seen if seen.finding in moved), split_from=fact.incident)
    return {**cases, fact.incident: stays.with_deed(deed), fact.into: goes.with_deed(deed)}


def _deed(fact: AnyFact) -> Deed | None:
    """What was done, by whom, to what: for the facts that are deeds."""

    def deed(what: str, target: str, by: str = facts.MACHINE, reason: str = "") -> Deed:
        return Deed(at=fact.at, what=what, target=target, by=by, reason=reason)

    match fact:
        case facts.Contained(by=by, reason=reason):
            return deed("contained", "", by, reason)
        case facts.LifelineClosed(opening=target, by=by, reason=reason):
            return deed("lifeline-closed", target, by, reason)
        case facts.OpeningSet(opening=target, state=wanted, by=by, reason=reason):
            return deed(f"set-{wanted.value}", target, by, reason)
        case facts.Blocked(target=target, by=by, reason=reason):
            return deed("blocked", target, by, reason)
        case facts.Unblocked(target=target, by=by):
            return deed("unblocked", target, by)
        case facts.Isolated(asset=target, by=by, reason=reason):
            return deed("isolated", target, by, reason)
        case facts.Released(asset=target, by=by):
            return deed("released", target, by)
        case facts.ProposalSettled(by=by):
            return deed("approved", "", by)
        case facts.TrialStarted(opening=target, by=by, reason=reason):
            return deed("trial", target, by, reason)
        case facts.TrialConfirmed(opening=target, by=by):
            return deed("trial-confirmed", target, by)
        case facts.TrialEnded(opening=target):
            return deed("trial-ended", target)
        case facts.OpeningReclosed(opening=target, title=title):
            return deed("reclosed", target, reason=title)
        case facts.FellBack():
            return deed("fell-back", "")
        case facts.Normalised(by=by, reason=reason):
            return deed("normal", "", by, reason)
        case facts.Acknowledged(by=by):
            return deed("taken", "", by)
        case facts.QuestionAnswered(question=target, by=by):
            return deed("answered", target, by)
        case facts.DutyFulfilled(duty=target, by=by):
            return deed("told", target, by)
        case _:
            return None


def _concerned(before: "State", after: "State", fact: AnyFact) -> Iterable[str]:
    """The incidents that a deed was done for: its own, or all that the site is cut for."""
    cut = before.contained_for | after.contained_for
    match fact:
        case facts.Blocked(incident=incident) | facts.Isolated(incident=incident):
            return (incident,) if incident else cut
        case facts.Unblocked(target=target):
            return _behind(before.blocked.get(target), cut)
        case facts.Released(asset=target):
            return _behind(before.isolated.get(target), cut)
        case facts.ProposalSettled(proposal=proposal):
            return (before.proposals[proposal].incident,) if proposal in before.proposals else ()
        case facts.Acknowledged(alert=alert):
            return (alert,)
        case facts.QuestionAnswered(incident=incident) | facts.DutyFulfilled(incident=incident):
            return (incident,)
        case facts.OpeningReclosed(incident=incident):
            return cut | {incident}
        case _:
            return cut


def _behind(measure: object, cut: frozenset[str]) -> Iterable[str]:
    incident = getattr(measure, "incident", None)
    return (incident,) if incident else cut


# -- what is owed to others --------------------------------------------------------------------------------------


def duties_after(ledger: DutyLedger, fact: AnyFact) -> DutyLedger:
    """The ledger of duties after one fact."""
    match fact:
        case facts.QuestionAnswered():
            answer = Answer(
                question=fact.question,
                value=fact.answer,
                by=fact.by,
                at=fact.at,
                since=fact.since,
                why=fact.why,
            )
            return ledger.answered(fact.incident, answer)
        case facts.DutyFulfilled():
            return ledger.fulfilled(
                fact.incident, Sent(duty=fact.duty, at=fact.on, by=fact.by, proof=fact.proof)
            )
        case facts.IncidentsMerged(into=into, merged=merged):
            return ledger.joined(into, merged)
        case _:
            return ledger


# -- splitting ---------------------------------------------------------------------------------------------------


def part(incident: Incident, name: str, seen: tuple[Seen, ...]) -> Incident:
    """An incident of these findings, in the same state as the one they were taken for."""
    story = tuple(step for step in incident.story if _speaks_of(step[1], seen))
    return replace(_of(incident, seen), id=name, story=story, qualification=Qualification())


def remainder(incident: Incident, case: CaseFile, moved: tuple[Seen, ...]) -> Incident:
    """What stays of an incident. Where not all its findings are kept, nothing that they may have told is taken away."""
    gone = {each.finding for each in moved}
    stays = tuple(each for each in case.seen if each.finding not in gone)
    if case.unkept or not stays:
        return replace(incident, findings=max(1, incident.findings - len(moved)), persons_touched=None)
    story = tuple(
        step for step in incident.story if "actor" not in step[1].arguments or _speaks_of(step[1], stays)
    )
    return replace(_of(incident, stays), story=story)


def _of(incident: Incident, seen: tuple[Seen, ...]) -> Incident:
    """The incident as it follows from these findings alone; whoever was touched is to be counted again."""
    succeeded = [each for each in seen if each.outcome is Outcome.SUCCESS]
    return replace(
        incident,
        opened=min(each.at for each in seen),
        last_seen=max(each.at for each in seen),
        level=max(each.level for each in seen),
        kinds=frozenset(each.kind for each in seen),
        actors=frozenset(name for each in seen for name in each.actors),
        accounts=frozenset(name for each in succeeded for name in each.accounts),
        assets=frozenset(name for each in seen for name in each.assets),
        hosts=frozenset(name for each in seen for name in each.hosts),
        findings=len(seen),
        persons_touched=None,
    )


def _speaks_of(sentence: Sentence, seen: tuple[Seen, ...]) -> bool:
    """Whether a sentence of the story may be about one of these findings."""
    return any(
        sentence.key == f"story.{each.kind.value}"
        and sentence.arguments.get("actor") == ", ".join(each.actors[:3])
        for each in seen
    )
