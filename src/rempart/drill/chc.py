"""The weeks of a hospital group's containment from 18 November 2022, as far as the press told them, on a site like it.

What a source reported carries its name. What the drill adds, because nobody told it or because it never happened
there (how the intrusion was noticed, a relapse, a power cut), has no source and is said to be invented.
Sources: lavenir.net 2022-11-23; sudinfo.be 2022-11-23, -11-30, -12-22; RTBF 11110055. See docs/design/reopening.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.drill.player import Deed, Moment, PowerCut, ProbeReply
from rempart.engine import orders
from rempart.engine.orders import GateAnswer
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.incidents.qualification import Ending, Ransom
from rempart.instants import Instant
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.site.belgian_time import wall_instant
from rempart.site.opening import OpeningState
from rempart.site.probe import Probe, ProbeKind
from rempart.site.site import OutsideWall, Site, Ward

FIRST = date(2022, 11, 18)
"""The Friday on which it was noticed."""

_LAVENIR, _SUDINFO, _RTBF = "lavenir.net", "sudinfo.be", "RTBF"
DIRECTION, TECHNICIAN, CARE = "Direction", "Technician", "Head of care"
ATTACKER, OTHER_ADDRESS, ACCOUNT = "198.51.100.66", "198.51.100.67", "dr.lambert"
_FILTERED = OpeningState.FILTERED


def site_of(template: Site) -> Site:
    """The hospital of the drill: the template's, with wards, probes and what lies outside its wall."""
    return replace(
        template,
        id="drill-chc",
        name="Groupe hospitalier (exercice)",
        wards=tuple(
            Ward(id=name, name=name.title()) for name in ("emergency", "surgery", "maternity", "geriatrics")
        ),
        outside_wall=(
            OutsideWall(name="Microsoft 365", action="end all sessions", then=("renew the passwords",)),
            OutsideWall(name="4G telephones", action="not shared with a computer of the house"),
        ),
        probes=(
            Probe(id="care-file", name="Care file", kind=ProbeKind.HTTP, address="198.18.9.101", port=443),
            Probe(
                id="through-the-cut",
                name="Through the cut",
                kind=ProbeKind.TCP,
                address="198.51.100.1",
                port=443,
                opening="browsing",
            ),
        ),
        quiet_hours=12,
    )


def moments(site: Site) -> Iterator[Moment]:
    """The story in order."""
    portal = site.opening("gp-portal")
    assert portal.publication
    server = portal.publication.address
    yield from _first_day(server)
    yield from _first_nights()
    yield from _mail()
    yield from _documents()
    yield from _relapse(server)
    yield from _website()


def _at(day: int, clock: str) -> Instant:
    hour, minute = clock.split(":")
    return wall_instant(FIRST + timedelta(days=day), int(hour) * 60 + int(minute))


def _finding(kind: Kind, at: Instant, source: str, victim: str, outcome: Outcome) -> Finding:
    return Finding(
        id=f"drill-{kind.value}-{source}-{at}",
        rule=f"drill-{kind.value}",
        title=f"{kind.value} (drill)",
        level=Level.HIGH,
        kind=kind,
        outcome=outcome,
        time=at,
        source="drill",
        record=1,
        spoofable=False,
        observables=(
            Observable(ObservableKind.ADDRESS, Role.ACTOR, source),
            Observable(ObservableKind.ADDRESS, Role.VICTIM, victim),
            Observable(ObservableKind.ACCOUNT, Role.RELATED, ACCOUNT),
        ),
    )


def _attested(*wards: str, reply: Reply = Reply.YES, note: str = "") -> tuple[Deed, ...]:
    return tuple(orders.AttestCare(by=CARE, ward=ward, reply=reply, note=note) for ward in wards)


_FOLLOW = ("rsw-hub", "recipe", "ntp", "certificate-renewal", "updates")
_ALL = ("emergency", "surgery", "maternity", "geriatrics")


def _gates(opening: str, eviction: GateAnswer = GateAnswer.YES) -> tuple[Deed, ...]:
    """All gates, the approval by a second person."""
    return tuple(
        orders.AnswerGate(
            by=DIRECTION if gate is Gate.APPROVAL else TECHNICIAN,
            opening=opening,
            gate=gate.value,
            answer=eviction if gate is Gate.EVICTION else GateAnswer.YES,
            proof="as noted in the drill",
        )
        for gate in Gate
    )


