"""The defence as one function: a state and an input give a state and commands.

Pure: no clock, disk, network or randomness. The laws it keeps, each tested:
  1. no sequence of inputs closes a safeguard, and no machine decision closes a lifeline;
  2. nothing is loosened before it is sealed; tightening may be sealed late;
  3. folding the sealed facts gives the state that was lived.
"""

from dataclasses import dataclass

from msgspec import structs

from rempart.accounts.authority import Authority, Proof
from rempart.containment.measure import loosens, tightens, tightest
from rempart.containment.names import Address
from rempart.containment.policy import Policy
from rempart.detection.finding import Kind, Level
from rempart.duties.duty import Obligations
from rempart.engine import deadline, facts, listening, retention, tell, timekeeping
from rempart.engine.caring import pack_read, probed
from rempart.engine.changed import changed
from rempart.engine.facts import MACHINE, AnyFact
from rempart.engine.fold.fold import folded
from rempart.engine.handwork import cut_since
from rempart.engine.inputs import (
    AnyInput,
    Awaited,
    Command,
    Count,
    Counted,
    Declined,
    Delayed,
    Delivered,
    Enforce,
    Erase,
    Found,
    Listened,
    Ordered,
    PackRead,
    Probed,
    Rebuilding,
    Refuse,
    Repaired,
    Replied,
    Seal,
    Started,
    Ticked,
    WakeAt,
    Witnessed,
)
from rempart.engine.judge import judge
from rempart.engine.orders import AnyOrder
from rempart.engine.rights import require
from rempart.engine.state import NEVER, State, enforcement, is_rehearsed, rehearsing
from rempart.engine.tally import is_power_of_ten, tallied
from rempart.engine.timekeeping import UNKNOWN
from rempart.engine.weigh import weigh
from rempart.errors import OrderRefused
from rempart.incidents.incident import IncidentState
from rempart.incidents.triage import TOGETHER
from rempart.instants import Instant, after, hours
from rempart.site.site import Site

_PERSONAL = frozenset({Kind.RECORDS, Kind.EXFILTRATION, Kind.COMMAND})
"""Findings after which the persons touched are counted again."""

_GRANTS = (
    facts.PersonEnrolled,
    facts.RolesSet,
    facts.PersonEnabled,
    facts.LinkIssued,
    facts.PasskeyAllowed,
    facts.TokenIssued,
    facts.EnvelopeSealed,
    facts.Unmasked,
    facts.ExceptionMade,
    facts.FileErased,
)
"""Facts that let somebody do what they could not, or that cannot be undone: sealed before anything comes of them."""

_BEFORE = hours(1)
"""How long before an incident's first finding its machines' accesses are counted."""


CROWD = 2_000
"""Incidents that are kept in mind. Beyond it something invents them, or the whole internet knocks."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the engine reasons with and never changes."""

    site: Site
    policy: Policy
    named: frozenset[Address] = frozenset()
    """Where names that care needs lead at present: no machine blocks it."""
    obligations: Obligations | None = None
    """The legal duties whose clocks keep attached files; None: the station erases none by itself."""


def step(terms: Terms, state: State, happened: AnyInput) -> tuple[State, tuple[Command, ...]]:
    """The state after ``happened``, and what to do about it, in order."""
    after_it, commands = _decide(terms, state, happened)
    told, notices = tell.notified(terms.site, after_it, happened.now)
    return told, (*commands, *notices)


