"""The way back: what gates, plans and trials make of orders about reopening, and the dossier that follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from rempart.care.ledger import papers_waiting
from rempart.containment.measure import stricter
from rempart.engine import facts, orders
from rempart.engine.facts import AnyFact
from rempart.engine.named import opening_named
from rempart.engine.orders import GateAnswer
from rempart.engine.state import NEVER, State, is_rehearsed, rehearsing
from rempart.errors import OrderRefused, require
from rempart.instants import Instant, after, seconds
from rempart.phrase import Phrase, phrase
from rempart.reopening import plan
from rempart.reopening.check import Check, Ground, Verdict, checks, unproven_core
from rempart.reopening.gate import Gate, missing
from rempart.reopening.profile import gates, profile
from rempart.reopening.trial import falls_to
from rempart.site.belgian_time import on_the_wall, wall_instant
from rempart.site.hours import Hours
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site
from rempart.site.trial import DAY, spelled

UNKNOWN_WAY_IN = 3 * DAY
"""Seconds for which a trial lasts at least when nobody ever found how the attacker came in."""

ReopeningOrder = (
    orders.AnswerGate
    | orders.Reopen
    | orders.ConfirmTrial
    | orders.Normalise
    | orders.SetStage
    | orders.NotePartner
    | orders.NoteProof
    | orders.ConfirmOverride
)


def decide(site: Site, state: State, order: ReopeningOrder, now: Instant) -> tuple[AnyFact, ...]:
    """The facts an order about reopening makes. Raises `OrderRefused`."""
    return _way_back(site, state, now).hear(order)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How an opening stands on the way back: its stage (0: not waited for), the machine's checks, the obstacles."""

    stage: int
    checks: tuple[Check, ...]
    obstacles: tuple[Phrase, ...]


def outlooks(site: Site, state: State, now: Instant, by: str = "") -> dict[str, Outlook]:
    """Every opening's outlook; ``by``: who would start the trial, empty: anybody. While nothing is cut, only stages."""
    way = _way_back(site, state, now)
    if not state.contained:
        return {opening.id: Outlook(way.stages.get(opening.id, 0), (), ()) for opening in site.openings}
    return {
        opening.id: Outlook(
            way.stages.get(opening.id, 0), way.checked(opening), tuple(way.obstacles(opening, by))
        )
        for opening in site.openings
    }


def ground(site: Site, state: State, now: Instant) -> Ground:
    """What the machine's checks go by."""
    because = [state.incidents[name] for name in state.contained_for if name in state.incidents]
    through = [
        (probe.id, turns[-1].answered)
        for probe in site.probes
        if probe.opening
        and (turns := state.care.probes.get(probe.id))
        and state.doors[probe.opening].stand.state is OpeningState.CLOSED
        and turns[-1].asked >= state.doors[probe.opening].since
    ]
    return Ground(
        now=now,
        cut_since=state.cut_since,
        attacked=min((incident.opened for incident in because), default=None),
        last_beacon=state.last_beacon if state.last_beacon != NEVER else None,
        leaks=tuple(name for name, answered in through if answered),
        silent=sum(not answered for _, answered in through),
        isolated=frozenset(state.isolated),
        dossier=state.dossier,
    )


def _way_back(site: Site, state: State, now: Instant) -> "_WayBack":
    return _WayBack(site, state, now, ground(site, state, now), plan.stages(site, state.dossier.stages))


