"""Account: everything the papers say of one incident, read from a verified journal, entry by entry."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from rempart.adapters.journal import Journal, Recorded
from rempart.containment.by_hand import EVERYWHERE
from rempart.duties.document import Account, Complainant, Seals
from rempart.duties.timeline import Line
from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.engine.fold.fold import fold
from rempart.engine.state import initial
from rempart.errors import InputRefused, JournalBroken
from rempart.incidents.incident import Incident, IncidentState, Sentence
from rempart.messages import MAX_FRAME
from rempart.site.site import Site

MOST_LINES = 1000
"""Lines of an account that are told over a socket: a paper of some forty pages."""


def account_of(journal: Path, site: Site, wanted: str | None) -> Account:
    """The account of the incident ``wanted`` (None: the one seen last) in the journal's file.

    One unchanging view of the journal is taken, also while a guard writes it, and all of it verified before a word is
    believed. Raises `JournalBroken` naming the first bad entry, `InputRefused` as `account` does.
    """
    view = Journal.read(journal)
    try:
        verdict = view.verify()
        if not verdict.ok:
            raise JournalBroken(
                f"the journal does not verify: {verdict.faults[0]}",
                where=str(journal),
                now="No paper is made of it. Keep the file as it is and run `rempart verify` on it.",
            )
        return account(view.verified, site, wanted, Seals(verdict.entries, verdict.root.hex()))
    finally:
        view.close()


def account(
    entries: Callable[[], Iterable[Recorded]], site: Site, wanted: str | None, seals: Seals
) -> Account:
    """The account of the incident ``wanted`` (None: the one seen last), folded from the entries.

    ``entries`` gives all of them, and is called twice: a journal of months is not held in memory. Raises
    `InputRefused` when the journal knows no such incident, or says which one it was joined to.
    """
    past = _past(entries(), site)
    incident = _chosen(past.incidents, past.merged, wanted)
    lines = _lines(entries(), site, joined_to(incident.id, past.merged), past.cuts)
    return Account(
        incident=incident,
        lines=tuple(lines),
        seals=seals,
        who=Complainant(name=site.name, phone=site.phone),
    )


def masked(told: Account, mask: Callable[[str, str], str]) -> Account:
    """The account with masks instead of workers' accounts, and without what this version cannot read.

    ``mask`` gives the mask of an account in an incident.
    """
    incident = told.incident.id

    def hidden(sentence: Sentence) -> Sentence:
        if sentence.key.startswith(_UNREAD):
            return Sentence(sentence.key)
        accounts = [mask(incident, each) for each in sentence.arguments.get("account", ())]
        return Sentence(sentence.key, {**sentence.arguments, "account": accounts}) if accounts else sentence

    return msgspec.structs.replace(
        told,
        incident=replace(
            told.incident,
            accounts=frozenset(mask(incident, each) for each in told.incident.accounts),
            story=(),
        ),
        lines=tuple(replace(line, sentence=hidden(line.sentence)) for line in told.lines),
        masked=True,
    )


def fitting(told: Account) -> Account:
    """What of it one frame takes: its beginning and its end, and how many lines were between them."""
    kept = min(len(told.lines), MOST_LINES)
    while len(msgspec.json.encode(shorter := _abridged(told, kept))) > MAX_FRAME - _HEADING and kept:
        kept //= 2
    return shorter


_HEADING = 64
"""Bytes that a message adds around what it carries."""


def _abridged(told: Account, kept: int) -> Account:
    left_out = len(told.lines) - kept
    if not left_out:
        return told
    head, tail = told.lines[: kept - kept // 2], told.lines[len(told.lines) - kept // 2 :]
    return msgspec.structs.replace(told, lines=head + tail, left_out=told.left_out + left_out)


# -- what the journal knows --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Past:
    """What a whole journal says of incidents."""

    incidents: Mapping[str, Incident]
    """By id, also those that the state has forgotten as background noise: a paper may be about one."""
    merged: tuple[facts.IncidentsMerged, ...]
    cuts: Mapping[int, frozenset[str]]
    """The incidents for which the site is cut, by the number of each entry that changed them."""


def _past(entries: Iterable[Recorded], site: Site) -> _Past:
    state, forgotten, merged, cuts = initial(site), dict[str, Incident](), [], {}
    for entry in entries:
        if (fact := _fact(entry)) is None:
            continue
        if isinstance(fact, facts.QuietReturned):
            closed = IncidentState.CLOSED
            forgotten |= {name: replace(each, state=closed) for name, each in state.incidents.items()}
        if isinstance(fact, facts.IncidentsMerged):
            merged.append(fact)
        before, state = state, fold(state, site, fact)
        if state.contained_for != before.contained_for:
            cuts[entry.number] = state.contained_for
    return _Past(forgotten | dict(state.incidents), tuple(merged), cuts)


def _lines(
    entries: Iterable[Recorded], site: Site, ids: frozenset[str], cuts: Mapping[int, frozenset[str]]
) -> Iterator[Line]:
    concern, cut_for = _Concern(ids, site), frozenset[str]()
    for entry in entries:
        fact, cut_for = _fact(entry), cuts.get(entry.number, cut_for)
        sentence = concern.sentence(entry, fact, cut_for)
        if sentence is not None:
            at = fact.at if fact else entry.at
            yield Line(entry=entry.number, at=at, sentence=sentence, late=entry.late)


def _fact(entry: Recorded) -> AnyFact | None:
    """The fact an entry holds; None when its body was erased, or a newer station or the journal itself wrote it."""
    return facts.read(entry.body) if entry.body is not None and entry.kind in facts.FACTS else None


def _chosen(
    incidents: Mapping[str, Incident], merged: Iterable[facts.IncidentsMerged], wanted: str | None
) -> Incident:
    if not incidents:
        raise InputRefused("the journal knows no incident", now="Nothing happened yet, as far as it says.")
    if wanted is None:
        return max(incidents.values(), key=lambda incident: (incident.last_seen, incident.id))
    if wanted in incidents:
        return incidents[wanted]
    for fact in merged:
        if fact.merged == wanted:
            raise InputRefused(f"{wanted} was joined to {fact.into}", now=f"Ask for {fact.into}.")
    known = ", ".join(sorted(incidents))
    raise InputRefused(f"the journal knows no incident {wanted!r}", now=f"It knows: {known}.")


def joined_to(incident: str, all_facts: Iterable[AnyFact | None]) -> frozenset[str]:
    """The incident and all those that turned out to be part of it."""
    ids = {incident}
    for fact in reversed(tuple(all_facts)):
        if isinstance(fact, facts.IncidentsMerged) and fact.into in ids:
            ids.add(fact.merged)
    return frozenset(ids)


# -- which entries concern it, and what they say -----------------------------------------------------------------


@dataclass(slots=True)
class _Concern:
    """Tells which entries concern the incident, in order. Site-wide ones do while the site is cut because of it; what
    was done by hand beside the path does until the incident is over, because no cut says what it was for.
    """

    ids: frozenset[str]
    site: Site
    _begun: bool = False
    _quiet: bool = False
    _cut: bool = False
    _targets: frozenset[str] = frozenset()
    _attached: frozenset[str] = frozenset()

    def sentence(self, entry: Recorded, fact: AnyFact | None, cut_for: frozenset[str]) -> Sentence | None:
        """The sentence of an entry that concerns the incident, or None."""
        was_cut, self._cut = self._cut, bool(self.ids & cut_for)
        if fact is None:
            return _unread(entry) if self._begun else None
        if not self._concerns(fact, cut=was_cut or self._cut):
            return None
        self._begun = True
        return _sentence(fact, self.site)

    def _concerns(self, fact: AnyFact, *, cut: bool) -> bool:
        match fact:
            case facts.FindingJoined(incident=incident):
                mine = incident in self.ids
                self._quiet = self._quiet and not mine
                return mine
            case (
                facts.PersonsTouched(incident=incident)
                | facts.IncidentQualified(incident=incident)
                | facts.IncidentAssigned(incident=incident)
                | facts.IncidentCommented(incident=incident)
                | facts.QuestionAnswered(incident=incident)
                | facts.DutyFulfilled(incident=incident)
                | facts.UnmaskingAsked(incident=incident)
                | facts.Unmasked(incident=incident)
            ):
                return incident in self.ids
            case facts.FileAttached(incident=incident, sha256=sha256):
                self._attached |= {sha256} if incident in self.ids else set()
                return incident in self.ids
            case facts.FileErased(incident=incident, sha256=sha256):
                return incident in self.ids or sha256 in self._attached
            case facts.IncidentSplit(incident=incident, into=into):
                return bool({incident, into} & self.ids)
            case facts.MeasureProposed(incident=incident, proposal=target):
                self._targets |= {target} if incident in self.ids else set()
                return incident in self.ids
            case facts.IncidentsMerged(into=into):
                return into in self.ids
            case (
                facts.Blocked(incident=incident, target=target)
                | facts.Isolated(incident=incident, asset=target)
            ):
                mine = incident in self.ids or (incident is None and cut)
                self._targets |= {target} if mine else set()
                return mine
            case (
                facts.Unblocked(target=target)
                | facts.Released(asset=target)
                | facts.ProposalSettled(proposal=target)
            ):
                return target in self._targets
            case facts.QuietReturned(incidents=incidents):
                quiet = bool(self.ids & set(incidents))
                self._quiet = self._quiet or quiet
                return quiet
            case facts.TickedByHand():
                return self._begun and not self._quiet
            case _:
                return cut and type(fact) not in ASIDE


_UNREAD = "fact."
"""What the key of a sentence begins with that is an entry as it stands: no words of ours tell it."""


def _unread(entry: Recorded) -> Sentence | None:
    """An entry that holds no fact of ours: said to be erased, or shown as it stands; the journal's own are not."""
    if entry.kind.startswith("journal."):
        return None
    if entry.body is None:
        return Sentence("story.erased", {"kind": entry.kind})
    return Sentence(f"{_UNREAD}{entry.kind}", entry.body)