def _decide(terms: Terms, state: State, happened: AnyInput) -> tuple[State, tuple[Command, ...]]:
    match happened:
        case Started(now=now):
            state = changed(state, timekeeping=timekeeping.begun(state.timekeeping))
            leapt = timekeeping.turned(state.timekeeping, UNKNOWN, now)
            begun = facts.StationStarted(at=now, site=terms.site.id)
            return _settle(terms, state, (*leapt, begun, *_overdue(state, now)), now, always_enforce=True)
        case Awaited(now=now):
            return changed(state, listening=listening.awaited(state.listening, now)), ()
        case Ticked(now=now, reckoning=reckoning):
            state = changed(
                state,
                listening=listening.looked(state.listening, now),
                timekeeping=timekeeping.reckoned(state.timekeeping, reckoning, now),
            )
            leapt = timekeeping.turned(state.timekeeping, reckoning, now) if reckoning != UNKNOWN else ()
            ended = tell.day_ended(terms.site, state, now)
            overdue = _overdue(state, now)
            missed = _missed(terms.site, state, now)
            passed = (*leapt, *overdue, *deadline.nearing(state, now), *ended, *missed)
            if passed:
                return _settle(terms, state, passed, now)
            return _erase(terms, state, now) if state.timekeeping.believes(reckoning) else (state, ())
        case Found(now=now, finding=finding):
            weighed = weigh(terms.site, terms.policy, state, finding, now, terms.named)
            after_it, commands = _settle(terms, weighed.state, weighed.facts, now)
            merged = any(isinstance(fact, facts.IncidentsMerged) for fact in weighed.facts)
            if weighed.incident and (merged or finding.kind in _PERSONAL):
                commands = (*commands, *_counting(after_it, weighed.incident))
            return after_it, commands
        case Ordered(now=now, order=order, authority=authority):
            return _obey(terms, state, order, authority, now)
        case Declined(now=now, order=kind, by=by, why=why):
            by = by if by in state.people else ""  # whoever it was could write anything there
            return _decline(terms, state, facts.OrderDeclined(at=now, order=kind, by=by, why=why), why)
        case Witnessed(fact=facts.SignInRefused() as refused):
            return _decline(terms, state, refused, refused.why)
        case Witnessed(now=now, fact=fact):
            return _settle(terms, state, (fact,), now)
        case Counted(now=now, incident=incident, persons=persons, records=records):
            known = state.incidents.get(incident)
            if known is None or known.persons_touched == persons:
                return state, ()
            counted = facts.PersonsTouched(at=now, incident=incident, persons=persons, records=records)
            return _settle(terms, state, (counted,), now)
        case Repaired(now=now, what=what, repaired=repaired, lasts=lasts):
            fault = facts.EnforcementFaulted(at=now, what=what, repaired=repaired, lasts=lasts)
            return _settle(terms, state, (fault,), now)
        case Delayed(now=now, what=what, milliseconds=milliseconds):
            late = facts.SealedLate(at=now, what=list(what), milliseconds=milliseconds)
            return _settle(terms, state, (late,), now)
        case Delivered(now=now, alert=alert, delivery=delivery):
            return _settle(terms, state, tell.told(terms.site, state, alert, delivery, now), now)
        case Replied(now=now, role=role, code=code):
            remembered, answer = tell.replied(terms.site, state, role, code, now)
            return _settle(terms, remembered, answer, now)
        case Probed(now=now, probe=probe, answered=answered, detail=detail):
            asked = next((each for each in terms.site.probes if each.id == probe), None)
            if asked is None:
                return state, ()
            since = _changed(state, asked.opening)
            turned = probed(state.care, probe, answered=answered, detail=detail, since=since, now=now)
            return _settle(terms, state, turned, now)
        case PackRead(now=now, sha256=sha256, written=written):
            return _settle(terms, state, pack_read(state.care, sha256, written, now), now)
        case Rebuilding(now=now, done=done, total=total):
            return changed(state, listening=listening.rebuilt(state.listening, done, total, now)), ()
        case Listened(now=now, silent=silent):
            spoken = changed(state, listening=listening.awaited(state.listening, now))
            return _settle(terms, spoken, _listened(terms.site, spoken, silent, now), now)


def _erase(terms: Terms, state: State, now: Instant) -> tuple[State, tuple[Command, ...]]:
    """Erase attached files whose time is over. It waits for its seal, so nothing else is sealed with it."""
    over = retention.due(terms.site.files_kept_days, state, now, terms.obligations)
    after_it, commands = _settle(terms, state, over, now)
    return after_it, (*commands, Erase(tuple(each.sha256 for each in over))) if over else commands


def _changed(state: State, opening: str | None) -> Instant:
    """Since when what lies behind a door may answer otherwise: it was moved here, or the site was cut by hand."""
    if opening is None:
        return NEVER
    return max(state.doors[opening].since, cut_since(state.by_hand) or NEVER)