@dataclass(frozen=True, slots=True)
class _WayBack:
    site: Site
    state: State
    now: Instant
    ground: Ground
    stages: dict[str, int]

    def hear(self, order: ReopeningOrder) -> tuple[AnyFact, ...]:
        match order:
            case orders.AnswerGate():
                return self.answer_gate(order)
            case orders.Reopen():
                return self.reopen(order)
            case orders.ConfirmTrial():
                return self.confirm(order)
            case orders.Normalise():
                return self.normalise(order)
            case orders.SetStage():
                return self.set_stage(order)
            case orders.NotePartner(by=by, opening=opening, condition=condition, met=met):
                self.opening(opening)
                require(bool(condition.strip()), "no-condition")
                noted = facts.PartnerNoted(at=self.now, opening=opening, condition=condition, met=met, by=by)
                return (noted,)
            case orders.NoteProof(by=by, proves=kind, subject=subject, on=on, proof=proof):
                require(bool(subject.strip() and proof.strip()), "not-said-proven")
                require(on <= self.now, "day-to-come")
                given = facts.ProofGiven(
                    at=self.now, proves=kind, subject=subject, on=Instant(on), proof=proof, by=by
                )
                return (given,)
            case orders.ConfirmOverride(by=by, opening=opening):
                made = self.state.dossier.overrides.get(opening)
                if made is None:
                    raise OrderRefused("no-override", opening=opening)
                require(not same_person(made.by, by), "override-second")
                return (facts.OverrideConfirmed(at=self.now, opening=opening, by=by),)

    def opening(self, name: str) -> Opening:
        return opening_named(self.site, name)

    def standing(self, name: str) -> OpeningState:
        return self.state.doors[name].stand.state

    def stage(self, opening: Opening) -> int:
        return self.stages.get(opening.id) or plan.stage_of(self.site, opening, self.state.dossier.stages)

    def checked(self, opening: Opening) -> tuple[Check, ...]:
        """What the machine has to say about this opening's gates."""
        return checks(self.site, opening, self.ground)

    # -- gates ---------------------------------------------------------------------------------------------------

    def answer_gate(self, order: orders.AnswerGate) -> tuple[AnyFact, ...]:
        opening = self.opening(order.opening)
        require(order.gate in set(Gate), "no-gate", gate=order.gate, known=[gate.value for gate in Gate])
        require(
            order.answer in (GateAnswer.NO, GateAnswer.UNKNOWN) or bool(order.proof.strip()), "gate-proof"
        )
        require(
            order.answer is not GateAnswer.NEVER_FOUND or order.gate == Gate.EVICTION,
            "never-found-only-eviction",
            gate=order.gate,
        )
        return (
            facts.GateAnswered(
                at=self.now,
                opening=opening.id,
                gate=order.gate,
                answer=order.answer,
                proof=order.proof,
                by=order.by,
            ),
        )

    def never_found(self, opening: Opening) -> bool:
        """Whether the answer to eviction is that the way in was never found."""
        answer = self.state.gates.get(opening.id, {}).get(Gate.EVICTION.value)
        return answer is not None and answer.answer is GateAnswer.NEVER_FOUND

    # -- trials --------------------------------------------------------------------------------------------------

    def reopen(self, order: orders.Reopen) -> tuple[AnyFact, ...]:
        opening = self.opening(order.opening)
        door = self.state.doors[opening.id]
        require(order.state is not OpeningState.CLOSED, "trial-opens")
        require(rehearsing(self.state) is None, "rehearsal-undoes-itself")
        require(
            stricter(door.stand.state, order.state) is door.stand.state
            and door.stand.state is not order.state,
            "already-so",
            opening=opening.id,
            state=door.stand.state.value,
        )
        self.lasts_as_it_should(opening, order)
        overridden = list(self.obstacles(opening, order.by))
        if overridden:
            require(order.override, "cannot-be-tried", because=overridden, opening=opening.id)
            require(bool(order.reason.strip()), "override-reason")
        return (
            facts.TrialStarted(
                at=self.now,
                opening=opening.id,
                state=order.state,
                until=after(self.now, seconds(order.seconds)),
                then=falls_to(opening),
                by=order.by,
                reason=order.reason,
                overridden=[each.text for each in overridden],
                profile=profile(self.site, opening).value,
                checked=[
                    f"{check.gate.value}: {check.verdict.value}, {check.detail.text}"
                    for check in self.checked(opening)
                    if check.verdict is not Verdict.UNKNOWN
                ],
                confirm_by=self.next_working_day() if self.unapproved(opening, order.by) else None,
            ),
        )

    def lasts_as_it_should(self, opening: Opening, order: orders.Reopen) -> None:
        """While the site is contained a trial is watched: neither shorter nor longer than the site's bounds."""
        bounds = self.site.trial
        if self.never_found(opening):
            require(
                order.state is OpeningState.FILTERED and order.seconds >= min(UNKNOWN_WAY_IN, bounds.longest),
                "never-found-filtered",
                opening=opening.id,
            )
        require(
            not self.state.contained or bounds.admits(order.seconds),
            "trial-length",
            shortest=spelled(bounds.shortest),
            longest=spelled(bounds.longest),
            length=spelled(order.seconds),
        )

    def obstacles(self, opening: Opening, by: str) -> Iterator[Phrase]:
        """What stands against a trial: gates, the machine's no, the second person, stages, partner, paper."""
        answers = self.state.gates.get(opening.id, {})
        passed = {gate for gate, answer in answers.items() if answer.answer.passes}
        asked = gates(profile(self.site, opening))
        yield from (phrase("against-gate", gate=gate.value) for gate in missing(passed, asked))
        yield from (
            phrase("against-check", because=[check.detail], gate=check.gate.value)
            for check in self.checked(opening)
            if check.verdict is Verdict.NO and check.gate in asked
        )
        approval = answers.get(Gate.APPROVAL.value)
        if approval and by and same_person(approval.by, by):
            yield phrase("against-same-person")
        yield from self._others_first(opening)
        partner = self.state.dossier.partners.get(opening.id)
        if partner and not partner.met:
            yield phrase("against-partner", condition=partner.condition)
        if piles := papers_waiting(self.state.care, opening.id):
            yield phrase("against-paper", papers=[pile.id for pile in piles])

    def _others_first(self, opening: Opening) -> Iterator[Phrase]:
        """The trusted core, what it needs, and earlier stages; lifelines wait for nobody."""
        if not self.state.contained or opening.lifeline:
            return
        if core := unproven_core(self.site, self.ground):
            yield phrase("against-core", assets=[asset.id for asset in core])
        lacking = [name for name in opening.needs if self.standing(name) is OpeningState.CLOSED]
        if lacking:
            yield phrase("against-needs", openings=lacking)
        own = self.stage(opening)
        waiting = [
            name
            for name, stage in self.stages.items()
            if stage < own and self.standing(name) is OpeningState.CLOSED
        ]
        if waiting:
            yield phrase("against-stages", openings=waiting)

    def unapproved(self, opening: Opening, by: str) -> bool:
        """Whether no second person agreed."""
        approval = self.state.gates.get(opening.id, {}).get(Gate.APPROVAL.value)
        return approval is None or approval.answer is not GateAnswer.YES or same_person(approval.by, by)

    def next_working_day(self) -> Instant:
        """The end of staffed hours on the next working day."""
        when = self.site.hours if self.site.hours.days else Hours(ends=self.site.hours.ends)
        today = on_the_wall(self.now).date()
        days = (today + timedelta(days=ahead) for ahead in range(1, 15))
        return wall_instant(next(filter(when.works, days), today + timedelta(days=1)), when.ends)

    def confirm(self, order: orders.ConfirmTrial) -> tuple[AnyFact, ...]:
        opening = self.opening(order.opening)
        door = self.state.doors[opening.id]
        until = door.stand.until
        waits = door.provisional or is_rehearsed(self.state, opening.id)
        on_trial = until is not None and until > self.now and not waits
        require(on_trial, "not-on-trial", opening=opening.id)
        require(not self.state.doors[opening.id].visitor, "open-for-visit", opening=opening.id)
        assert until is not None
        watched = after(door.since, seconds(self.site.trial.watched))
        require(
            not self.state.contained or self.now >= watched,
            "not-watched-yet",
            opening=opening.id,
            length=spelled(self.site.trial.watched),
        )
        if self.never_found(opening):
            watched = Instant(door.since + (until - door.since) * 3 // 4)
            require(self.now >= watched, "watched-first")
        return (facts.TrialConfirmed(at=self.now, opening=opening.id, by=order.by),)

    def normalise(self, order: orders.Normalise) -> tuple[AnyFact, ...]:
        require(self.state.contained, "not-contained")
        waiting = [
            o.id for o in self.site.openings if o.normally is not OpeningState.CLOSED and not self.stable(o)
        ]
        require(not waiting, "not-stable", openings=waiting)
        unconfirmed = sorted(self.state.dossier.overrides)
        require(not unconfirmed, "overrides-wait", openings=unconfirmed)
        return (facts.Normalised(at=self.now, by=order.by, reason=order.reason),)

    def stable(self, opening: Opening) -> bool:
        stand = self.state.doors[opening.id].stand
        return stand.state is not OpeningState.CLOSED and stand.until is None

    # -- the plan ------------------------------------------------------------------------------------------------

    def set_stage(self, order: orders.SetStage) -> tuple[AnyFact, ...]:
        opening = self.opening(order.opening)
        require(bool(order.reason.strip()), "stage-reason")
        if self.stage(opening) == order.stage:
            return ()
        return (
            facts.StageSet(
                at=self.now, opening=opening.id, stage=order.stage, by=order.by, reason=order.reason
            ),
        )


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however they were typed."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
