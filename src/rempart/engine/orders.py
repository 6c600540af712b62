"""What a person may ask of the station. Each order is one small type; the guard checks who may give it."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.accounts.credential import Scope
from rempart.accounts.person import FullName, PersonId, Role
from rempart.care.rehearsal import Becomes, Question
from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.containment.policy import Action
from rempart.detection.trait import Trait
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.incidents.casefile import MOST_FILE_BYTES, MOST_SEEN
from rempart.incidents.qualification import Author, Ending, Intent, Ransom
from rempart.instants import Instant
from rempart.reopening.dossier import ProofKind
from rempart.site.opening import OpeningState

LONGEST_VISIT = 240
"""Minutes that a supplier's visit may last; whoever needs longer is let in again."""

Text = Annotated[str, Meta(max_length=400)]
Name = Annotated[str, Meta(max_length=120)]


class GateAnswer(StrEnum):
    """The answers to a gate. "Don't know" never passes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    NEVER_FOUND = "never-found"
    """The way in was sought and never found: it passes *eviction*, with a tighter filter and a longer watch."""

    @property
    def passes(self) -> bool:
        """Whether the gate counts as passed."""
        return self in (GateAnswer.YES, GateAnswer.NEVER_FOUND)


class Order(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all orders. ``by`` is the person who gives it, ``reason`` in their own words."""

    by: Name
    reason: Text = ""


class Tightening(Order, frozen=True, tag=True, kw_only=True):
    """The base of what stops something. With ``confirm_within``, it falls back by itself unless confirmed by then."""

    confirm_within: Annotated[int, Meta(ge=10, le=3600)] | None = None
    """Seconds. The kernel undoes it, every process of the station dead: who locked himself out is let back in."""


class Confirm(Order, frozen=True, tag=True, kw_only=True):
    """What waits for a confirmation is good: it stays."""


class Contain(Tightening, frozen=True, tag=True, kw_only=True):
    """Cut the site off: openings close, lifelines become filtered, the public sees maintenance pages."""


class CloseLifeline(Tightening, frozen=True, tag=True, kw_only=True):
    """Close a lifeline too. Needs the confirmation that its fallback works."""

    opening: Name
    fallback_confirmed: bool


class SetOpening(Tightening, frozen=True, tag=True, kw_only=True):
    """Close or filter one opening by itself (the GP portal alone), or put it back as it normally is.

    ``in_peace``: a published service closes for maintenance, not for an attack; requests under way may end.
    """

    opening: Name
    state: OpeningState
    in_peace: bool = False


class Block(Tightening, frozen=True, tag=True, kw_only=True):
    """Block an address or network outside. ``seconds`` None: until lifted."""

    target: Name
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None


class Unblock(Order, frozen=True, tag=True, kw_only=True):
    """Lift a block."""

    target: Name


class Isolate(Tightening, frozen=True, tag=True, kw_only=True):
    """Isolate a machine inside: it reaches nothing but what safeguards allow."""

    asset: Name
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None


class Release(Order, frozen=True, tag=True, kw_only=True):
    """End the isolation of a machine."""

    asset: Name


class Bar(Tightening, frozen=True, tag=True, kw_only=True):
    """Shut one passage: from a zone into another (``wards>servers``), or one way of an opening (``telephone:in``)."""

    passage: Name
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None


class Unbar(Order, frozen=True, tag=True, kw_only=True):
    """End a barrier."""

    passage: Name


class AnswerGate(Order, frozen=True, tag=True, kw_only=True):
    """Answer one gate of one opening, with the proof."""

    opening: Name
    gate: Name
    answer: GateAnswer
    proof: Text


class Reopen(Order, frozen=True, tag=True, kw_only=True):
    """Put an opening whose gates have passed on trial, as ``state``, for ``seconds``; it then closes by itself."""

    opening: Name
    state: OpeningState
    seconds: Annotated[int, Meta(ge=1, le=1_209_600)]
    override: bool = False
    """Reopen although a gate has not passed (vital care). Needs a reason; sealed as an override."""