def _listened(site: Site, state: State, silent: frozenset[str], now: Instant) -> tuple[AnyFact, ...]:
    """What is news in the logs that are silent, and what follows from it for people, also from what was known."""
    turned: tuple[AnyFact, ...] = (
        *listening.heard(state.listening, now),
        *listening.turned(site, state.listening, silent, now),
    )
    known = folded(state, site, turned)
    return (*turned, *tell.muteness(site, known, now), *tell.silence(site, known, now))


def _missed(site: Site, state: State, now: Instant) -> tuple[AnyFact, ...]:
    """That watch is missed, and what follows from it for people, also from what was known."""
    muted = listening.muted(state.listening, now)
    return (*muted, *tell.muteness(site, folded(state, site, muted), now))


def _obey(
    terms: Terms, state: State, order: AnyOrder, authority: Authority, now: Instant
) -> tuple[State, tuple[Command, ...]]:
    try:
        require(state, order, authority)
    except OrderRefused as refusal:
        return _refuse(terms, state, order, authority, refusal, now, sort=refusal.said.key)
    try:
        decided = judge(terms.site, state, order, now)
    except OrderRefused as refusal:
        return _refuse(terms, state, order, authority, refusal, now, sort="judged")
    after_it, commands = _settle(terms, state, decided, now)
    if any(isinstance(fact, facts.Contained) for fact in decided):
        commands += tuple(
            c for incident in sorted(after_it.contained_for) for c in _counting(after_it, incident)
        )
    for fact in decided:
        match fact:
            case facts.IncidentSplit(incident=incident, into=into):
                commands += (*_counting(after_it, incident), *_counting(after_it, into))
            case facts.IncidentsMerged(into=into):
                commands += _counting(after_it, into)
    return after_it, commands


def _refuse(
    terms: Terms,
    state: State,
    order: AnyOrder,
    authority: Authority,
    refusal: OrderRefused,
    now: Instant,
    *,
    sort: str,
) -> tuple[State, tuple[Command, ...]]:
    """Seal that an order was refused, and say so."""
    local = authority.proof is Proof.LOCAL
    by = order.by if local else authority.person or ""
    declined = facts.OrderDeclined(at=now, order=type(order).__name__, by=by, why=refusal.what)
    after_it, commands = (
        _settle(terms, state, (declined,), now) if local else _decline(terms, state, declined, sort)
    )
    return after_it, (*commands, Refuse(refusal.said))


def _decline(
    terms: Terms, state: State, declined: facts.OrderDeclined | facts.SignInRefused, sort: str
) -> tuple[State, tuple[Command, ...]]:
    """Seal a refusal to somebody on the network: of each sort the first in an hour, the tenth, the hundredth …

    Whoever owns the console can send refusals all day; they must not fill the journal. ``sort`` is never theirs to
    choose: with the kind of order and the account there are only so many.
    """
    hour = declined.at // hours(1)
    match declined:
        case facts.OrderDeclined(order=order, by=by):
            named = f"declined|{order}|{by}|{sort}|{hour}"
        case facts.SignInRefused(person=person):
            named = f"sign-in|{person}|{sort}|{hour}"
    state, tally = tallied(state, named)
    if not is_power_of_ten(tally):
        return state, ()
    return _settle(terms, state, (structs.replace(declined, tally=tally),), declined.at)


def _settle(
    terms: Terms, state: State, decided: tuple[AnyFact, ...], now: Instant, *, always_enforce: bool = False
) -> tuple[State, tuple[Command, ...]]:
    """Fold the facts and put sealing and enforcing in their lawful order."""
    if not decided:
        return state, ()
    settled = folded(state, terms.site, decided)
    alerts = tell.alerts(terms.site, state, settled, decided, now)
    decided, settled = (*decided, *alerts), folded(settled, terms.site, alerts)
    before, wanted = enforcement(state), enforcement(settled)
    commands: list[Command]
    if loosens(before, wanted):
        first = [Enforce(tightest(before, wanted))] if tightens(before, wanted) else []
        commands = [*first, Seal(decided), Enforce(wanted)]
    elif always_enforce or tightens(before, wanted) or before != wanted:
        commands = [Seal(decided, urgent=True), Enforce(wanted)]
    else:
        commands = [Seal(decided, urgent=not any(isinstance(fact, _GRANTS) for fact in decided))]
    due = min(
        (at for at in (_next_deadline(settled, now), tell.next_due(terms.site, settled, now)) if at),
        default=None,
    )
    if due is not None:
        commands.append(WakeAt(due))
    return settled, tuple(commands)


