"""Incidents: how findings make them grow, how they are merged, qualified, proposed for, and closed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from rempart.detection.finding import Kind, Level, Outcome
from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.fold.splitting import split
from rempart.engine.state import Posture, Proposed, State, without
from rempart.incidents.incident import Incident, IncidentState, Qualification, Sentence, begun
from rempart.instants import Instant

KNOWN = 5_000
"""How many sealed finding ids are remembered against repeats; older ones are beyond any replay of watch."""

MOST_PARTIES = 1_000
"""Addresses, and accounts, that one incident is known by; those that come later are in the journal only."""

MOST_TOLD = 200
"""Sentences of one incident's story that findings may add."""


def after_it(state: State, fact: facts.IncidentFact) -> State:
    """The state after one fact about an incident."""
    match fact:
        case facts.FindingJoined():
            return _joined(state, fact)
        case facts.IncidentsMerged():
            return _merged(state, fact)
        case facts.IncidentSplit():
            return split(state, fact)
        case facts.IncidentQualified(incident=incident):
            return _qualified(state, fact) if incident in state.incidents else state
        case facts.PersonsTouched(incident=incident, persons=persons):
            if incident not in state.incidents:
                return state
            return _with_incident(state, replace(state.incidents[incident], persons_touched=persons))
        case facts.QuietReturned():
            return _quiet(state, fact)
        case facts.MeasureProposed(at=at, proposal=proposal, incident=incident, action=action, target=target):
            waiting = Proposed(id=proposal, incident=incident, action=action, target=target, at=at)
            return changed(state, proposals={**state.proposals, proposal: waiting})
        case facts.ProposalSettled(proposal=proposal):
            return _approved(state, proposal)


def _approved(state: State, proposal: str) -> State:
    """A proposal waits no longer. One that the state does not know (a snapshot was left aside) is of no incident."""
    known = state.proposals.get(proposal)
    left = without(state.proposals, proposal)
    if known is None:
        return changed(state, proposals=left)
    return changed(state, proposals=left, settled={**state.settled, proposal: known.incident})


def _without_incidents(settled: Mapping[str, str], gone: Collection[str]) -> dict[str, str]:
    """What was approved, less what was for incidents that are no longer kept in mind: nobody proposes it again."""
    return {proposal: incident for proposal, incident in settled.items() if incident not in gone}


def _joined(state: State, fact: facts.FindingJoined) -> State:
    known = {**state.known, fact.finding: None}
    while len(known) > KNOWN:
        del known[next(iter(known))]
    incident = state.incidents.get(fact.incident) or begun(
        fact.incident, fact.at, IncidentState.OPEN, fact.level
    )
    day = state.day
    if fact.incident not in state.incidents:
        day = replace(day, incidents=day.incidents + 1)
    grown = replace(
        incident,
        last_seen=max(incident.last_seen, fact.at),
        level=max(incident.level, fact.level),
        kinds=incident.kinds | {fact.kind},
        actors=_and(incident.actors, fact.actors),
        accounts=_and(incident.accounts, fact.accounts if fact.outcome is Outcome.SUCCESS else ()),
        assets=_and(incident.assets, fact.assets),
        hosts=_and(incident.hosts, fact.hosts),
        findings=incident.findings + 1,
        story=_told(incident, fact),
    )
    watchful = state.posture is Posture.NORMAL and grown.level >= Level.HIGH
    return changed(
        _with_incident(state, grown),
        known=known,
        last_beacon=max(state.last_beacon, fact.at) if fact.kind is Kind.COMMAND else state.last_beacon,
        day=day,
        posture=Posture.WATCHFUL if watchful else state.posture,
        since=fact.at if watchful else state.since,
    )


def _and(known: frozenset[str], more: Iterable[str]) -> frozenset[str]:
    """Those known and, as far as there is room, the new ones."""
    fresh = sorted(set(more) - known)
    return known | set(fresh[: max(0, MOST_PARTIES - len(known))])


