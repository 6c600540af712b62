"""What a finding becomes: a place in an incident, a relapse, an automatic measure, a proposal."""

from collections.abc import Iterator
from dataclasses import dataclass

from rempart.care.rehearsal import locked
from rempart.containment.names import Address
from rempart.containment.policy import Action, How, Policy
from rempart.containment.safeguard import protects
from rempart.detection.finding import Finding, Kind, Outcome
from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.facts import MACHINE, AnyFact
from rempart.engine.fold.fold import fold
from rempart.engine.state import BUDGETED, State
from rempart.engine.tally import is_power_of_ten, tallied
from rempart.incidents.casefile import NOTHING
from rempart.incidents.triage import Parties, matching, opens, parties
from rempart.instants import Instant, after, hours, recent, seconds
from rempart.reopening.trial import concerns, falls_to, shows_alarm, shows_success
from rempart.site.opening import OpeningState
from rempart.site.site import Site

STALE = hours(1)
"""How old a finding may be and still make the station act by itself."""

KINDS_TO_CONTAIN = 2
"""Kinds of findings an incident must show before the station contains by itself."""

_DAY = 86_400
"""Seconds for which the source of a relapse is held."""

SLACK = seconds(2)
"""Logs tell time by whole seconds, and not always by the same clock."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The state with the tally counted, the facts to seal, and the incident the finding joined (None: noise)."""

    state: State
    facts: tuple[AnyFact, ...]
    incident: str | None


def weigh(
    site: Site,
    policy: Policy,
    state: State,
    finding: Finding,
    now: Instant,
    named: frozenset[Address] = frozenset(),
) -> Weighed:
    """Place a finding and decide what follows from it. ``named``: where names that care needs lead at present."""
    if finding.id in state.known:
        return Weighed(state, (), None)
    who = parties(site, finding)
    found = _together(state, matching(state.incidents.values(), finding, who, now))
    if not found and not opens(finding):
        return Weighed(state, (), None)
    incident = found[0] if found else f"inc-{finding.id[:12]}"
    decided: list[AnyFact] = [
        facts.IncidentsMerged(at=now, into=incident, merged=other) for other in found[1:]
    ]
    state, joined = _counted(state, finding, who, incident, now)
    decided += joined
    grown = state
    for fact in decided:
        grown = fold(grown, site, fact)
    if relapse := tuple(_relapse(site, grown, finding, who, incident, now)):
        # The source first: what it does while the door closes is over too.
        source = tuple(_Response(site, policy, grown, finding, who, incident, now, named).source())
        decided += [*source, *relapse]
        for fact in source:
            grown = fold(grown, site, fact)
    decided += _Response(site, policy, grown, finding, who, incident, now, named).decided()
    return Weighed(state, tuple(decided), incident)


def _together(state: State, found: tuple[str, ...]) -> tuple[str, ...]:
    """Those that may be one attack: what a person took apart, no machine puts together again."""
    kept: list[str] = []
    for name in found:
        case = state.cases.get(name, NOTHING)
        if not any(
            other in case.split_off or other == case.split_from or name in state.cases[other].split_off
            for other in kept
            if other in state.cases
        ):
            kept.append(name)
    return tuple(kept)


def _counted(
    state: State, finding: Finding, who: Parties, incident: str, now: Instant
) -> tuple[State, list[AnyFact]]:
    """Count repeats; the first, tenth, hundredth … of a sort is sealed, so that a flood cannot fill the journal."""
    sort = "|".join(
        (
            incident,
            finding.rule,
            finding.outcome.value,
            *sorted(who.outside | who.inside | who.accounts | who.hosts),
        )
    )
    state, tally = tallied(state, sort)
    if finding.kind is Kind.COMMAND:
        state = changed(state, last_beacon=max(state.last_beacon, now))
    if not is_power_of_ten(tally):
        return state, []
    fact = facts.FindingJoined(
        at=now,
        incident=incident,
        finding=finding.id,
        rule=finding.rule,
        title=finding.title,
        level=finding.level,
        kind=finding.kind,
        outcome=finding.outcome,
        actors=sorted(who.outside),
        victims=sorted(who.victims),
        accounts=sorted(who.accounts),
        assets=sorted(who.inside),
        source=finding.source,
        record=finding.record,
        count=finding.count,
        tally=tally,
        hosts=sorted(who.hosts),
    )
    return state, [fact]


def _relapse(
    site: Site, state: State, finding: Finding, who: Parties, incident: str, now: Instant
) -> Iterator[facts.OpeningReclosed]:
    """Reopened openings that fall back at once: through them came success, or the incident's own actors.

    What is told late of the time before an opening was reopened says nothing against it.
    """
    if finding.spoofable or finding.outcome is Outcome.BLOCKED or not state.contained:
        return
    known = incident in state.contained_for
    success = shows_success(finding)
    alarm = shows_alarm(finding) and bool(who.inside)
    if not (known or success or alarm):
        return
    reopened = [
        o
        for o in site.openings
        if state.doors[o.id].reopened
        and state.doors[o.id].stand.state is not OpeningState.CLOSED
        and finding.time >= state.doors[o.id].since - SLACK
    ]
    if not (known or success):  # a trial is watched with a lower threshold than what has proven itself
        reopened = [o for o in reopened if state.doors[o.id].stand.until is not None]
    concerned = [o for o in reopened if concerns(finding, o)]
    for opening in concerned or (reopened if success else ()):
        yield facts.OpeningReclosed(
            at=now,
            opening=opening.id,
            state=falls_to(opening),
            incident=incident,
            finding=finding.id,
            rule=finding.rule,
            title=finding.title,
        )


