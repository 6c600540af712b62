"""Who may give which order: every order with every role and every proof, against a table written by hand."""

from pathlib import Path

import pytest

from engine.home import NOW, SITE
from rempart.accounts.authority import LOCAL, Authority, Proof
from rempart.accounts.credential import Scope
from rempart.accounts.person import Person, Role
from rempart.care.rehearsal import Becomes, Question
from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.containment.policy import Action
from rempart.detection.trait import Trait
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.engine import orders
from rempart.engine.changed import changed
from rempart.engine.orders import AnyOrder, GateAnswer
from rempart.engine.rights import challenge, needs, require, takers
from rempart.engine.state import initial
from rempart.errors import OrderRefused
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState

ME = "anne.dupont"
PAGE = Path(__file__).parents[2] / "docs" / "operating" / "accounts.md"
DUTY, TECHNICIAN, PRIVACY, APPROVER = Role.DUTY, Role.TECHNICIAN, Role.PRIVACY_OFFICER, Role.APPROVER

STAFF = {DUTY, TECHNICIAN, PRIVACY, APPROVER}

OTHERS = {
    "nurse": Person(id="nurse", name="N", roles=frozenset({DUTY}), enrolled=NOW),
    "director": Person(id="director", name="D", roles=frozenset({APPROVER}), enrolled=NOW),
}

