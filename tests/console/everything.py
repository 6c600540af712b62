"""A cut home of which everything is known that a status can tell, with a mark in every place, to see who is told what.

A new field of a status that names somebody, or says how something was proved, gets its mark here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.messages import (
    AlertStatus,
    CareStatus,
    CheckStatus,
    ClockStatus,
    CorrectionStatus,
    GateStatus,
    IncidentStatus,
    MeasureStatus,
    NameRefusal,
    NamesRefused,
    OpeningStatus,
    OutsideStatus,
    OverrideStatus,
    PackStatus,
    PaperStatus,
    Posture,
    ProbeStatus,
    Proposal,
    RehearsalStatus,
    ReopeningStatus,
    Status,
    TickStatus,
    TroubleStatus,
    UnmaskingStatus,
    WardStatus,
)
from rempart.phrase import Phrase, phrase
from rempart.site.telling import Channel
from rempart.telling.alert import AlertState, Delivery, Urgency

WHO = "anne.lambert"
ADDRESS = "203.0.113.66"
MACHINE = "10.0.1.99"
ACCOUNT = "masked-account"
PERSONS = 987654
DUTY = "insurer"
HASH = "5f5f5f"
PROOF = "a proof"

CHECKED = (WHO, ADDRESS, MACHINE, ACCOUNT, str(PERSONS), DUTY, HASH, PROOF)
"""Marks of who, with whom, by which law and in which detail: names, addresses, counts, clocks, what machines found."""

SAID = "the lift hangs"

WRITTEN = (SAID,)
"""Marks of the words that staff wrote of care."""


def everything(make: Callable[..., Status], attack: IncidentStatus) -> Status:
    """The status with every mark, as ``make`` begins it."""
    cut = make(Posture.CONTAINED)
    marked = _Marked(cut.now)
    return structs.replace(
        cut,
        openings=[marked.door(cut.openings[5])],
        incidents=[marked.incident(attack)],
        clocks=[ClockStatus(incident=attack.id, duty=DUTY, started=cut.now, due=None)],
        measures=[marked.measure(ADDRESS, "block"), marked.measure(MACHINE, "isolate")],
        enforcement_fault=PROOF,
        alerts=[marked.alert()],
        answer_seconds=[54],
        names_refused=marked.names_refused(),
        reopening=ReopeningStatus(
            overrides=[OverrideStatus(opening="lab", by=WHO, due=cut.now, reason=PROOF)]
        ),
        care=marked.care(),
    )


@dataclass(frozen=True, slots=True)
class _Marked:
    """The nouns of a status, each with its marks, at one instant."""

    now: Instant

    def incident(self, attack: IncidentStatus) -> IncidentStatus:
        machines = f"10.0.1.12, {MACHINE}"
        seen = {"actor": ADDRESS, "asset": machines, "account": ACCOUNT, "count": 3, "title": PROOF}
        in_short = {"actors": 1, "accounts": ACCOUNT, "assets": machines}
        return structs.replace(
            attack,
            persons_touched=PERSONS,
            actors=[ADDRESS],
            accounts=[ACCOUNT],
            assets=["10.0.1.12", MACHINE],
            assigned=WHO,
            summary=Sentence("incident.records", in_short),
            story=[
                (self.now, Sentence("story.guessing", seen)),
                (self.now, Sentence("story.contained", {"by": WHO})),
            ],
            proposals=[Proposal(id="1", incident=attack.id, action="block", target=ADDRESS)],
            unmasking=UnmaskingStatus(
                by=WHO, purpose=PROOF, asked=self.now, agreeable_until=self.now, readable_until=None
            ),
        )

    def door(self, door: OpeningStatus) -> OpeningStatus:
        return structs.replace(
            door,
            visitor=WHO,
            visitor_from=ADDRESS,
            visitor_to=[MACHINE],
            visitor_certificate=PROOF,
            trial_until=self.now,
            partner=PROOF,
            stage=2,
            gates_missing=["need"],
            obstacles=[
                phrase("against-partner", condition=PROOF),
                phrase("against-check", gate="approval", because=[Phrase("", PROOF)]),
            ],
            checks=[CheckStatus(gate="need", verdict="no", detail=Phrase("", PROOF))],
            answers=[GateStatus(gate="need", answer="yes", proof=PROOF, by=WHO, at=self.now)],
        )

    def measure(self, target: str, action: str) -> MeasureStatus:
        return MeasureStatus(target=target, action=action, since=self.now, until=None, by=WHO, reason=PROOF)

    def alert(self) -> AlertStatus:
        told = Delivery(
            message="m", role="duty", channel=Channel.MAIL, at=self.now, delivered=False, note=PROOF
        )
        return AlertStatus(
            id="inc-1",
            code="CODEXY",
            state=AlertState.TAKEN,
            urgency=Urgency.NOW,
            about=Sentence("alert.cut"),
            todo="todo.cut",
            raised=self.now,
            told=[told],
            owed=0,
            taken=self.now,
            taken_by=WHO,
        )

    def names_refused(self) -> NamesRefused:
        latest = NameRefusal(name=WHO, reason=PROOF, times=1, last=self.now)
        return NamesRefused(times={PROOF: 1}, latest=[latest])

    def care(self) -> CareStatus:
        return CareStatus(
            rehearsal=self.rehearsal(),
            wards=[self.ward()],
            troubles=[self.trouble()],
            outside=[self.outside()],
            papers=[PaperStatus(id="p1", opening="lab", what=SAID, by=WHO, at=self.now, entered=None)],
            probes=[self.probe()],
            pack=PackStatus(path=PROOF, written=self.now, sha256=HASH, hours=24, fresh=True),
        )

    def rehearsal(self) -> RehearsalStatus:
        return RehearsalStatus(
            began=self.now,
            until=self.now,
            by=WHO,
            ended=self.now,
            early=False,
            locked=None,
            ticks=[TickStatus(ward="first", question="call", reply="no", note=PROOF, by=WHO)],
            unanswered=[],
            corrections=[
                CorrectionStatus(opening="lab", becomes="lifeline", reason=PROOF, by=WHO, written=False)
            ],
        )

    def ward(self) -> WardStatus:
        return WardStatus(
            id="first", name="Soins", phone=None, standing="troubled", at=self.now, note=SAID, by=WHO
        )

    def trouble(self) -> TroubleStatus:
        return TroubleStatus(
            id="t1",
            service="lab",
            ail="down",
            ward="",
            note=SAID,
            by=WHO,
            at=self.now,
            settled=None,
            remedy=SAID,
        )

    def outside(self) -> OutsideStatus:
        return OutsideStatus(
            item="m365",
            number=1,
            action="reset",
            phone=None,
            reply="yes",
            proof=PROOF,
            by=WHO,
            at=self.now,
        )

    def probe(self) -> ProbeStatus:
        return ProbeStatus(
            id="p",
            name="p",
            opening=None,
            answered=False,
            right=False,
            since=self.now,
            detail=PROOF,
            history=[],
        )
