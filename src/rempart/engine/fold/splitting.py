"""Splitting: findings of an incident become one of their own."""

from dataclasses import replace

from rempart.detection.finding import Outcome
from rempart.engine import facts
from rempart.engine.changed import changed
from rempart.engine.state import State
from rempart.incidents.casefile import CaseFile, Seen
from rempart.incidents.incident import Incident, Qualification, Sentence


def split(state: State, fact: facts.IncidentSplit) -> State:
    """Findings become an incident of their own; whether the site is cut for it is not changed by taking it apart."""
    incident, case = state.incidents.get(fact.incident), state.cases.get(fact.incident)
    moved = tuple(seen for seen in case.seen if seen.finding in set(fact.findings)) if case else ()
    if incident is None or case is None or not moved:
        return state
    stays, goes = _remainder(incident, case, moved), _part(incident, fact.into, moved)
    cut = fact.incident in state.contained_for
    return changed(
        state,
        incidents={**state.incidents, fact.incident: stays, fact.into: goes},
        contained_for=state.contained_for | {fact.into} if cut else state.contained_for,
    )


def _part(incident: Incident, name: str, seen: tuple[Seen, ...]) -> Incident:
    """An incident of these findings, in the same state as the one they were taken for."""
    story = tuple(step for step in incident.story if _speaks_of(step[1], seen))
    return replace(_of(incident, seen), id=name, story=story, qualification=Qualification())


def _remainder(incident: Incident, case: CaseFile, moved: tuple[Seen, ...]) -> Incident:
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