def _sentence(fact: AnyFact, site: Site) -> Sentence:
    """A fact as a sentence; its fields are the arguments, openings by the name people use."""
    arguments = dict(_fields(fact))
    if "opening" in arguments:
        arguments["opening"] = _name(site, arguments["opening"])
    if isinstance(fact, facts.FindingJoined):
        return Sentence(
            f"story.{fact.kind.value}",
            {
                "actor": fact.actors[:3],
                "asset": (fact.assets or fact.victims)[:3],
                "account": fact.accounts[:3],
                "count": fact.count,
                "title": fact.title,
            },
        )
    if isinstance(fact, facts.Blocked) and fact.until is None:
        return Sentence("story.blocked-for-good", arguments)
    if isinstance(fact, facts.VisitBegun) and (fact.hosts or fact.certificate):
        return Sentence("story.visit-to" if fact.hosts else "story.visit-certified", arguments)
    if isinstance(fact, facts.TickedByHand):
        then = "" if fact.on is None else "-then"
        return Sentence(f"{_by_hand_key(fact)}{then}", arguments)
    return Sentence(_KEYS.get(type(fact), f"{_UNREAD}{facts.kind_of(fact)}"), arguments)


def _by_hand_key(fact: facts.TickedByHand) -> str:
    if fact.step == EVERYWHERE:
        return f"story.by-hand-{fact.action.value}"
    return "story.by-hand-on" if fact.target else "story.by-hand"


