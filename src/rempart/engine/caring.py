"""Whether care goes on: what people say and probes answer becomes facts, and the ledger of care follows from them."""

from dataclasses import replace

from rempart.care.attestation import Attestation
from rempart.care.catchup import PaperKept
from rempart.care.ledger import CHANGES, Ledger, OutsideTick, PackSeen, Turn, open_first, waiting_first
from rempart.care.rehearsal import TOLD_WITHIN, Correction, Rehearsal, Tick
from rempart.care.reply import Reply
from rempart.care.trouble import Trouble
from rempart.engine import facts, orders
from rempart.engine.named import opening_named
from rempart.errors import OrderRefused, require
from rempart.instants import Instant, seconds
from rempart.site.site import Site

CareOrder = (
    orders.TickWard
    | orders.CorrectSite
    | orders.AttestCare
    | orders.ReportTrouble
    | orders.SettleTrouble
    | orders.TickOutside
    | orders.KeepPaper
    | orders.EnterPaper
)
"""Orders that say something and change nothing in the kernel."""

MOST_CORRECTIONS = 200

SETTLES = seconds(5)
"""How long what a probe found stands at least: who took the prober over cannot flood the journal with turns."""


def heard(site: Site, ledger: Ledger, order: CareOrder, now: Instant) -> facts.CareFact:
    """What is written down of somebody's words. Raises `OrderRefused`."""
    match order:
        case orders.TickWard():
            return _ticked(site, ledger, order, now)
        case orders.CorrectSite(by=by, reason=reason, opening=opening, becomes=becomes):
            require(ledger.rehearsal is not None, "never-rehearsed")
            require(bool(reason.strip()), "correction-reason")
            return facts.SiteCorrected(at=now, opening=opening, becomes=becomes, by=by, reason=reason)
        case orders.AttestCare(by=by, ward=ward, reply=reply, note=note):
            _known_ward(site, ward)
            return facts.CareAttested(at=now, ward=ward, reply=reply, note=note, by=by)
        case orders.ReportTrouble(by=by, service=service, ail=ail, ward=ward, note=note):
            require(bool(service.strip()), "no-service")
            if ward:
                _known_ward(site, ward)
            name = f"t{ledger.told + 1}"
            return facts.TroubleReported(
                at=now, trouble=name, service=service, ail=ail, ward=ward, note=note, by=by
            )
        case orders.SettleTrouble(by=by, trouble=trouble, remedy=remedy):
            known = ledger.troubles.get(trouble)
            require(known is not None and known.settled is None, "no-trouble", trouble=trouble)
            require(bool(remedy.strip()), "no-remedy")
            return facts.TroubleSettled(at=now, trouble=trouble, remedy=remedy, by=by)
        case orders.TickOutside():
            return _outside(site, order, now)
        case orders.KeepPaper(by=by, opening=opening, what=what):
            opening_named(site, opening)
            require(bool(what.strip()), "nothing-noted")
            return facts.PaperKept(at=now, paper=f"p{ledger.told + 1}", opening=opening, what=what, by=by)
        case orders.EnterPaper(by=by, paper=paper):
            waiting = ledger.papers.get(paper)
            require(waiting is not None and waiting.entered is None, "no-paper", paper=paper)
            return facts.PaperEntered(at=now, paper=paper, by=by)


def _ticked(site: Site, ledger: Ledger, order: orders.TickWard, now: Instant) -> facts.WardTicked:
    rehearsal = ledger.rehearsal
    _known_ward(site, order.ward)
    require(rehearsal is not None, "never-rehearsed")
    assert rehearsal
    require(now - rehearsal.until <= TOLD_WITHIN, "rehearsal-long-over")
    require(order.reply is not Reply.NO or bool(order.note.strip()), "not-said-what-failed")
    return facts.WardTicked(
        at=now, ward=order.ward, question=order.question, reply=order.reply, note=order.note, by=order.by
    )


def _outside(site: Site, order: orders.TickOutside, now: Instant) -> facts.OutsideTicked:
    item = next((each for each in site.outside_wall if each.name == order.item), None)
    if item is None:
        raise OrderRefused("not-outside", item=order.item, known=[each.name for each in site.outside_wall])
    require(order.action <= len(item.actions), "no-action", item=item.name, count=len(item.actions))
    require(order.reply is not Reply.YES or bool(order.proof.strip()), "not-said-how")
    return facts.OutsideTicked(
        at=now,
        item=item.name,
        action=item.actions[order.action - 1],
        reply=order.reply,
        proof=order.proof,
        by=order.by,
    )


def _known_ward(site: Site, ward: str) -> None:
    known = [each.id for each in site.wards]
    require(ward in known, "no-ward", ward=ward, known=known)