def _overdue(state: State, now: Instant) -> tuple[AnyFact, ...]:
    """Everything whose time has come. The kernel has let it fall already; now it is said."""
    rehearsal = rehearsing(state)
    over = rehearsal is not None and rehearsal.until <= now
    rehearsed = [facts.RehearsalEnded(at=now, by=MACHINE, early=False)] if over else []
    trials = [
        facts.VisitEnded(at=now, opening=name, visitor=door.visitor)
        if door.visitor
        else facts.TrialEnded(at=now, opening=name)
        for name, door in state.doors.items()
        if door.stand.until is not None
        and door.stand.until <= now
        and not is_rehearsed(state, name)
        and not door.provisional
    ]
    barriers = [
        facts.Unbarred(at=now, passage=passage, by=MACHINE)
        for passage, measure in state.barred.items()
        if measure.until is not None and measure.until <= now
    ]
    blocks = [
        facts.Unblocked(at=now, target=target, by=MACHINE)
        for target, measure in state.blocked.items()
        if measure.until is not None and measure.until <= now
    ]
    isolations = [
        facts.Released(at=now, asset=asset, by=MACHINE)
        for asset, measure in state.isolated.items()
        if measure.until is not None and measure.until <= now
    ]
    quiet = [
        name
        for name, incident in state.incidents.items()
        if incident.state is IncidentState.OPEN and now - incident.last_seen > TOGETHER
    ]
    quiet += _crowded_out(state, but=set(quiet))
    ended = [facts.QuietReturned(at=now, incidents=quiet)] if quiet else []
    return (*rehearsed, *_fallen_back(state, now), *trials, *blocks, *isolations, *barriers, *ended)


def _fallen_back(state: State, now: Instant) -> tuple[AnyFact, ...]:
    """What nobody confirmed in time."""
    doors = sorted(
        name
        for name, door in state.doors.items()
        if door.provisional and door.stand.until is not None and door.stand.until <= now
    )
    contained = state.contained_until is not None and state.contained_until <= now
    return (facts.FellBack(at=now, openings=doors, contained=contained),) if doors or contained else ()


def _crowded_out(state: State, but: set[str]) -> list[str]:
    """The incidents beyond `CROWD`: noise before what is grave, the longest quiet first, never those of the cut."""
    excess = len(state.incidents) - len(but) - CROWD
    if excess <= 0:
        return []
    others = [i for name, i in state.incidents.items() if name not in but | state.contained_for]
    others.sort(key=lambda i: (i.level >= Level.HIGH, i.state is not IncidentState.CLOSED, i.last_seen))
    return [i.id for i in others[:excess]]


def _next_deadline(state: State, now: Instant) -> Instant | None:
    stands = [door.stand.until for door in state.doors.values()]
    measures = [m.until for m in (*state.blocked.values(), *state.isolated.values(), *state.barred.values())]
    measures += [state.contained_until, *deadline.announcements(state)]
    calm = [after(i.last_seen, TOGETHER) for i in state.incidents.values() if i.state is IncidentState.OPEN]
    return min((due for due in (*stands, *measures, *calm) if due is not None and due > now), default=None)


def counts(state: State) -> tuple[Count, ...]:
    """Every question about persons touched that is open: for a watch that has just come back and forgot them."""
    running = (
        i for i in state.incidents.values() if i.state is not IncidentState.CLOSED and i.kinds & _PERSONAL
    )
    return tuple(count for incident in running for count in _counting(state, incident.id))


def _counting(state: State, incident: str) -> tuple[Count, ...]:
    known = state.incidents[incident]
    if not known.assets:
        return ()
    since = Instant(known.opened - _BEFORE)
    return (Count(incident, tuple(sorted(known.assets)), tuple(sorted(known.accounts)), since),)
