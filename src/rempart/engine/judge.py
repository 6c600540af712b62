"""What a person's order becomes: facts, or a refusal with the reason."""

from dataclasses import dataclass
from ipaddress import ip_network

from msgspec import structs

from rempart.containment.barrier import OneWay, passage, passages
from rempart.containment.measure import stricter, tightens
from rempart.containment.policy import Action
from rempart.containment.safeguard import protects
from rempart.detection.finding import Level
from rempart.engine import casework, facts, handwork, orders, people, returning, taming, tell, unmasking
from rempart.engine.caring import heard
from rempart.engine.deadline import staffed
from rempart.engine.facts import AnyFact
from rempart.engine.fold.fold import fold
from rempart.engine.named import opening_named
from rempart.engine.orders import AnyOrder
from rempart.engine.state import Measure, Proposed, State, enforcement, is_rehearsed, rehearsing
from rempart.engine.visits import visit
from rempart.engine.watching import require_in_path
from rempart.errors import InputRefused, OrderRefused, require
from rempart.incidents.incident import IncidentState
from rempart.incidents.triage import inside
from rempart.instants import Instant, after, minutes, seconds
from rempart.site.belgian_time import on_the_wall
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site
from rempart.telling.alert import TEST


def judge(site: Site, state: State, order: AnyOrder, now: Instant) -> tuple[AnyFact, ...]:
    """The facts an order makes; none when it would change nothing. Raises `OrderRefused`."""
    if not order.by.strip():
        raise OrderRefused("nameless")
    require_in_path(site, state, order)
    return _Court(site, state, now).hear(order)


DRAINING = 60
"""Seconds for which requests under way may go on when a service closes in peace: as long as the proxy waits."""


_CutOrder = (
    orders.Contain
    | orders.Confirm
    | orders.CloseLifeline
    | orders.SetOpening
    | orders.Rehearse
    | orders.EndRehearsal
    | orders.AnnounceNews
)
_MeasureOrder = orders.Block | orders.Unblock | orders.Isolate | orders.Release | orders.Bar | orders.Unbar
_AlertOrder = orders.ApproveMeasure | orders.Acknowledge | orders.TryTelling | orders.ConfirmClock
_SightOrder = orders.AskUnmasking | orders.AgreeUnmasking | orders.MakeException | orders.EndException


