"""The way back: gates, trials, relapses, and the dossier beside them."""

from dataclasses import replace

from rempart.containment.measure import Stand
from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.fold.doors import with_stand
from rempart.engine.fold.incidents import tell_contained
from rempart.engine.state import Answer, Posture, State, standing, without
from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.reopening.dossier import Dossier, Override, Partner, Proof
from rempart.site.opening import OpeningState

MOST_PROOFS = 1_000
"""Dated proofs of one kind that are kept in mind; the journal has them all."""


def after_it(state: State, fact: facts.ReopeningFact) -> State:
    """The state after one fact about reopening."""
    match fact:
        case facts.GateAnswered(opening=opening, gate=gate):
            answer = Answer(answer=fact.answer, proof=fact.proof, by=fact.by, at=fact.at)
            of_opening = {**state.gates.get(opening, {}), gate: answer}
            return changed(state, gates={**state.gates, opening: of_opening})
        case facts.TrialStarted():
            return _trial_started(state, fact)
        case facts.TrialConfirmed(at=at, opening=opening, by=by):
            told = tell_contained(state, at, Sentence("story.confirmed", {"opening": opening, "by": by}))
            return with_stand(told, opening, Stand(state=standing(told, opening).state), at, reopened=True)
        case facts.TrialEnded(at=at, opening=opening):
            falls_to = standing(state, opening).then or OpeningState.CLOSED
            return _close_again(state, opening, falls_to, at)
        case facts.OpeningReclosed(at=at, opening=opening, state=wanted, title=title):
            sentence = Sentence("story.reclosed", {"opening": opening, "title": title})
            return _close_again(tell_contained(state, at, sentence), opening, wanted, at)
        case _:
            return changed(state, dossier=_filed(state.dossier, fact))


def _trial_started(state: State, fact: facts.TrialStarted) -> State:
    sentence = Sentence("story.reopened", {"opening": fact.opening, "by": fact.by})
    told = tell_contained(state, fact.at, sentence)
    on_trial = Stand(state=fact.state, until=fact.until, then=fact.then)
    if fact.confirm_by is not None:
        made = Override(by=fact.by, at=fact.at, due=fact.confirm_by, reason=fact.reason)
        overrides = {**told.dossier.overrides, fact.opening: made}
        told = changed(told, dossier=replace(told.dossier, overrides=overrides))
    opened = with_stand(told, fact.opening, on_trial, fact.at, reopened=True, by=fact.by)
    order = opened.reopened if fact.opening in opened.reopened else (*opened.reopened, fact.opening)
    return changed(
        opened,
        reopened=order,
        posture=Posture.REOPENING if opened.contained else opened.posture,
        since=fact.at if opened.posture is Posture.CONTAINED else opened.since,
    )


def _close_again(state: State, opening: str, wanted: OpeningState, at: Instant) -> State:
    """Fall back after a trial or a relapse; every gate must be passed anew."""
    shut = with_stand(state, opening, Stand(state=wanted), at)
    return changed(shut, gates=without(shut.gates, opening))


def _filed(dossier: Dossier, fact: facts.DossierFact) -> Dossier:
    match fact:
        case facts.StageSet(opening=opening, stage=stage):
            return replace(dossier, stages={**dossier.stages, opening: stage})
        case facts.PartnerNoted(opening=opening, condition=condition, met=met, by=by):
            partner = Partner(condition=condition, met=met, by=by)
            return replace(dossier, partners={**dossier.partners, opening: partner})
        case facts.ProofGiven(proves=kind, subject=subject, on=on, proof=proof, by=by):
            of_kind = {**dossier.proofs.get(kind.value, {}), subject: Proof(on=on, proof=proof, by=by)}
            while len(of_kind) > MOST_PROOFS:
                del of_kind[next(iter(of_kind))]
            return replace(dossier, proofs={**dossier.proofs, kind.value: of_kind})
        case facts.OverrideConfirmed(opening=opening):
            return replace(dossier, overrides=without(dossier.overrides, opening))
