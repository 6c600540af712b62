"""Case files: what was seen, said and done about each incident that is kept in mind."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.engine.state import Measure, State
from rempart.incidents.casefile import (
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
from rempart.incidents.incident import Qualification

Cases = Mapping[str, CaseFile]


def after_it(before: State, after: State, fact: AnyFact) -> Cases:
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


def _concerned(before: State, after: State, fact: AnyFact) -> Iterable[str]:
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


def _behind(measure: Measure | None, cut: frozenset[str]) -> Iterable[str]:
    return (measure.incident,) if measure and measure.incident else cut