TABLE: list[tuple[AnyOrder, set[Role], Proof]] = [
    (orders.Contain(by=ME), {DUTY, TECHNICIAN, PRIVACY, APPROVER}, Proof.SESSION),
    (
        orders.CloseLifeline(by=ME, opening="telephone", fallback_confirmed=True),
        {DUTY, TECHNICIAN},
        Proof.PASSKEY,
    ),
    (
        orders.SetOpening(by=ME, opening="website", state=OpeningState.CLOSED),
        {DUTY, TECHNICIAN},
        Proof.SESSION,
    ),
    (orders.SetOpening(by=ME, opening="maintenance", state=OpeningState.OPEN), {TECHNICIAN}, Proof.PASSKEY),
    (
        orders.OpenVisit(by=ME, opening="maintenance", visitor="J. Doe", minutes=5, source="203.0.113.60"),
        {TECHNICIAN},
        Proof.PASSKEY,
    ),
    (orders.AnnounceNews(by=ME), STAFF, Proof.SESSION),
    (orders.Block(by=ME, target="198.51.100.9"), {DUTY, TECHNICIAN}, Proof.SESSION),
    (orders.Unblock(by=ME, target="198.51.100.9"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.Isolate(by=ME, asset="ward-pc"), {DUTY, TECHNICIAN}, Proof.SESSION),
    (orders.Release(by=ME, asset="ward-pc"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.Bar(by=ME, passage="wards>servers"), {DUTY, TECHNICIAN}, Proof.SESSION),
    (orders.Unbar(by=ME, passage="wards>servers"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.Confirm(by=ME), {DUTY, TECHNICIAN}, Proof.SESSION),
    (
        orders.AnswerGate(by=ME, opening="portal", gate=Gate.APPROVAL, answer=GateAnswer.YES, proof="seen"),
        {APPROVER},
        Proof.PASSKEY,
    ),
    (
        orders.AnswerGate(
            by=ME, opening="portal", gate=next(iter(Gate)), answer=GateAnswer.YES, proof="seen"
        ),
        {TECHNICIAN, PRIVACY, APPROVER},
        Proof.PASSKEY,
    ),
    (
        orders.AnswerGate(by=ME, opening="portal", gate=next(iter(Gate)), answer=GateAnswer.NO, proof=""),
        {TECHNICIAN, PRIVACY, APPROVER},
        Proof.SESSION,
    ),
    (
        orders.AnswerGate(
            by=ME, opening="portal", gate=Gate.EVICTION, answer=GateAnswer.NEVER_FOUND, proof="sought"
        ),
        {TECHNICIAN, PRIVACY, APPROVER},
        Proof.PASSKEY,
    ),
    (
        orders.Reopen(by=ME, opening="portal", state=OpeningState.OPEN, seconds=60),
        {TECHNICIAN},
        Proof.PASSKEY,
    ),
    (
        orders.Reopen(
            by=ME, opening="portal", state=OpeningState.OPEN, seconds=60, override=True, reason="x"
        ),
        {TECHNICIAN},
        Proof.PASSKEY,
    ),
    (orders.ConfirmTrial(by=ME, opening="portal"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.Normalise(by=ME), {TECHNICIAN}, Proof.PASSKEY),
    (orders.QualifyIncident(by=ME, incident="inc-1"), {TECHNICIAN, PRIVACY}, Proof.SESSION),
    (orders.MergeIncidents(by=ME, into="inc-1", merged="inc-2"), {TECHNICIAN, PRIVACY}, Proof.SESSION),
    (orders.SplitIncident(by=ME, incident="inc-1", findings=["f"]), {TECHNICIAN, PRIVACY}, Proof.SESSION),
    (orders.AssignIncident(by=ME, incident="inc-1"), {TECHNICIAN, PRIVACY, APPROVER}, Proof.SESSION),
    (
        orders.AttachFile(by=ME, incident="inc-1", name="x", size=1, sha256="0" * 64),
        {TECHNICIAN, PRIVACY, APPROVER},
        Proof.SESSION,
    ),
    (orders.EraseFile(by=ME, incident="inc-1", sha256="0" * 64, reason="x"), {PRIVACY}, Proof.PASSKEY),
    (orders.CommentIncident(by=ME, incident="inc-1", text="x"), STAFF, Proof.SESSION),
    (
        orders.AnswerQuestion(by=ME, incident="inc-1", question=QuestionId.NIS2_SCOPE),
        {PRIVACY, APPROVER},
        Proof.SESSION,
    ),
    (
        orders.NoteSending(by=ME, incident="inc-1", duty=DutyId.INSURER, on=0, proof="x"),
        {PRIVACY, APPROVER},
        Proof.SESSION,
    ),
    (orders.ApproveMeasure(by=ME, proposal="p"), {DUTY, TECHNICIAN, APPROVER}, Proof.SESSION),
    (orders.EnrolPerson(by=ME, person="marc", name="Marc", roles=[DUTY]), {TECHNICIAN}, Proof.PASSKEY),
    (orders.EnrolPerson(by=ME, person="marc", name="Marc", roles=[APPROVER]), {TECHNICIAN}, Proof.LOCAL),
    (orders.SetRoles(by=ME, person="nurse", roles=[Role.OBSERVER]), {TECHNICIAN}, Proof.PASSKEY),
    (orders.SetRoles(by=ME, person="nurse", roles=[PRIVACY]), {TECHNICIAN}, Proof.LOCAL),
    (orders.SetRoles(by=ME, person="director", roles=[DUTY]), {TECHNICIAN}, Proof.LOCAL),
    (orders.DisablePerson(by=ME, person="nurse"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.EnablePerson(by=ME, person="nurse"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.EnablePerson(by=ME, person="director"), {TECHNICIAN}, Proof.LOCAL),
    (orders.IssueLink(by=ME, person="nurse"), {TECHNICIAN}, Proof.PASSKEY),
    (orders.IssueLink(by=ME, person="director"), {TECHNICIAN}, Proof.LOCAL),
    (orders.EndSessions(by=ME, person=ME), set(Role), Proof.SESSION),
    (orders.EndSessions(by=ME, person="nurse"), {TECHNICIAN, PRIVACY}, Proof.SESSION),
    (orders.IssueToken(by=ME, label="x", scopes=[Scope.READ]), set(Role), Proof.PASSKEY),
    (orders.AddPasskey(by=ME), set(Role), Proof.PASSKEY),
    (orders.RemovePasskey(by=ME, passkey="0" * 64), set(Role), Proof.PASSKEY),
    (orders.SealEnvelope(by=ME), {TECHNICIAN}, Proof.PASSKEY),
    (orders.AskUnmasking(by=ME, incident="inc-1", reason="x"), {PRIVACY}, Proof.PASSKEY),
    (orders.AgreeUnmasking(by=ME, incident="inc-1"), {TECHNICIAN, APPROVER}, Proof.PASSKEY),
    (orders.Acknowledge(by=ME, code="ABCDEF"), {DUTY, TECHNICIAN, PRIVACY, APPROVER}, Proof.SESSION),
    (orders.TryTelling(by=ME), {DUTY, TECHNICIAN}, Proof.SESSION),
    (orders.ConfirmClock(by=ME), {TECHNICIAN}, Proof.PASSKEY),
    (orders.Rehearse(by=ME), {TECHNICIAN}, Proof.PASSKEY),
    (orders.EndRehearsal(by=ME), STAFF, Proof.SESSION),
    (orders.TickWard(by=ME, ward="w", question=Question.CALL, reply=Reply.YES), STAFF, Proof.SESSION),
    (orders.CorrectSite(by=ME, opening="portal", becomes=Becomes.LIFELINE), STAFF, Proof.SESSION),
    (orders.AttestCare(by=ME, ward="w", reply=Reply.YES), STAFF, Proof.SESSION),
    (orders.ReportTrouble(by=ME, service="printer", ail=Ail.SLOW), STAFF, Proof.SESSION),
    (orders.SettleTrouble(by=ME, trouble="t1", remedy="x"), STAFF, Proof.SESSION),
    (orders.TickOutside(by=ME, item="x", reply=Reply.YES), STAFF, Proof.SESSION),
    (orders.TickByHand(by=ME, action=Action.CONTAIN, reply=Reply.YES), STAFF, Proof.SESSION),
    (orders.KeepPaper(by=ME, opening="portal", what="x"), STAFF, Proof.SESSION),
    (orders.EnterPaper(by=ME, paper="p1"), STAFF, Proof.SESSION),
    (orders.SetStage(by=ME, opening="portal", stage=3), {TECHNICIAN}, Proof.PASSKEY),
    (
        orders.NotePartner(by=ME, opening="portal", condition="x", met=True),
        {TECHNICIAN, PRIVACY, APPROVER},
        Proof.PASSKEY,
    ),
    (
        orders.NoteProof(by=ME, proves=ProofKind.SCAN, subject="files", on=0, proof="x"),
        {TECHNICIAN, PRIVACY, APPROVER},
        Proof.PASSKEY,
    ),
    (
        orders.MakeException(
            by=ME, reason="x", rule="r", traits=[Trait("c-ip", "10.0.2.7")], until="2027-01-31"
        ),
        {TECHNICIAN},
        Proof.PASSKEY,
    ),
    (orders.EndException(by=ME, exception="x"), {TECHNICIAN}, Proof.SESSION),
    (orders.ConfirmOverride(by=ME, opening="portal"), {APPROVER}, Proof.PASSKEY),
]


def allowed(order: AnyOrder, role: Role, proof: Proof) -> bool:
    people = {**OTHERS, ME: Person(id=ME, name="Anne", roles=frozenset({role}), enrolled=NOW)}
    try:
        require(changed(initial(SITE), people=people), order, Authority(ME, proof))
    except OrderRefused:
        return False
    return True


def test_the_table_has_every_order() -> None:
    assert {type(order) for order, _, _ in TABLE} == set(AnyOrder.__args__)


@pytest.mark.parametrize(("order", "roles", "proof"), TABLE)
def test_only_these_roles_with_this_proof(order: AnyOrder, roles: set[Role], proof: Proof) -> None:
    for role in Role:
        for shown in (Proof.SESSION, Proof.PASSKEY):
            assert allowed(order, role, shown) == (role in roles and shown >= proof)


def test_a_page_may_ask_who_gives_a_kind_of_order_where_that_hangs_on_nothing_else() -> None:
    for order, roles, _ in TABLE:
        try:
            known = takers(type(order))
        except KeyError:
            continue
        assert known == roles, order
    with pytest.raises(KeyError):
        takers(orders.SetOpening)


@pytest.mark.parametrize(("order", "roles", "proof"), TABLE)
def test_the_command_line_on_the_box_may_do_all(order: AnyOrder, roles: set[Role], proof: Proof) -> None:
    require(initial(SITE), order, LOCAL)


def test_the_page_on_accounts_says_who_may_give_each_order() -> None:
    groups = {"staff": frozenset(STAFF), "all": frozenset(Role)}
    proofs = {"signed in": Proof.SESSION, "passkey": Proof.PASSKEY, "on the box": Proof.LOCAL}
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    said = {
        (name.strip("`"), groups.get(who) or frozenset(map(Role, who.split(", "))), proofs[proof])
        for name, _, who, proof in (row for row in rows if row[-1] in proofs)
    }
    assert said == {(type(order).__name__, frozenset(roles), proof) for order, roles, proof in TABLE}


def test_nobody_orders_in_another_name() -> None:
    people = {ME: Person(id=ME, name="Anne", roles=frozenset(Role), enrolled=NOW)}
    state = changed(initial(SITE), people=people)
    with pytest.raises(OrderRefused, match="own name"):
        require(state, orders.Contain(by="Marc"), Authority(ME, Proof.PASSKEY))


def test_a_disabled_account_may_nothing() -> None:
    people = {ME: Person(id=ME, name="Anne", roles=frozenset(Role), enrolled=NOW, enabled=False)}
    with pytest.raises(OrderRefused, match="roles"):
        require(changed(initial(SITE), people=people), orders.Contain(by=ME), Authority(ME, Proof.PASSKEY))


def test_what_loosens_depends_on_how_things_stand() -> None:
    state = initial(SITE)
    filtered = orders.SetOpening(by=ME, opening="website", state=OpeningState.FILTERED)
    shut = orders.SetOpening(by=ME, opening="maintenance", state=OpeningState.FILTERED)
    nowhere = orders.SetOpening(by=ME, opening="nowhere", state=OpeningState.CLOSED)
    assert needs(state, filtered).proof is Proof.SESSION
    assert needs(state, shut).proof is Proof.PASSKEY
    assert needs(state, nowhere).proof is Proof.PASSKEY


def test_a_challenge_is_of_one_order_one_site_and_one_moment() -> None:
    order = orders.Unblock(by=ME, target="198.51.100.9")
    other = orders.Unblock(by=ME, target="198.51.100.8")
    challenges = {
        challenge("a", order, b"1"),
        challenge("a", other, b"1"),
        challenge("b", order, b"1"),
        challenge("a", order, b"2"),
    }
    assert len(challenges) == 4
    assert challenge("a", order, b"1") in challenges
    assert all(len(each) == 32 for each in challenges)