def _told(incident: Incident, fact: facts.FindingJoined) -> tuple[tuple[Instant, Sentence], ...]:
    """The story with one sentence more, when this sort of thing was not told yet."""
    sentence = Sentence(
        f"story.{fact.kind.value}",
        {
            "actor": ", ".join(fact.actors[:3]),
            "asset": ", ".join((fact.assets or fact.hosts or fact.victims)[:3]),
            "account": ", ".join(fact.accounts[:3]),
            "count": fact.count,
            "title": fact.title,
        },
    )
    if len(incident.story) >= MOST_TOLD or any(
        told.key == sentence.key and told.arguments["actor"] == sentence.arguments["actor"]
        for _, told in incident.story
        if "actor" in told.arguments
    ):
        return incident.story
    return (*incident.story, (fact.at, sentence))


def _merged(state: State, fact: facts.IncidentsMerged) -> State:
    into, gone = state.incidents.get(fact.into), state.incidents.get(fact.merged)
    if into is None or gone is None:
        return state
    whole = replace(
        into,
        state=_gravest_state(into, gone),
        qualification=gone.qualification if into.qualification == Qualification() else into.qualification,
        opened=min(into.opened, gone.opened),
        last_seen=max(into.last_seen, gone.last_seen),
        level=max(into.level, gone.level),
        kinds=into.kinds | gone.kinds,
        actors=_and(into.actors, gone.actors),
        accounts=_and(into.accounts, gone.accounts),
        assets=_and(into.assets, gone.assets),
        hosts=_and(into.hosts, gone.hosts),
        findings=into.findings + gone.findings,
        story=tuple(sorted((*into.story, *gone.story), key=lambda step: step[0])),
        persons_touched=_at_least(into.persons_touched, gone.persons_touched),
    )
    kept = without(state.incidents, fact.merged)
    contained_for = state.contained_for
    if fact.merged in contained_for:
        contained_for = contained_for - {fact.merged} | {fact.into}
    proposals = {
        name: replace(p, incident=fact.into) if p.incident == fact.merged else p
        for name, p in state.proposals.items()
    }
    return changed(
        state,
        incidents={**kept, fact.into: whole},
        contained_for=contained_for,
        proposals=proposals,
        settled=_without_incidents(state.settled, {fact.merged}),
    )


def _at_least(*counted: int | None) -> int | None:
    """Persons touched by the whole, as far as its parts were counted; until they are counted together."""
    return max((persons for persons in counted if persons is not None), default=None)


_STATES = (IncidentState.CONTAINED, IncidentState.OPEN, IncidentState.CLOSED)


def _gravest_state(*these: Incident) -> IncidentState:
    """The state of an incident of which these turned out to be parts."""
    return min((incident.state for incident in these), key=_STATES.index)


def _qualified(state: State, fact: facts.IncidentQualified) -> State:
    words = Qualification(author=fact.author, intent=fact.intent, ransom=fact.ransom, outcome=fact.outcome)
    return _with_incident(state, replace(state.incidents[fact.incident], qualification=words))


def _quiet(state: State, fact: facts.QuietReturned) -> State:
    """Grave incidents are kept, closed, until they are named again; noise goes from the state: the journal has it."""
    ended = {name for name in fact.incidents if name in state.incidents}
    noise = {
        name
        for name in ended
        if state.incidents[name].level < Level.HIGH or state.incidents[name].state is IncidentState.CLOSED
    }
    kept = {
        name: replace(incident, state=IncidentState.CLOSED) if name in ended else incident
        for name, incident in state.incidents.items()
        if name not in noise
    }
    calm = state.posture is Posture.WATCHFUL and not any(
        incident.state is not IncidentState.CLOSED and incident.level >= Level.HIGH
        for incident in kept.values()
    )
    return changed(
        state,
        incidents=kept,
        proposals={name: p for name, p in state.proposals.items() if p.incident not in noise},
        settled=_without_incidents(state.settled, noise),
        posture=Posture.NORMAL if calm else state.posture,
        since=fact.at if calm else state.since,
    )


def _with_incident(state: State, incident: Incident) -> State:
    return changed(state, incidents={**state.incidents, incident.id: incident})


def tell_contained(state: State, at: Instant, sentence: Sentence) -> State:
    """Add a sentence to the story of every incident the site is contained for."""
    told = {
        name: replace(incident, story=(*incident.story, (at, sentence)))
        for name, incident in state.incidents.items()
        if name in state.contained_for
    }
    return changed(state, incidents={**state.incidents, **told})