def _fields(fact: AnyFact) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in facts.body_of(fact).items() if name != "type")


def _name(site: Site, opening: str) -> str:
    return next((one.name for one in site.openings if one.id == opening), opening)


_KEYS: Mapping[type, str] = {
    facts.IncidentsMerged: "story.merged",
    facts.Contained: "story.contained",
    facts.LifelineClosed: "story.lifeline-closed",
    facts.OpeningSet: "story.opening-set",
    facts.VisitBegun: "story.visit-begun",
    facts.VisitEnded: "story.visit-ended",
    facts.NewsAnnounced: "story.news",
    facts.Blocked: "story.blocked",
    facts.Unblocked: "story.unblocked",
    facts.Isolated: "story.isolated",
    facts.Released: "story.released",
    facts.Barred: "story.barred",
    facts.Unbarred: "story.unbarred",
    facts.ChangeConfirmed: "story.change-confirmed",
    facts.FellBack: "story.fell-back",
    facts.DeadlineNears: "story.deadline",
    facts.MeasureProposed: "story.proposed",
    facts.ProposalSettled: "story.settled",
    facts.GateAnswered: "story.gate",
    facts.TrialStarted: "story.reopened",
    facts.TrialConfirmed: "story.confirmed",
    facts.TrialEnded: "story.trial-ended",
    facts.OpeningReclosed: "story.reclosed",
    facts.Normalised: "story.normal",
    facts.QuietReturned: "story.quiet",
    facts.IncidentQualified: "story.qualified",
    facts.IncidentAssigned: "story.assigned",
    facts.IncidentCommented: "story.commented",
    facts.FileAttached: "story.attached",
    facts.FileErased: "story.file-erased",
    facts.IncidentSplit: "story.split",
    facts.QuestionAnswered: "story.answered",
    facts.DutyFulfilled: "story.told",
    facts.PersonsTouched: "story.persons",
    facts.OrderDeclined: "story.refused",
    facts.EnforcementFaulted: "story.fault",
    facts.SealedLate: "story.late",
    facts.BoxRestored: "story.restored",
    facts.AlertRaised: "story.alert",
    facts.Acknowledged: "story.acknowledged",
    facts.CareAttested: "story.care-attested",
    facts.EnvelopeOpened: "story.envelope",
    facts.OutsideTicked: "story.outside",
    facts.TickedByHand: "story.by-hand",
    facts.OverrideConfirmed: "story.override-confirmed",
    facts.PaperKept: "story.paper-kept",
    facts.PaperEntered: "story.paper-entered",
    facts.PartnerNoted: "story.partner",
    facts.ProbeTurned: "story.probe-turned",
    facts.LogsTurned: "story.logs-turned",
    facts.WatchMuted: "story.watch-muted",
    facts.WatchHeard: "story.watch-heard",
    facts.ClockLeapt: "story.clock-leapt",
    facts.ClockReturned: "story.clock-returned",
    facts.ClockConfirmed: "story.clock-confirmed",
    facts.ProofGiven: "story.proof",
    facts.StageSet: "story.stage",
    facts.TroubleReported: "story.trouble",
    facts.TroubleSettled: "story.trouble-settled",
    facts.UnmaskingAsked: "story.unmasking-asked",
    facts.Unmasked: "story.unmasked",
    facts.ExceptionMade: "story.exception-made",
    facts.ExceptionEnded: "story.exception-ended",
}

ASIDE: frozenset[type] = frozenset(
    {
        facts.StationStarted,
        *(facts.PersonEnrolled, facts.RolesSet, facts.PersonDisabled, facts.PersonEnabled),
        *(facts.LinkIssued, facts.CredentialsChosen, facts.TokenIssued, facts.EnvelopeSealed),
        *(facts.PasskeyAllowed, facts.PasskeyAdded, facts.PasskeyRemoved, facts.PasswordChanged),
        *(facts.SignedIn, facts.SignInRefused, facts.SessionsEnded, facts.NamesRead),
        *(
            facts.RehearsalBegun,
            facts.RehearsalEnded,
            facts.WardTicked,
            facts.SiteCorrected,
            facts.PackChanged,
        ),
        *(facts.Told, facts.AlertsOver, facts.DayEnded),
    }
)
"""What the station keeps of itself and of those who use it: in its journal, but no part of the story of an attack."""