@dataclass(frozen=True, slots=True)
class _Response:
    """What the policy asks for after one finding: measures that end by themselves, or proposals to a person."""

    site: Site
    policy: Policy
    state: State
    finding: Finding
    who: Parties
    incident: str
    now: Instant
    named: frozenset[Address]

    def source(self) -> Iterator[AnyFact]:
        """Who is behind a relapse, held for a day: addresses outside blocked, machines inside isolated."""
        yield from self._blocks(self.who.outside, _DAY)
        yield from self._isolations(_assets(self.site, self.who.inside), _DAY)

    def decided(self) -> Iterator[AnyFact]:
        """The measures and proposals."""
        response = self.policy.response(self.finding)
        if response.also_block:
            yield from self._blocks(self.who.outside, response.also_block)
        match response.action:
            case Action.WATCH:
                return
            case Action.BLOCK:
                targets = self.who.outside
            case Action.ISOLATE:
                targets = _assets(self.site, self.who.inside)
            case Action.CONTAIN:
                targets = frozenset({self.site.id})
        if response.how is How.APPROVAL or self._is_for_people(response.action):
            yield from self._proposals(response.action, targets)
        elif response.action is Action.CONTAIN:
            yield from self._contains()
        elif response.action is Action.BLOCK and response.seconds:
            yield from self._blocks(targets, response.seconds)
        elif response.action is Action.ISOLATE and response.seconds:
            yield from self._isolations(targets, response.seconds)

    def _is_for_people(self, action: Action) -> bool:
        """Whether it is proposed although the policy would have the station do it by itself.

        Beside the path a person does it by hand; addresses outside are too many for that, and blocked by nobody.
        """
        if action is Action.ISOLATE:
            return not self.site.enforces
        return action is Action.CONTAIN and not self._may_contain()

    def _may_contain(self) -> bool:
        """Whether the station may cut the site by itself.

        Only where a cut was rehearsed, on fresh news of more than one kind that nobody outside can forge: one line in
        a log never cuts a house off.
        """
        incident = self.state.incidents[self.incident]
        return (
            not locked(self.site, self.state.care.rehearsal, self.now)
            and not self.finding.spoofable
            and self.now - self.finding.time <= STALE
            and len(incident.kinds) >= KINDS_TO_CONTAIN
        )

    def _contains(self) -> Iterator[facts.Contained]:
        """Cut once for an incident; lifelines stay, and only a person reopens."""
        if self.incident not in self.state.contained_for:
            reason = self.finding.title
            yield facts.Contained(at=self.now, by=MACHINE, reason=reason, incidents=[self.incident])

    def _blocks(self, targets: frozenset[str], length: int) -> Iterator[facts.Blocked]:
        for target in self._allowed(targets - self.state.blocked.keys()):
            yield facts.Blocked(
                at=self.now,
                target=target,
                until=after(self.now, seconds(length)),
                by=MACHINE,
                reason=self.finding.title,
                incident=self.incident,
            )

    def _isolations(self, targets: frozenset[str], length: int) -> Iterator[facts.Isolated]:
        for target in self._allowed(targets - self.state.isolated.keys()):
            yield facts.Isolated(
                at=self.now,
                asset=target,
                until=after(self.now, seconds(length)),
                by=MACHINE,
                reason=self.finding.title,
                incident=self.incident,
            )

    def _allowed(self, targets: frozenset[str]) -> Iterator[str]:
        """The targets a machine may act on.

        Never beside the path, from one forgeable line or old news (a log read for the first time), never a safeguard,
        within the budget.
        """
        if not self.site.enforces or self.finding.spoofable or self.now - self.finding.time > STALE:
            return
        spent = [target for at, target in self.state.automatic if recent(at, self.now, BUDGETED)]
        for target in sorted(targets):
            free = protects(self.site, target, by_machine=True, named=self.named) is None
            if free and self.policy.budget.allows(spent, target):
                spent.append(target)
                yield target

    def _proposals(self, action: Action, targets: frozenset[str]) -> Iterator[facts.MeasureProposed]:
        for target in sorted(targets):
            proposal = f"{action.value}-{self.incident}-{target}"
            if not self._moot(action, proposal, target):
                yield facts.MeasureProposed(
                    at=self.now,
                    proposal=proposal,
                    incident=self.incident,
                    action=action.value,
                    target=target,
                )

    def _moot(self, action: Action, proposal: str, target: str) -> bool:
        """Asked already, or done already."""
        state = self.state
        if proposal in state.proposals or proposal in state.settled:
            return True
        match action:
            case Action.CONTAIN:
                return self.incident in state.contained_for
            case Action.BLOCK:
                return target in state.blocked
            case _:
                return target in state.isolated


def _assets(site: Site, addresses: frozenset[str]) -> frozenset[str]:
    """Ids of the machines with these addresses; an unlisted machine cannot be isolated, only shown."""
    return frozenset(asset.id for asset in site.assets if addresses & set(asset.addresses))