def _trial(opening: str, length: int) -> orders.Reopen:
    return orders.Reopen(by=TECHNICIAN, opening=opening, state=_FILTERED, seconds=length * 3600)


# -- the first hours ---------------------------------------------------------------------------------------------


def _first_day(server: str) -> Iterator[Moment]:
    seen = _at(0, "15:40")
    yield Moment(
        at=seen,
        who="station",
        told="a suspicious intrusion is noticed (how, nobody told: here by guessing on the portal, and a success)",
        deeds=(
            _finding(Kind.GUESSING, seen, ATTACKER, server, Outcome.ATTEMPT),
            _finding(Kind.INTRUSION, seen, ATTACKER, server, Outcome.SUCCESS),
        ),
    )
    yield Moment(
        at=_at(0, "16:05"),
        who=DIRECTION,
        told="as a precaution every connection outward is cut; the website shows maintenance, the GP portal is off",
        source=_LAVENIR,
        deeds=(orders.Contain(by=DIRECTION, reason="precaution: suspicious intrusion"),),
    )
    yield Moment(
        at=_at(0, "16:06"),
        who="prober",
        told="the inside answers, the cut is a cut",
        deeds=(
            ProbeReply("care-file", answered=True, detail="status 200"),
            ProbeReply("through-the-cut", answered=False, detail="refused"),
        ),
    )
    yield Moment(
        at=_at(0, "17:00"),
        who=CARE,
        told="systems and care go on; no emergency plan is needed",
        source=_SUDINFO,
        deeds=_attested(*_ALL),
    )
    yield Moment(
        at=_at(0, "17:30"),
        who=TECHNICIAN,
        told="what the wall does not reach is done by hand",
        deeds=(
            orders.TickOutside(
                by=TECHNICIAN, item="Microsoft 365", action=1, reply=Reply.YES, proof="admin centre"
            ),
            orders.TickOutside(
                by=TECHNICIAN, item="4G telephones", reply=Reply.YES, proof="told by the heads of ward"
            ),
        ),
    )


def _first_nights() -> Iterator[Moment]:
    yield Moment(
        at=_at(0, "22:10"),
        who="emergency",
        told="request forms to the laboratory go on paper; printing is slow",
        deeds=(
            orders.ReportTrouble(by=CARE, service="printing", ail=Ail.SLOW, ward="emergency"),
            orders.KeepPaper(by=CARE, opening="lab", what="request forms, emergency desk"),
            *_attested("emergency", "surgery", "maternity"),
        ),
    )
    yield Moment(
        at=_at(1, "03:20"),
        who="station",
        told="a power cut: the station starts again from its journal, still cut",
        deeds=(PowerCut(),),
    )
    yield Moment(
        at=_at(1, "09:00"),
        who="staff",
        told="somebody asks for the internet back: too early, and the station says why",
        deeds=(_trial("browsing", 24),),
    )
    yield Moment(
        at=_at(3, "10:00"),
        who=TECHNICIAN,
        told="printers are reached by address; the trusted core is checked",
        deeds=(
            orders.SettleTrouble(by=TECHNICIAN, trouble="t1", remedy="printers by address"),
            *(
                orders.NoteProof(
                    by=TECHNICIAN, proves=ProofKind.SCAN, subject=subject, on=_at(3, "09:00"), proof="scanned"
                )
                for subject in ("directory-server", "backup-server")
            ),
            orders.NoteProof(
                by=TECHNICIAN,
                proves=ProofKind.RESTORE,
                subject="backup of the 17th",
                on=_at(3, "09:30"),
                proof="restored apart, opens",
            ),
        ),
    )


# -- the way back ------------------------------------------------------------------------------------------------


