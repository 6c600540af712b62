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
from rempart.detection.finding import Finding, Kind
from rempart.duties.duty import Obligations
from rempart.engine import deadline, facts, listening, retention, tell, timekeeping
from rempart.engine.caring import pack_read, probed
from rempart.engine.changed import changed
from rempart.engine.facts import AnyFact
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
from rempart.engine.overdue import next_deadline, overdue
from rempart.engine.rights import require
from rempart.engine.state import NEVER, State, enforcement
from rempart.engine.tally import is_power_of_ten, tallied
from rempart.engine.timekeeping import UNKNOWN
from rempart.engine.weigh import weigh
from rempart.errors import OrderRefused
from rempart.incidents.incident import IncidentState
from rempart.instants import Instant, hours
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

Stepped = tuple[State, tuple[Command, ...]]
"""The state after, and what to do about it, in order."""

Noted = Counted | Repaired | Delayed | Delivered | PackRead | Probed
"""What is only written down."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the engine reasons with and never changes."""

    site: Site
    policy: Policy
    named: frozenset[Address] = frozenset()
    """Where names that care needs lead at present: no machine blocks it."""
    obligations: Obligations | None = None
    """The legal duties whose clocks keep attached files; None: the station erases none by itself."""


def step(terms: Terms, state: State, happened: AnyInput) -> Stepped:
    """The state after ``happened``, and what to do about it, in order."""
    after_it, commands = _decide(terms, state, happened)
    told, notices = tell.notified(terms.site, after_it, happened.now)
    return told, (*commands, *notices)


def _decide(terms: Terms, state: State, happened: AnyInput) -> Stepped:
    """By what happened: time, findings, orders, sign-ins, replies, word of watch; the rest is only written down."""
    match happened:
        case Started(now=now):
            return _started(terms, state, now)
        case Ticked():
            return _ticked(terms, state, happened)
        case Found(now=now, finding=finding):
            return _found(terms, state, finding, now)
        case Ordered(now=now, order=order, authority=authority):
            return _obey(terms, state, order, authority, now)
        case Declined():
            return _declined(terms, state, happened)
        case Witnessed(fact=facts.SignInRefused() as refused):
            return _decline(terms, state, refused, refused.why)
        case Witnessed(now=now, fact=fact):
            return _settle(terms, state, (fact,), now)
        case Replied(now=now, role=role, code=code):
            remembered, answer = tell.replied(terms.site, state, role, code, now)
            return _settle(terms, remembered, answer, now)
        case Awaited(now=now):
            return changed(state, listening=listening.awaited(state.listening, now)), ()
        case Rebuilding(now=now, done=done, total=total):
            return changed(state, listening=listening.rebuilt(state.listening, done, total, now)), ()
        case Listened(now=now, silent=silent):
            spoken = changed(state, listening=listening.awaited(state.listening, now))
            return _settle(terms, spoken, _listened(terms.site, spoken, silent, now), now)
        case _:
            return _settle(terms, state, _noted(terms.site, state, happened), happened.now)


def _started(terms: Terms, state: State, now: Instant) -> Stepped:
    """What ended while nobody ran is said, and the world is brought to what was decided, whatever it holds."""
    state = changed(state, timekeeping=timekeeping.begun(state.timekeeping))
    leapt = timekeeping.turned(state.timekeeping, UNKNOWN, now)
    last = timekeeping.absent_since(state.timekeeping, now)
    begun = facts.StationStarted(at=now, site=terms.site.id, last=last)
    return _settle(terms, state, (*leapt, begun, *overdue(state, now)), now, always_enforce=True)


def _ticked(terms: Terms, state: State, tick: Ticked) -> Stepped:
    """Everything that falls due. Files are erased only when nothing else is sealed, and only by a clock believed."""
    now, reckoning = tick.now, tick.reckoning
    state = changed(
        state,
        listening=listening.looked(state.listening, now),
        timekeeping=timekeeping.reckoned(state.timekeeping, reckoning, now),
    )
    passed = (
        *(timekeeping.turned(state.timekeeping, reckoning, now) if reckoning != UNKNOWN else ()),
        *overdue(state, now),
        *deadline.nearing(state, now),
        *tell.day_ended(terms.site, state, now),
        *_missed(terms.site, state, now),
    )
    if passed:
        return _settle(terms, state, passed, now)
    return _erase(terms, state, now) if state.timekeeping.believes(reckoning) else (state, ())


def _found(terms: Terms, state: State, finding: Finding, now: Instant) -> Stepped:
    """What a finding becomes; where it may have cost records, whose they were is asked again."""
    weighed = weigh(terms.site, terms.policy, state, finding, now, terms.named)
    after_it, commands = _settle(terms, weighed.state, weighed.facts, now)
    merged = any(isinstance(fact, facts.IncidentsMerged) for fact in weighed.facts)
    if weighed.incident and (merged or finding.kind in _PERSONAL):
        commands = (*commands, *_counting(after_it, weighed.incident))
    return after_it, commands


def _declined(terms: Terms, state: State, happened: Declined) -> Stepped:
    """The guard did not believe who gave an order: whoever it was could write any name there."""
    by = happened.by if happened.by in state.people else ""
    declined = facts.OrderDeclined(at=happened.now, order=happened.order, by=by, why=happened.why)
    return _decline(terms, state, declined, happened.why)


def _noted(site: Site, state: State, happened: Noted) -> tuple[AnyFact, ...]:
    """What was observed, as a fact when it is news."""
    match happened:
        case Counted(now=now, incident=incident, persons=persons, records=records):
            known = state.incidents.get(incident)
            if known is None or known.persons_touched == persons:
                return ()
            return (facts.PersonsTouched(at=now, incident=incident, persons=persons, records=records),)
        case Repaired(now=now, what=what, repaired=repaired, lasts=lasts):
            return (facts.EnforcementFaulted(at=now, what=what, repaired=repaired, lasts=lasts),)
        case Delayed(now=now, what=what, milliseconds=milliseconds):
            return (facts.SealedLate(at=now, what=list(what), milliseconds=milliseconds),)
        case Delivered(now=now, alert=alert, delivery=delivery):
            return tell.told(site, state, alert, delivery, now)
        case PackRead(now=now, sha256=sha256, written=written):
            return pack_read(state.care, sha256, written, now)
        case Probed():
            return _probed(site, state, happened)


def _probed(site: Site, state: State, said: Probed) -> tuple[AnyFact, ...]:
    asked = next((probe for probe in site.probes if probe.id == said.probe), None)
    if asked is None:
        return ()
    since = _changed(state, asked.opening)
    return probed(
        state.care,
        said.probe,
        answered=said.answered,
        detail=said.detail,
        asked=said.asked,
        since=since,
        now=said.now,
    )


def _erase(terms: Terms, state: State, now: Instant) -> Stepped:
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


def _obey(terms: Terms, state: State, order: AnyOrder, authority: Authority, now: Instant) -> Stepped:
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
) -> Stepped:
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
) -> Stepped:
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
) -> Stepped:
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
        (at for at in (next_deadline(settled, now), tell.next_due(terms.site, settled, now)) if at),
        default=None,
    )
    if due is not None:
        commands.append(WakeAt(due))
    return settled, tuple(commands)


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