@dataclass(frozen=True, slots=True)
class _Court:
    site: Site
    state: State
    now: Instant

    def hear(self, order: AnyOrder) -> tuple[AnyFact, ...]:
        """What an order becomes, by what it is about."""
        if isinstance(order, _CutOrder):
            return self.cut(order)
        if isinstance(order, _MeasureOrder):
            return self.measure(order)
        if isinstance(order, _AlertOrder):
            return self.alert(order)
        if isinstance(order, returning.ReopeningOrder):
            return returning.decide(self.site, self.state, order, self.now)
        if isinstance(order, orders.OpenVisit):
            return (visit(self.site, self.state, order, self.now),)
        if isinstance(order, casework.CaseOrder):
            return (casework.decide(self.state, order, self.now),)
        if isinstance(order, people.AboutPeople):
            return people.decide(self.state.people, order, self.now)
        if isinstance(order, _SightOrder):
            return self.sight(order)
        if isinstance(order, orders.TickByHand):
            return (handwork.heard(self.site, self.state.incidents.values(), order, self.now),)
        return (heard(self.site, self.state.care, order, self.now),)

    def cut(self, order: _CutOrder) -> tuple[AnyFact, ...]:
        """Orders about the cut of the site and single doors, in earnest or rehearsed, and what the public is told."""
        match order:
            case orders.Contain(by=by, reason=reason):
                waiting = (door.stand.until for door in self.state.doors.values() if door.provisional)
                return self.contain(
                    by, reason, (), self.fallback(order, self.state.contained_until, *waiting)
                )
            case orders.Confirm():
                return self.confirm_change(order)
            case orders.CloseLifeline():
                return self.close_lifeline(order)
            case orders.SetOpening():
                return self.set_opening(order)
            case orders.Rehearse():
                return self.rehearse(order)
            case orders.EndRehearsal(by=by):
                require(rehearsing(self.state) is not None, "no-rehearsal-running")
                return (facts.RehearsalEnded(at=self.now, by=by, early=True),)
            case orders.AnnounceNews(by=by, at=at):
                require(at is None or at > self.now, "past-news")
                known = at == self.state.news_at
                return () if known else (facts.NewsAnnounced(at=self.now, news_at=at, by=by),)

    def measure(self, order: _MeasureOrder) -> tuple[AnyFact, ...]:
        """Orders about blocks, isolations and barriers."""
        match order:
            case orders.Block(by=by, reason=reason, target=target):
                (blocked,) = self.block(target, by, reason, None, None)
                until, provisional = self.end(order, order.seconds)
                if outlasted(self.state.blocked.get(target), until):
                    return ()
                return (structs.replace(blocked, until=until, provisional=provisional),)
            case orders.Unblock(by=by, target=target):
                require(target in self.state.blocked, "not-blocked", target=target)
                return (facts.Unblocked(at=self.now, target=target, by=by),)
            case orders.Isolate(by=by, reason=reason, asset=asset):
                (isolated,) = self.isolate(asset, by, reason, None, None)
                until, provisional = self.end(order, order.seconds)
                if outlasted(self.state.isolated.get(isolated.asset), until):
                    return ()
                return (structs.replace(isolated, until=until, provisional=provisional),)
            case orders.Release(by=by, asset=asset):
                require(asset in self.state.isolated, "not-isolated", asset=asset)
                return (facts.Released(at=self.now, asset=asset, by=by),)
            case orders.Bar():
                return self.bar(order)
            case orders.Unbar(by=by, passage=passage):
                require(passage in self.state.barred, "not-barred", passage=passage)
                return (facts.Unbarred(at=self.now, passage=passage, by=by),)

    def alert(self, order: _AlertOrder) -> tuple[AnyFact, ...]:
        """Orders about what the station asks of people."""
        match order:
            case orders.ApproveMeasure():
                return self.approve(order)
            case orders.Acknowledge():
                return self.acknowledge(order)
            case orders.TryTelling():
                return self.try_telling()
            case orders.ConfirmClock(by=by, reason=reason):
                require(self.state.timekeeping.leapt is not None, "clock-not-doubted")
                return (facts.ClockConfirmed(at=self.now, by=by, reason=reason),)

    def sight(self, order: _SightOrder) -> tuple[AnyFact, ...]:
        """Orders about what people get to see: who stands behind masks, and findings that are normal here."""
        match order:
            case orders.AskUnmasking(incident=incident):
                require(incident in self.state.incidents, "no-incident", incident=incident)
                return (unmasking.ask(self.state.unmaskings, order, self.now),)
            case orders.AgreeUnmasking():
                return (unmasking.agree(self.state.unmaskings, order, self.now),)
            case orders.MakeException():
                return taming.make(self.state.taming, order, self.now)
            case orders.EndException():
                return (taming.end(self.state.taming, order, self.now),)

    def opening(self, name: str) -> Opening:
        return opening_named(self.site, name)

    def standing(self, name: str) -> OpeningState:
        return self.state.doors[name].stand.state

    # -- tightening ----------------------------------------------------------------------------------------------

    def fallback(self, order: orders.Tightening, *already: Instant | None) -> Instant | None:
        """When the change falls back unless somebody confirms it: no sooner than what waits ``already``."""
        if not order.confirm_within:
            return None
        return max((after(self.now, seconds(order.confirm_within)), *(until for until in already if until)))

    def waits_until(self, opening: Opening) -> Instant | None:
        """When the door falls back unless somebody confirms it; None: it does not."""
        door = self.state.doors[opening.id]
        return door.stand.until if door.provisional else None

    def end(self, order: orders.Tightening, length: int | None) -> tuple[Instant | None, bool]:
        """When a measure ends, and whether a confirmation makes it stay. Others end while somebody is there."""
        require(length is None or order.confirm_within is None, "ends-or-waits")
        if order.confirm_within:
            return self.fallback(order), True
        return (staffed(self.site.hours, after(self.now, seconds(length))) if length else None), False

    def confirm_change(self, order: orders.Confirm) -> tuple[AnyFact, ...]:
        waiting = [door.stand.until for door in self.state.doors.values() if door.provisional]
        for measures in (self.state.blocked, self.state.isolated, self.state.barred):
            waiting += [measure.until for measure in measures.values() if measure.provisional]
        running = [until for until in (*waiting, self.state.contained_until) if until and until > self.now]
        require(bool(running), "nothing-to-confirm")
        return (facts.ChangeConfirmed(at=self.now, by=order.by),)

    def bar(self, order: orders.Bar) -> tuple[AnyFact, ...]:
        try:
            barrier = passage(self.site, order.passage)
        except InputRefused as unknown:
            known = (str(each) for each in passages(self.site))
            raise OrderRefused("no-passage", passage=order.passage, known=sorted(known)) from unknown
        require(
            not (isinstance(barrier, OneWay) and barrier.opening.lifeline),
            "lifeline-way",
            passage=order.passage,
        )
        until, provisional = self.end(order, order.seconds)
        if outlasted(self.state.barred.get(order.passage), until):
            return ()
        return (
            facts.Barred(
                at=self.now,
                passage=order.passage,
                until=until,
                by=order.by,
                reason=order.reason,
                provisional=provisional,
            ),
        )

    def contain(
        self, by: str, reason: str, incidents: tuple[str, ...], until: Instant | None = None
    ) -> tuple[AnyFact, ...]:
        fresh = set(incidents) - self.state.contained_for
        waits = self.state.contained_until is not None or any(
            d.provisional for d in self.state.doors.values()
        )
        because = incidents or self.grave()
        cut = facts.Contained(at=self.now, by=by, reason=reason, incidents=sorted(because), until=until)
        if self.state.contained and not fresh and not waits and not self.would_tighten(cut):
            return ()
        # In this order: a rehearsal that ended after the cut would undo it.
        return (*self.rehearsal_overtaken(by), cut)

    def would_tighten(self, cut: facts.Contained) -> bool:
        """Whether a cut that is ordered again shuts anything: what was reopened, filtered or opened for a visit."""
        reopened = any(door.reopened for door in self.state.doors.values())
        return reopened or tightens(enforcement(self.state), enforcement(fold(self.state, self.site, cut)))

    def rehearsal_overtaken(self, by: str) -> tuple[AnyFact, ...]:
        """A rehearsal that turns into earnest is over; it proves nothing."""
        return (facts.RehearsalEnded(at=self.now, by=by, early=True),) if rehearsing(self.state) else ()

    def rehearse(self, order: orders.Rehearse) -> tuple[AnyFact, ...]:
        """A cut that undoes itself, while those who can mend things are there and nothing else is going on."""
        require(not self.state.contained, "contained-no-rehearsal")
        require(rehearsing(self.state) is None, "rehearsal-running")
        require(bool(self.site.wards), "no-wards")
        limited = [name for name, door in self.state.doors.items() if door.stand.until is not None]
        require(not limited, "limited-now", openings=limited)
        require(
            all(self.in_staffed_hours(at) for at in (self.now, after(self.now, seconds(order.seconds)))),
            "staffed-hours",
        )
        until = after(self.now, seconds(order.seconds))
        return (facts.RehearsalBegun(at=self.now, until=until, by=order.by, reason=order.reason),)

    def in_staffed_hours(self, at: Instant) -> bool:
        return self.site.hours.staffed(on_the_wall(at))

    def grave(self) -> tuple[str, ...]:
        """The open incidents a cut is about: the grave ones, or all when none is."""
        running = [i for i in self.state.incidents.values() if i.state is not IncidentState.CLOSED]
        grave = [i for i in running if i.level >= Level.HIGH]
        return tuple(i.id for i in grave or running)

    def close_lifeline(self, order: orders.CloseLifeline) -> tuple[AnyFact, ...]:
        opening = self.opening(order.opening)
        require(opening.lifeline, "no-lifeline", opening=opening.id)
        require(
            order.fallback_confirmed,
            "fallback-unconfirmed",
            opening=opening.id,
            name=opening.name,
            fallback=opening.fallback.text,
        )
        if self.standing(opening.id) is OpeningState.CLOSED:
            return ()
        return (
            facts.LifelineClosed(
                at=self.now,
                opening=opening.id,
                by=order.by,
                reason=order.reason,
                until=self.fallback(order, self.waits_until(opening)),
            ),
        )

    def set_opening(self, order: orders.SetOpening) -> tuple[AnyFact, ...]:
        opening = self.opening(order.opening)
        present, wanted = self.standing(opening.id), order.state
        for_a_while = self.state.doors[opening.id].stand.until is not None
        if present is wanted and not for_a_while:
            return ()
        require(not (order.in_peace and order.confirm_within), "peace-stays")
        if (present is wanted and for_a_while and wanted is not OpeningState.CLOSED) or (
            stricter(present, wanted) is present and present is not wanted
        ):
            self.may_loosen(opening, wanted)
            require(order.confirm_within is None, "opening-locks-nobody", opening=opening.id)
        require(not (opening.lifeline and wanted is OpeningState.CLOSED), "is-lifeline", opening=opening.id)
        then = self.trial_goes_on(opening, wanted)
        return (
            facts.OpeningSet(
                at=self.now,
                opening=opening.id,
                state=wanted,
                by=order.by,
                reason=order.reason,
                drains=self.drains(opening, order),
                until=(
                    self.state.doors[opening.id].stand.until
                    if then
                    else self.fallback(order, self.waits_until(opening))
                ),
                then=then,
            ),
        )

    def trial_goes_on(self, opening: Opening, wanted: OpeningState) -> OpeningState | None:
        """As what a door on trial that becomes stricter stands in the end, as before; None: no trial goes on."""
        door = self.state.doors[opening.id]
        if door.provisional or is_rehearsed(self.state, opening.id) or door.stand.state is wanted:
            return None
        then = door.stand.then
        return then if then and stricter(wanted, then) is not wanted else None

    def drains(self, opening: Opening, order: orders.SetOpening) -> Instant | None:
        """Until when requests under way may end: for a published service only, and never against a cut."""
        if not order.in_peace or order.state is not OpeningState.CLOSED:
            return None
        require(opening.publication is not None, "not-published", opening=opening.id)
        require(not self.state.contained, "contained-at-once")
        return after(self.now, seconds(DRAINING))

    def may_loosen(self, opening: Opening, wanted: OpeningState) -> None:
        require(not self.state.contained, "through-gates", opening=opening.id)
        require(
            stricter(opening.normally, wanted) is wanted,
            "wider-than-normal",
            opening=opening.id,
            state=opening.normally.value,
        )

    def block(
        self, target: str, by: str, reason: str, length: int | None, incident: str | None
    ) -> tuple[facts.Blocked]:
        try:
            ip_network(target, strict=False)
        except ValueError:
            raise OrderRefused("no-address", target=target) from None
        require(not inside(self.site, target), "is-inside", target=target)
        self.guarded(target)
        until = after(self.now, seconds(length)) if length else None
        return (
            facts.Blocked(at=self.now, target=target, until=until, by=by, reason=reason, incident=incident),
        )

    def isolate(
        self, asset: str, by: str, reason: str, length: int | None, incident: str | None
    ) -> tuple[facts.Isolated]:
        machine = next((a for a in self.site.assets if asset == a.id or asset in a.addresses), None)
        if machine is None:
            known = sorted(each.id for each in self.site.assets)
            raise OrderRefused("no-machine", asset=asset, known=known)
        self.guarded(machine.id)
        until = after(self.now, seconds(length)) if length else None
        return (
            facts.Isolated(
                at=self.now, asset=machine.id, until=until, by=by, reason=reason, incident=incident
            ),
        )

    def guarded(self, target: str) -> None:
        why = protects(self.site, target, by_machine=False)
        require(why is None, "guarded", because=[why] if why else (), target=target)

    # -- incidents -----------------------------------------------------------------------------------------------

    def approve(self, order: orders.ApproveMeasure) -> tuple[AnyFact, ...]:
        proposal = self.state.proposals.get(order.proposal)
        if proposal is None:
            raise OrderRefused("no-proposal", proposal=order.proposal)
        settled = facts.ProposalSettled(at=self.now, proposal=proposal.id, by=order.by)
        return (settled, *self.carried_out(proposal, order))

    # -- telling -------------------------------------------------------------------------------------------------

    def acknowledge(self, order: orders.Acknowledge) -> tuple[AnyFact, ...]:
        alert = tell.meant(self.state, order.code)
        if alert is None:
            raise OrderRefused("no-such-code")
        require(alert.waits, "already-taken", by=alert.taken_by)
        return (facts.Acknowledged(at=self.now, alert=alert.id, by=order.by, how="order"),)

    def try_telling(self) -> tuple[AnyFact, ...]:
        require(bool(self.site.telling.recipients), "nobody-told")
        last = self.state.alerts.get(TEST)
        require(last is None or self.now - last.raised >= minutes(1), "test-just-sent")
        return (tell.tested(self.site, self.now),)

    def carried_out(self, proposal: Proposed, order: orders.ApproveMeasure) -> tuple[AnyFact, ...]:
        match Action(proposal.action):
            case Action.CONTAIN:
                return self.contain(order.by, order.reason, (proposal.incident,))
            case Action.BLOCK:
                return self.block(proposal.target, order.by, order.reason, None, proposal.incident)
            case Action.ISOLATE:
                return self.isolate(proposal.target, order.by, order.reason, None, proposal.incident)
            case Action.WATCH:
                return ()


def outlasted(standing: Measure | None, until: Instant | None) -> bool:
    """Whether a measure that stands ends no sooner than a new one would: nothing that tightens shortens it."""
    return standing is not None and (
        standing.until is None or (until is not None and until <= standing.until)
    )
