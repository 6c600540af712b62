"""One incident as the papers need it, read from a journal: the incident, its lines, and the seals behind them."""

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rempart.adapters.journal import Recorded, export, verify_exported
from rempart.adapters.journal.exported import ENTRIES
from rempart.adapters.site_file import read_site
from rempart.cli._exhibits import Exhibit, exhibits
from rempart.config import SITE, STATE
from rempart.containment.by_hand import EVERYWHERE
from rempart.duties.document import Complainant, Seals
from rempart.duties.timeline import Line
from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.engine.fold.fold import fold
from rempart.engine.state import initial
from rempart.errors import InputRefused, JournalBroken
from rempart.evidence import canonical
from rempart.evidence.entry import Entry
from rempart.incidents.incident import Incident, IncidentState, Sentence
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything a paper says about one incident."""

    incident: Incident
    lines: tuple[Line, ...]
    seals: Seals
    who: Complainant
    exhibits: tuple[Exhibit, ...] = ()
    """The files attached to it, in the order in which they were."""


JOURNAL = Path("guard") / "journal.db"
"""The journal below the state folder."""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """The options by which every paper finds its journal."""
    verb.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help="the station's state folder (%(default)s)"
    )
    verb.add_argument(
        "--journal", type=Path, metavar="FILE", help="a journal elsewhere, instead of the one below --state"
    )
    verb.add_argument(
        "--site", type=Path, default=SITE, metavar="FILE", help="the site's description (%(default)s)"
    )


def journal_of(arguments: argparse.Namespace) -> Path:
    """The journal the options name."""
    return Path(arguments.journal or arguments.state / JOURNAL)


def account_of(arguments: argparse.Namespace) -> Account:
    """The account of ``arguments.incident`` in the journal the options name.

    One unchanging view of the journal is taken, also while a guard writes it, and verified before a word of it is
    believed. Raises JournalBroken naming the first bad entry.
    """
    site = read_site(arguments.site)
    with tempfile.TemporaryDirectory(prefix="rempart-journal.") as view:
        export(journal_of(arguments), Path(view))
        seals = verified(Path(view), journal_of(arguments))
        return account(_recorded(Path(view) / ENTRIES), site, arguments.incident, seals)


def verified(exported: Path, source: Path) -> Seals:
    """The seals of an exported journal. Raises JournalBroken when it does not verify."""
    verdict = verify_exported(exported)
    if not verdict.ok:
        raise JournalBroken(
            f"the journal does not verify: {verdict.faults[0]}",
            where=str(source),
            now="No paper is made of it. Keep the file as it is and run `rempart verify` on it.",
        )
    return Seals(verdict.entries, verdict.root.hex())


def _recorded(entries: Path) -> Iterator[Recorded]:
    """The entries of an exported journal that verified."""
    with entries.open("rb") as lines:
        for line in lines:
            value = canonical.decode(line.removesuffix(b"\n"))
            read = Entry.decode(canonical.encode(value["entry"]))
            yield Recorded(read.number, read.at, read.kind, read.late, value.get("body"))


def account(entries: Iterable[Recorded], site: Site, wanted: str | None, seals: Seals) -> Account:
    """The incident ``wanted`` (None: the one seen last), folded from the entries, with the lines that concern it.

    Raises InputRefused when the journal knows no such incident, or says which one it was joined to.
    """
    recorded = tuple(entries)
    read = {entry.number: _fact(entry) for entry in recorded}
    ended = initial(site)
    cut_for: dict[int, frozenset[str]] = {}
    known: dict[str, Incident] = {}
    for entry in recorded:
        fact = read[entry.number]
        if isinstance(
            fact, facts.QuietReturned
        ):  # the state forgets background noise; a paper may be about it
            known |= {
                name: replace(each, state=IncidentState.CLOSED) for name, each in ended.incidents.items()
            }
        ended = fold(ended, site, fact) if fact is not None else ended
        cut_for[entry.number] = ended.contained_for
    incident = _chosen(known | dict(ended.incidents), read.values(), wanted)
    ids = joined_to(incident.id, read.values())
    concern = _Concern(ids, site)
    lines = tuple(
        Line(entry=entry.number, at=fact.at if fact else entry.at, sentence=sentence, late=entry.late)
        for entry in recorded
        for fact in (read[entry.number],)
        if (sentence := concern.sentence(entry, fact, cut_for[entry.number])) is not None
    )
    return Account(
        incident=incident,
        lines=lines,
        seals=seals,
        who=Complainant(name=site.name, phone=site.phone),
        exhibits=exhibits(read, ids),
    )


def _fact(entry: Recorded) -> AnyFact | None:
    """The fact an entry holds; None when its body was erased, or a newer station or the journal itself wrote it."""
    return facts.read(entry.body) if entry.body is not None and entry.kind in facts.FACTS else None


def _chosen(
    incidents: Mapping[str, Incident], all_facts: Iterable[AnyFact | None], wanted: str | None
) -> Incident:
    if not incidents:
        raise InputRefused("the journal knows no incident", now="Nothing happened yet, as far as it says.")
    if wanted is None:
        return max(incidents.values(), key=lambda incident: (incident.last_seen, incident.id))
    if wanted in incidents:
        return incidents[wanted]
    for fact in all_facts:
        if isinstance(fact, facts.IncidentsMerged) and fact.merged == wanted:
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


def _unread(entry: Recorded) -> Sentence | None:
    """An entry that holds no fact of ours: said to be erased, or shown as it stands; the journal's own are not."""
    if entry.kind.startswith("journal."):
        return None
    if entry.body is None:
        return Sentence("story.erased", {"kind": entry.kind})
    return Sentence(f"fact.{entry.kind}", entry.body)


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
    return Sentence(_KEYS.get(type(fact), f"fact.{facts.kind_of(fact)}"), arguments)


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