def _mail() -> Iterator[Moment]:
    yield Moment(
        at=_at(5, "10:00"),
        who=DIRECTION,
        told="public statement: no ransom, author unknown; a complaint goes to the police's cyber unit",
        source=f"{_LAVENIR}, {_RTBF}",
        deeds=(
            orders.QualifyIncident(by=DIRECTION, incident=_INCIDENT, ransom=Ransom.NO, outcome=Ending.FAILED),
        ),
    )
    yield Moment(
        at=_at(5, "11:00"),
        who=TECHNICIAN,
        told="incoming mail comes back, filtered; how they got in was never found, so it is watched for three days",
        source=_SUDINFO,
        deeds=(
            orders.SetStage(by=DIRECTION, opening="mail-in", stage=1, reason="families and doctors write"),
            *_gates("mail-in", eviction=GateAnswer.NEVER_FOUND),
            _trial("mail-in", 72),
        ),
    )
    yield Moment(
        at=_at(7, "18:00"),
        who=TECHNICIAN,
        told="nothing came with it: mail stays",
        deeds=(orders.ConfirmTrial(by=TECHNICIAN, opening="mail-in"), *_attested(*_ALL)),
    )


def _documents() -> Iterator[Moment]:
    yield Moment(
        at=_at(12, "09:00"),
        who=TECHNICIAN,
        told="weeks still to go: 6,000 staff without internet; passwords and antivirus are being changed",
        source=_SUDINFO,
        deeds=(
            orders.NoteProof(
                by=TECHNICIAN,
                proves=ProofKind.SECRETS,
                subject="passwords of staff",
                on=_at(12, "08:00"),
                proof="reset at the desk, badge shown",
            ),
            orders.TickOutside(
                by=TECHNICIAN,
                item="Microsoft 365",
                action=2,
                reply=Reply.YES,
                proof="renewed with the others",
            ),
        ),
    )
    yield Moment(
        at=_at(12, "11:00"),
        who=TECHNICIAN,
        told="documents reach the general practitioners again, by a way found around the portal",
        source=_SUDINFO,
        deeds=(*_gates("ehealth-platform"), _trial("ehealth-platform", 48)),
    )
    yield Moment(
        at=_at(16, "09:00"),
        who=TECHNICIAN,
        told="nobody confirmed before the weekend: it had closed by itself; gates again, trial again",
        deeds=(*_gates("ehealth-platform"), _trial("ehealth-platform", 48)),
    )
    yield Moment(
        at=_at(17, "16:00"),
        who=TECHNICIAN,
        told="confirmed; the network for health data, prescriptions, clocks, certificates and updates follow",
        deeds=(
            orders.ConfirmTrial(by=TECHNICIAN, opening="ehealth-platform"),
            *(deed for name in _FOLLOW for deed in (*_gates(name), _trial(name, 24))),
        ),
    )
    yield Moment(
        at=_at(18, "14:00"),
        who=TECHNICIAN,
        told="all good",
        deeds=tuple(orders.ConfirmTrial(by=TECHNICIAN, opening=name) for name in _FOLLOW),
    )


def _relapse(server: str) -> Iterator[Moment]:
    yield Moment(
        at=_at(24, "10:00"),
        who=TECHNICIAN,
        told="the portal of the general practitioners is tried",
        deeds=(*_gates("gp-portal"), _trial("gp-portal", 48)),
    )
    back = _at(24, "23:15")
    yield Moment(
        at=back,
        who="attacker",
        told="the stolen account comes back from another address (this did not happen there)",
        deeds=(_finding(Kind.SIGN_IN, back, OTHER_ADDRESS, server, Outcome.SUCCESS),),
    )


def _website() -> Iterator[Moment]:
    yield Moment(
        at=_at(27, "09:00"),
        who=CARE,
        told="paper of the laboratory is typed in before its exchange resumes",
        deeds=(orders.EnterPaper(by=CARE, paper="p2"), *_attested(*_ALL)),
    )
    yield Moment(
        at=_at(32, "10:00"),
        who=TECHNICIAN,
        told="the website is tried, filtered",
        deeds=(
            orders.SetStage(by=DIRECTION, opening="website", stage=1, reason="the public asks every day"),
            *_gates("website"),
            _trial("website", 72),
        ),
    )
    yield Moment(
        at=_at(34, "11:00"),
        who=TECHNICIAN,
        told="the website is back after 34 days; the group is still confined, staff still without internet",
        source=_SUDINFO,
        deeds=(orders.ConfirmTrial(by=TECHNICIAN, opening="website"), *_attested(*_ALL)),
    )


_INCIDENT = f"inc-{_finding(Kind.GUESSING, _at(0, '15:40'), ATTACKER, '', Outcome.ATTEMPT).id[:12]}"
"""How the engine names the incident: after its first finding."""