class ConfirmTrial(Order, frozen=True, tag=True, kw_only=True):
    """The trial went well: the opening stays in its trial state."""

    opening: Name


class Normalise(Order, frozen=True, tag=True, kw_only=True):
    """End containment: every opening is stable; the site goes back to its normal openings."""


class QualifyIncident(Order, frozen=True, tag=True, kw_only=True):
    """Say what an incident is thought to be, with a short text as ``reason``; earlier words are kept."""

    incident: Name
    author: Author = Author.UNKNOWN
    intent: Intent = Intent.UNKNOWN
    ransom: Ransom = Ransom.UNKNOWN
    outcome: Ending = Ending.UNKNOWN


class AssignIncident(Order, frozen=True, tag=True, kw_only=True):
    """Say who looks after an incident; ``person`` empty: nobody in particular."""

    incident: Name
    person: Annotated[str, Meta(max_length=40)] = ""


class CommentIncident(Order, frozen=True, tag=True, kw_only=True):
    """Write something down about an incident."""

    incident: Name
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class AttachFile(Order, frozen=True, tag=True, kw_only=True):
    """Keep a small file with an incident. Its hash is sealed; its bytes come beside. ``reason``: what it is."""

    incident: Name
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    size: Annotated[int, Meta(ge=1, le=MOST_FILE_BYTES)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class EraseFile(Order, frozen=True, tag=True, kw_only=True):
    """Erase the bytes of an attached file, wherever it is attached; its hash, and who erased it and why, stay."""

    incident: Name
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class MergeIncidents(Order, frozen=True, tag=True, kw_only=True):
    """Say that two incidents are one attack: ``merged`` becomes part of ``into``."""

    into: Name
    merged: Name


class SplitIncident(Order, frozen=True, tag=True, kw_only=True):
    """Say that these findings are no part of an incident: they become one of their own."""

    incident: Name
    findings: Annotated[list[Name], Meta(min_length=1, max_length=MOST_SEEN)]


class AnswerQuestion(Order, frozen=True, tag=True, kw_only=True):
    """Answer a question that a duty hangs on. ``reason`` says why; an earlier answer stays visible."""

    incident: Name
    question: QuestionId
    reply: Reply = Reply.UNKNOWN
    number: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    """For the questions that ask for one, instead of ``reply``."""
    since: Instant | None = None
    """When it became known: the clock starts there. None: now."""


class NoteSending(Order, frozen=True, tag=True, kw_only=True):
    """Write down that a person told whom a duty names, and when. The station itself sends nothing."""

    incident: Name
    duty: DutyId
    on: Annotated[int, Meta(ge=0, le=1 << 53)]
    proof: Text


class ApproveMeasure(Order, frozen=True, tag=True, kw_only=True):
    """Agree to what the policy proposes for an incident."""

    proposal: Name


class EnrolPerson(Order, frozen=True, tag=True, kw_only=True):
    """Make an account. The answer holds a one-time link with which its person chooses password, code and passkey."""

    person: PersonId
    name: FullName
    roles: Annotated[list[Role], Meta(min_length=1, max_length=len(Role))]


class SetRoles(Order, frozen=True, tag=True, kw_only=True):
    """Give a person these roles instead of the ones they had."""

    person: PersonId
    roles: Annotated[list[Role], Meta(min_length=1, max_length=len(Role))]


class DisablePerson(Order, frozen=True, tag=True, kw_only=True):
    """Nobody may use this account until it is enabled again; its sessions end."""

    person: PersonId


class EnablePerson(Order, frozen=True, tag=True, kw_only=True):
    """The account may be used again."""

    person: PersonId


class IssueLink(Order, frozen=True, tag=True, kw_only=True):
    """A new one-time link for a person who lost what they sign in with. Used, it replaces everything they had."""

    person: PersonId


class EndSessions(Order, frozen=True, tag=True, kw_only=True):
    """Sign a person out everywhere, or (``session``) in one browser or program."""

    person: PersonId
    session: Annotated[str, Meta(max_length=64)] = ""


class IssueToken(Order, frozen=True, tag=True, kw_only=True):
    """A token for a program of one's own. The answer holds it, once."""

    label: Annotated[str, Meta(min_length=1, max_length=60)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Meta(ge=1, le=366)] = 90


class AddPasskey(Order, frozen=True, tag=True, kw_only=True):
    """One more passkey for oneself. The answer holds a link that is good once, on the device that is to make it."""


class RemovePasskey(Order, frozen=True, tag=True, kw_only=True):
    """Take back a passkey of one's own. ``passkey`` is the SHA-256 of its public key, as the journal names it."""

    passkey: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class SealEnvelope(Order, frozen=True, tag=True, kw_only=True):
    """Make the code for the sealed envelope, once told and then printed; the earlier one no longer works."""


class Acknowledge(Order, frozen=True, tag=True, kw_only=True):
    """Take an alert: the others need not be woken. ``code`` is the one in the message."""

    code: Name


class TryTelling(Order, frozen=True, tag=True, kw_only=True):
    """Send everybody a harmless test message over every channel."""


class ConfirmClock(Order, frozen=True, tag=True, kw_only=True):
    """Say that the date is right though the clock leapt: what waits for its time may be erased again."""


class Rehearse(Order, frozen=True, tag=True, kw_only=True):
    """Cut the site to try it out: in staffed hours, for so many seconds, undone by the kernel itself.

    Less than five minutes shows how it goes and proves nothing (`rempart.care.rehearsal.PROVES`).
    """

    seconds: Annotated[int, Meta(ge=5, le=1800)] = 600


class EndRehearsal(Order, frozen=True, tag=True, kw_only=True):
    """Undo the rehearsed cut now; it then proves nothing."""


class TickWard(Order, frozen=True, tag=True, kw_only=True):
    """Say whether one thing works on a ward during the rehearsal."""

    ward: Name
    question: Question
    reply: Reply
    note: Text = ""


class CorrectSite(Order, frozen=True, tag=True, kw_only=True):
    """Say what the rehearsal showed about an opening; the file itself is changed by the technician."""

    opening: Name
    becomes: Becomes


class AttestCare(Order, frozen=True, tag=True, kw_only=True):
    """Say whether care goes on, on a ward."""

    ward: Name
    reply: Reply
    note: Text = ""


class ReportTrouble(Order, frozen=True, tag=True, kw_only=True):
    """Say that a service is slow, down or wrong."""

    service: Name
    ail: Ail
    ward: Name = ""
    note: Text = ""


class SettleTrouble(Order, frozen=True, tag=True, kw_only=True):
    """Say what put a trouble right."""

    trouble: Name
    remedy: Text


class TickOutside(Order, frozen=True, tag=True, kw_only=True):
    """Say that an action outside the wall was done, or could not be. ``action`` counts from 1."""

    item: Name
    action: Annotated[int, Meta(ge=1, le=100)] = 1
    reply: Reply
    proof: Text = ""


class TickByHand(Order, frozen=True, tag=True, kw_only=True):
    """Beside the path: say that one step was done at the firewall or the switch, or is not (any more).

    The cut has no ``target``; ``step`` counts from 1, as the station tells them. ``on``: when it was done, where that
    is not just now.
    """

    action: Action
    target: Name = ""
    step: Annotated[int, Meta(ge=1, le=100)] = 1
    reply: Reply
    note: Text = ""
    on: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None


class KeepPaper(Order, frozen=True, tag=True, kw_only=True):
    """Say that something was noted on paper and must be entered when the opening is back."""

    opening: Name
    what: Text


class EnterPaper(Order, frozen=True, tag=True, kw_only=True):
    """Say that a pile of paper was entered."""

    paper: Name


class SetStage(Order, frozen=True, tag=True, kw_only=True):
    """Move an opening to another stage of the plan."""

    opening: Name
    stage: Annotated[int, Meta(ge=1, le=9)]


class NotePartner(Order, frozen=True, tag=True, kw_only=True):
    """Write down what the other side asks before it lets us in again, and whether it is met."""

    opening: Name
    condition: Text
    met: bool


class NoteProof(Order, frozen=True, tag=True, kw_only=True):
    """Write down that secrets were renewed, a machine was checked, or a backup was restored, and when."""

    proves: ProofKind
    subject: Name
    on: Annotated[int, Meta(ge=0, le=1 << 53)]
    proof: Text


class ConfirmOverride(Order, frozen=True, tag=True, kw_only=True):
    """Agree afterwards, as the second person, to a trial that was started without one."""

    opening: Name


class OpenVisit(Order, frozen=True, tag=True, kw_only=True):
    """Let one named person of a supplier in from outside, for minutes, through an opening that is normally closed."""

    opening: Name
    visitor: Name
    minutes: Annotated[int, Meta(ge=1, le=LONGEST_VISIT)]
    source: Name
    """The address from which they come, one of the opening's hosts."""
    hosts: Annotated[list[Name], Meta(max_length=16)] = []
    """Machines inside, by id or address: the visit reaches them alone, and from ``source`` alone. Empty: whatever the
    opening leads to."""
    certificate: Name = ""
    """SHA-256 of the client certificate to be shown, where the opening is published and asks for one. Empty: any."""
    override: bool = False
    """Although the site is contained. Needs a reason; sealed as an override."""


class AnnounceNews(Order, frozen=True, tag=True, kw_only=True):
    """Tell the public when there will be news; without an instant, tell nothing."""

    at: Instant | None = None


class AskUnmasking(Order, frozen=True, tag=True, kw_only=True):
    """Ask to know who stands behind the masks of one incident, for so many seconds. ``reason`` is the purpose."""

    incident: Name
    seconds: Annotated[int, Meta(ge=60, le=604_800)] = 86_400


class AgreeUnmasking(Order, frozen=True, tag=True, kw_only=True):
    """As a second person, agree to what the privacy officer asked about an incident."""

    incident: Name


class MakeException(Order, frozen=True, tag=True, kw_only=True):
    """Say that something is normal here: what a rule finds where all of these fields have these values is not told.

    It hides until its last day. ``even_grave``: although, in the findings that were kept, it would have hidden
    something critical, or serious and successful.
    """

    rule: Annotated[str, Meta(min_length=1, max_length=120)]
    traits: Annotated[list[Trait], Meta(min_length=1, max_length=8)]
    until: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", max_length=10)]
    """As 2027-01-31 (UTC)."""
    even_grave: bool = False


class EndException(Order, frozen=True, tag=True, kw_only=True):
    """End an exception that an order made, before its day: what it hid is told again."""

    exception: Name


AnyOrder = (
    Contain
    | CloseLifeline
    | SetOpening
    | Block
    | Unblock
    | Isolate
    | Release
    | Bar
    | Unbar
    | Confirm
    | AnswerGate
    | Reopen
    | ConfirmTrial
    | Normalise
    | QualifyIncident
    | AssignIncident
    | CommentIncident
    | AttachFile
    | EraseFile
    | MergeIncidents
    | SplitIncident
    | AnswerQuestion
    | NoteSending
    | ApproveMeasure
    | EnrolPerson
    | SetRoles
    | DisablePerson
    | EnablePerson
    | IssueLink
    | EndSessions
    | IssueToken
    | AddPasskey
    | RemovePasskey
    | SealEnvelope
    | AskUnmasking
    | AgreeUnmasking
    | Acknowledge
    | TryTelling
    | ConfirmClock
    | Rehearse
    | EndRehearsal
    | TickWard
    | CorrectSite
    | AttestCare
    | ReportTrouble
    | SettleTrouble
    | TickOutside
    | TickByHand
    | KeepPaper
    | EnterPaper
    | SetStage
    | NotePartner
    | NoteProof
    | ConfirmOverride
    | OpenVisit
    | AnnounceNews
    | MakeException
    | EndException
)
