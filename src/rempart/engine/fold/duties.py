"""Duties: what was answered about them, and what was sent."""

from rempart.duties.answers import Answer, Sent
from rempart.duties.ledger import DutyLedger
from rempart.engine import facts
from rempart.engine.facts import AnyFact


def after_it(ledger: DutyLedger, fact: AnyFact) -> DutyLedger:
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
