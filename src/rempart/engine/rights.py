"""Who may give which order, and how well it must be proved that they gave it.

Tightening needs somebody who signed in. What loosens, what stops a lifeline, what concerns accounts and what overrides
needs that person's passkey over the exact order. Whoever checks on the technician is made on the box itself.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from rempart.accounts.authority import Authority, Proof, Requirement
from rempart.accounts.person import STAFF, VOUCHING, Role
from rempart.containment.measure import stricter
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State
from rempart.errors import OrderRefused
from rempart.evidence import canonical
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState

_ANYBODY = frozenset(Role)
_TECHNICIAN = frozenset({Role.TECHNICIAN})
_ON_CALL = frozenset({Role.DUTY, Role.TECHNICIAN})
_WHO_CHECK = frozenset({Role.TECHNICIAN, Role.APPROVER, Role.PRIVACY_OFFICER})
_WHO_QUALIFY = frozenset({Role.TECHNICIAN, Role.PRIVACY_OFFICER})
_WHO_ANSWER = frozenset({Role.APPROVER, Role.PRIVACY_OFFICER})
OVERSEERS = _WHO_QUALIFY
"""Roles that see everybody's accounts and sessions, and may end a session of somebody else's."""
_PRIVACY_OFFICER = frozenset({Role.PRIVACY_OFFICER})
_APPROVER = frozenset({Role.APPROVER})

SIGNED_TEXT = 1
"""Version of the text that a passkey signs."""


_LOOSENS = Requirement(_TECHNICIAN, Proof.PASSKEY)
_TIGHTENS = Requirement(_ON_CALL, Proof.SESSION)
_SAYS = Requirement(STAFF, Proof.SESSION)
"""Words that change nothing in the kernel."""

_NEEDS: Mapping[type[AnyOrder], Requirement] = {
    # the cut and the doors
    orders.Contain: Requirement(STAFF, Proof.SESSION),
    orders.Confirm: _TIGHTENS,
    orders.CloseLifeline: Requirement(
        _ON_CALL, Proof.PASSKEY
    ),  # it tightens, but somebody's safety hangs on it
    orders.OpenVisit: _LOOSENS,
    orders.Rehearse: _LOOSENS,
    # It brings forward by minutes what the kernel does anyway, and somebody on a ward may need it at once.
    orders.EndRehearsal: Requirement(STAFF, Proof.SESSION),
    orders.AnnounceNews: _SAYS,
    # measures
    orders.Block: _TIGHTENS,
    orders.Isolate: _TIGHTENS,
    orders.Bar: _TIGHTENS,
    orders.Unblock: _LOOSENS,
    orders.Release: _LOOSENS,
    orders.Unbar: _LOOSENS,
    orders.ApproveMeasure: Requirement(_ON_CALL | _APPROVER, Proof.SESSION),
    # the way back
    orders.Reopen: _LOOSENS,
    orders.ConfirmTrial: _LOOSENS,
    orders.Normalise: _LOOSENS,
    orders.SetStage: _LOOSENS,
    orders.NotePartner: Requirement(_WHO_CHECK, Proof.PASSKEY),
    orders.NoteProof: Requirement(_WHO_CHECK, Proof.PASSKEY),
    orders.ConfirmOverride: Requirement(_APPROVER, Proof.PASSKEY),
    # incidents and duties
    orders.QualifyIncident: Requirement(_WHO_QUALIFY, Proof.SESSION),
    orders.MergeIncidents: Requirement(_WHO_QUALIFY, Proof.SESSION),
    orders.SplitIncident: Requirement(_WHO_QUALIFY, Proof.SESSION),
    orders.AssignIncident: Requirement(_WHO_CHECK, Proof.SESSION),
    orders.AttachFile: Requirement(_WHO_CHECK, Proof.SESSION),
    orders.EraseFile: Requirement(_PRIVACY_OFFICER, Proof.PASSKEY),  # it cannot be undone
    orders.CommentIncident: _SAYS,
    orders.AnswerQuestion: Requirement(_WHO_ANSWER, Proof.SESSION),
    orders.NoteSending: Requirement(_WHO_ANSWER, Proof.SESSION),
    # what people get to see
    orders.AskUnmasking: Requirement(_PRIVACY_OFFICER, Proof.PASSKEY),
    orders.AgreeUnmasking: Requirement(_TECHNICIAN | _APPROVER, Proof.PASSKEY),
    orders.MakeException: _LOOSENS,  # an attacker's traces could be hidden so
    orders.EndException: Requirement(_TECHNICIAN, Proof.SESSION),
    # accounts
    orders.DisablePerson: Requirement(_TECHNICIAN, Proof.PASSKEY),
    orders.IssueToken: Requirement(_ANYBODY, Proof.PASSKEY),
    orders.AddPasskey: Requirement(_ANYBODY, Proof.PASSKEY),
    orders.RemovePasskey: Requirement(_ANYBODY, Proof.PASSKEY),
    orders.SealEnvelope: Requirement(_TECHNICIAN, Proof.PASSKEY),
    # telling and care
    orders.Acknowledge: _SAYS,
    orders.TryTelling: _TIGHTENS,
    orders.ConfirmClock: _LOOSENS,  # what is erased then is gone
    orders.TickWard: _SAYS,
    orders.CorrectSite: _SAYS,
    orders.AttestCare: _SAYS,
    orders.ReportTrouble: _SAYS,
    orders.SettleTrouble: _SAYS,
    orders.TickOutside: _SAYS,
    orders.TickByHand: _SAYS,
    orders.KeepPaper: _SAYS,
    orders.EnterPaper: _SAYS,
}
"""What orders ask for whose content changes nothing about it."""


def takers(kind: type[AnyOrder]) -> frozenset[Role]:
    """From whom this kind of order is taken, whatever it says. KeyError: that hangs on what it says (see `needs`)."""
    return _NEEDS[kind].roles


def needs(state: State, order: AnyOrder) -> Requirement:
    """What this order asks of whoever gives it, as things stand."""
    match order:
        case orders.SetOpening():
            return _LOOSENS if _loosens(state, order) else _TIGHTENS
        case orders.AnswerGate(gate=gate, answer=answer):
            who = _APPROVER if gate == Gate.APPROVAL else _WHO_CHECK
            return Requirement(who, Proof.PASSKEY if answer.passes else Proof.SESSION)
        case orders.EnrolPerson(roles=roles):
            return Requirement(_TECHNICIAN, _for_roles(frozenset(roles)))
        case orders.SetRoles(person=person, roles=roles):
            return Requirement(_TECHNICIAN, _for_roles(frozenset(roles) | _roles(state, person)))
        case orders.EnablePerson(person=person) | orders.IssueLink(person=person):
            return Requirement(_TECHNICIAN, _for_roles(_roles(state, person)))
        case orders.EndSessions(by=by, person=person):
            return Requirement(_ANYBODY if by == person else OVERSEERS, Proof.SESSION)
        case _:
            return _NEEDS[type(order)]


def require(state: State, order: AnyOrder, authority: Authority) -> None:
    """Raise `OrderRefused` unless whoever gives the order may."""
    if authority.proof is Proof.LOCAL:
        return
    needed = needs(state, order)
    person = state.people.get(authority.person or "")
    roles = person.roles if person and person.enabled else authority.roles
    if not roles & needed.roles:
        raise OrderRefused("roles", roles=sorted(needed.roles))
    if authority.person is not None and order.by != authority.person:
        raise OrderRefused("own-name")
    if authority.proof < needed.proof:
        raise OrderRefused(_MORE_PROOF[needed.proof])


_MORE_PROOF = {Proof.PASSKEY: "needs-passkey", Proof.LOCAL: "needs-box"}


def challenge(site: str, order: AnyOrder, nonce: bytes) -> bytes:
    """What a passkey signs for this order: the SHA-256 of the order in canonical JSON, with the guard's chance.

    It names the site, so that no signature serves at another, and says what it is for, so that none given to sign in
    can be taken for an order.
    """
    said = {
        "for": "rempart order",
        "nonce": nonce.hex(),
        "order": msgspec.to_builtins(order),
        "site": site,
        "version": SIGNED_TEXT,
    }
    return hashlib.sha256(canonical.encode(said)).digest()


def _loosens(state: State, order: orders.SetOpening) -> bool:
    """Whether the opening would stand more open than now, or open for longer. One nobody knows is refused later."""
    door = state.doors.get(order.opening)
    if door is None or order.state is OpeningState.CLOSED:
        return door is None
    for_longer = door.stand.until is not None and door.stand.state is order.state
    return for_longer or stricter(door.stand.state, order.state) is not order.state


def _roles(state: State, person: str) -> frozenset[Role]:
    known = state.people.get(person)
    return known.roles if known else frozenset()


def _for_roles(roles: frozenset[Role]) -> Proof:
    return Proof.LOCAL if roles & VOUCHING else Proof.PASSKEY