def probed(
    ledger: Ledger, probe: str, *, answered: bool, detail: str, asked: Instant, since: Instant, now: Instant
) -> tuple[facts.CareFact, ...]:
    """A probe's answer is news when it differs from the last, or when it is the first that was asked for ``since`` its
    door changed. It may come late; it proves nothing of what was changed after it was asked for.

    Not too soon after the last: it is asked again anyway.
    """
    asked = min(asked, now)
    if turns := ledger.probes.get(probe, ()):
        last = turns[-1]
        known = last.answered is answered and not last.asked < since <= asked
        if known or now - last.at < SETTLES:
            return ()
    return (facts.ProbeTurned(at=now, probe=probe, answered=answered, detail=detail, asked=asked),)


def pack_read(ledger: Ledger, sha256: str, written: Instant, now: Instant) -> tuple[facts.CareFact, ...]:
    """The downtime pack is news when its content or its age is another."""
    known = ledger.pack
    if known and ((known.sha256, known.written) == (sha256, written) or now - known.at < SETTLES):
        return ()
    return (facts.PackChanged(at=now, sha256=sha256, written=written),)


# -- the fold ----------------------------------------------------------------------------------------------------


def noted(ledger: Ledger, fact: facts.CareFact) -> Ledger:
    """The ledger after one fact. Total: it takes whatever a journal holds."""
    match fact:
        case facts.RehearsalBegun(at=at, until=until, by=by):
            return replace(ledger, rehearsal=Rehearsal(began=at, until=until, by=by))
        case facts.RehearsalEnded(at=at, early=early):
            ended = replace(ledger.rehearsal, ended=at, early=early) if ledger.rehearsal else None
            return replace(ledger, rehearsal=ended)
        case facts.WardTicked():
            return _with_tick(ledger, fact)
        case facts.SiteCorrected(opening=opening, becomes=becomes, by=by, reason=reason):
            if ledger.rehearsal is None:
                return ledger
            made = Correction(opening=opening, becomes=becomes, by=by, reason=reason)
            kept = (*ledger.rehearsal.corrections, made)[-MOST_CORRECTIONS:]
            return replace(ledger, rehearsal=replace(ledger.rehearsal, corrections=kept))
        case facts.CareAttested(at=at, ward=ward, reply=reply, note=note, by=by):
            said = Attestation(reply=reply, note=note, by=by, at=at)
            return replace(ledger, attested={**ledger.attested, ward: said})
        case facts.TroubleReported():
            return _with_trouble(ledger, fact)
        case facts.TroubleSettled(at=at, trouble=trouble, remedy=remedy):
            if trouble not in ledger.troubles:
                return ledger
            settled = replace(ledger.troubles[trouble], settled=at, remedy=remedy)
            return replace(ledger, troubles=open_first({**ledger.troubles, trouble: settled}.values()))
        case facts.OutsideTicked(at=at, item=item, action=action, reply=reply, proof=proof, by=by):
            tick = OutsideTick(reply=reply, proof=proof, by=by, at=at)
            ticks = {**ledger.outside.get(item, {}), action: tick}
            return replace(ledger, outside={**ledger.outside, item: ticks})
        case facts.PaperKept():
            pile = PaperKept(id=fact.paper, opening=fact.opening, what=fact.what, by=fact.by, at=fact.at)
            papers = waiting_first({**ledger.papers, pile.id: pile}.values())
            return replace(ledger, papers=papers, told=ledger.told + 1)
        case facts.PaperEntered(at=at, paper=paper, by=by):
            if paper not in ledger.papers:
                return ledger
            entered = replace(ledger.papers[paper], entered=at, entered_by=by)
            return replace(ledger, papers=waiting_first({**ledger.papers, paper: entered}.values()))
        case facts.ProbeTurned(probe=probe):
            turns = (*ledger.probes.get(probe, ()), _turn(fact))[-CHANGES:]
            return replace(ledger, probes={**ledger.probes, probe: turns})
        case facts.PackChanged(at=at, sha256=sha256, written=written):
            return replace(ledger, pack=PackSeen(sha256=sha256, written=written, at=at))


def _turn(fact: facts.ProbeTurned) -> Turn:
    asked = fact.at if fact.asked is None else fact.asked
    return Turn(at=fact.at, asked=asked, answered=fact.answered, detail=fact.detail)


def _with_tick(ledger: Ledger, fact: facts.WardTicked) -> Ledger:
    if ledger.rehearsal is None:
        return ledger
    tick = Tick(reply=fact.reply, note=fact.note, by=fact.by, at=fact.at)
    ticks = ledger.rehearsal.ticks
    of_ward = {**ticks.get(fact.ward, {}), fact.question.value: tick}
    return replace(ledger, rehearsal=replace(ledger.rehearsal, ticks={**ticks, fact.ward: of_ward}))


def _with_trouble(ledger: Ledger, fact: facts.TroubleReported) -> Ledger:
    trouble = Trouble(
        id=fact.trouble,
        service=fact.service,
        ail=fact.ail,
        ward=fact.ward,
        note=fact.note,
        by=fact.by,
        at=fact.at,
    )
    troubles = open_first({**ledger.troubles, trouble.id: trouble}.values())
    return replace(ledger, troubles=troubles, told=ledger.told + 1)
