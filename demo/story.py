"""The story in order: an ordinary day, an attack, the cut, the way back, and what proves each step.

Every order goes to the station as a person gives it; every figure comes from packets, answers, the station's own
status, or files that were opened and checked.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import bagit
import pypdf

from demo.addresses import Plan
from demo.attacker import read_notes
from demo.doorway import Doorway
from demo.flows import Seen
from demo.names import Names
from demo.narrator import Narrator, Who
from demo.programs import Programs, python
from demo.report import Report
from demo.request import NO_ANSWER, Answer, ask
from demo.site import WARDS, openings
from demo.station import Cut, Station, StationFailed, touches
from demo.streams import Measurement, Passage, Way, first_stopped, passages
from demo.witness import Sightings, Sort
from demo.world import GATEWAY, World
from rempart.care.attestation import Standing
from rempart.care.rehearsal import Question
from rempart.care.reply import Reply
from rempart.engine.orders import (
    AnswerGate,
    AttestCare,
    ConfirmTrial,
    Contain,
    GateAnswer,
    Isolate,
    Normalise,
    Rehearse,
    Release,
    Reopen,
    TickWard,
)
from rempart.messages import IncidentStatus
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState

DUTY = "Nadia Lambert, infirmière en chef"
TECHNICIAN = "Tom Peeters, technicien"
DIRECTOR = "Anne Simon, directrice"

AFTER_THE_CUT = 10.0
"""Seconds that the streams go on after the order."""
_TRIAL = 300
"""Seconds a trial lasts unless confirmed; weeks become seconds here."""


_REHEARSAL = 8
"""Seconds that the rehearsed cut lasts."""


class Story:
    """One run, from the first visitor to the last signature."""

    def __init__(self, world: World, report: Report, narrator: Narrator, port: int) -> None:
        self._world = world
        self._plan: Plan = world.plan
        self._report = report
        self._narrator = narrator
        self._programs = Programs(world)
        self._truth = world.folder / "truth"
        self._people_notes = world.folder / "people.jsonl"
        self._port = port
        self._cut_at = 0
        self._station: Station

    def play(self, papers: Path) -> None:
        """Everything, in order. What must outlive the run goes to ``papers``. Raises StationFailed."""
        self._open_the_house()
        doorway = Doorway(self._world.path(GATEWAY), self._port)
        try:
            self._ordinary_day()
            self._narrator.breathe()
            self._rehearse()
            self._narrator.breathe()
            incident = self._attack()
            self._narrator.breathe()
            self._contain()
            self._narrator.breathe()
            self._way_back(incident)
            self._write_papers(papers)
            self._narrator.linger()
        finally:
            doorway.close()
        self._station.stop()

    def _tell(self, who: Who, text: str) -> None:
        _end_if_asked()
        self._narrator.tell(who, text)

    # -- before --------------------------------------------------------------------------------------------------

    def _open_the_house(self) -> None:
        self._truth.mkdir(mode=0o700)
        self._programs.start()
        self._tell(Who.HOUSE, f"{self._plan.name}: wards, servers, telephone exchange and dmz are running")
        self._station = Station(self._world, self._programs, self._port)
        self._station.start()
        self._tell(Who.REMPART, "started on the gateway; kernel and proxy read back, as they should be")
        prefix = str(self._world.path("x"))[:-1]
        people = python("demo.people", str(self._plan.seed), prefix, str(self._people_notes))
        self._world.start(GATEWAY, "people", people)

    def _ordinary_day(self) -> None:
        self._await(lambda: bool(self._console_link()), 20, "the console shows its link")
        self._report.console_answers = ask(("127.0.0.1", self._port), "/").status != NO_ANSWER
        self._narrator.show_link(self._console_link())
        self._await(lambda: self._visit().status == 200, 15, "the website answers")
        self._await(lambda: self._sign_in().status == 200, 15, "the portal answers")
        time.sleep(3)
        self._tell(
            Who.STAFF,
            f"an ordinary day: {len(self._people())} pages and care files opened, {self._calls()} calls answered, "
            "general practitioners on their portal",
        )

    def _console_link(self) -> str:
        """The console's one-time link, where the console leaves it; empty while there is none yet."""
        link = self._station.places.run / "console" / "link"
        return link.read_text().strip() if link.exists() else ""

    def _rehearse(self) -> None:
        """What would stop, from the flows so far; and then really, for some seconds, undone by the kernel alone."""
        events = self._station.places.events
        self._await(events.exists, 20, "watch keeps what it reads")
        forecast = self._must(
            "rehearse",
            "forecast",
            "--site",
            str(self._station.places.site),
            "--events",
            str(events),
        )
        self._narrator.aside(forecast)
        calls = self._calls()
        self._station.order(Rehearse(by=TECHNICIAN, reason="exercice annoncé aux étages", seconds=_REHEARSAL))
        began = self._station.ask().care.rehearsal
        assert began
        self._tell(
            Who.TECHNICIAN, f"rehearses the cut for {_REHEARSAL} s; at home it is ten minutes, in daytime"
        )
        away = self._browse().status == NO_ANSWER
        for ward in WARDS:
            for question in Question:
                self._station.order(TickWard(by=DUTY, ward=ward, question=question, reply=Reply.YES))
        self._await(
            lambda: self._calls() > calls,
            _REHEARSAL,
            "a telephone call is answered while the cut is rehearsed",
        )
        self._report.rehearsal_stopped = away and time.time() * 1e6 < began.until
        self._await(lambda: self._browse().status == 200, _REHEARSAL + 5, "the rehearsed cut is undone")
        self._report.rehearsal_undone_ms = round(time.time() * 1e3 - began.until / 1e3, 1)
        told = self._station.ask().care
        assert told.rehearsal
        self._report.rehearsal_answers = len(told.rehearsal.ticks)
        self._tell(
            Who.REMPART,
            f"undone by its deadline; {self._report.rehearsal_answers} answers from the wards. So short a rehearsal "
            "proves nothing: the station still may not contain by itself",
        )

    # -- the attack ----------------------------------------------------------------------------------------------

    def _attack(self) -> str:
        """The attack, until it is seen whole; the id of its incident."""
        seed = str(self._plan.seed)
        scanner_notes = self._world.folder / "scanner.jsonl"
        self._world.start("command", "command", self._attacker("command"))
        self._world.start("scanner", "scanner", python("demo.scanner", seed, str(scanner_notes)))
        self._tell(
            Who.NOISE, "somebody sweeps the internet, as every day; it has nothing to do with what follows"
        )
        self._world.start("attacker", "scan", self._attacker("scan"))
        self._tell(Who.ATTACKER, f"scans {self._plan.uplink}")
        mine = self._plan.host("attacker").addresses
        seen = self._station.wait_for(
            lambda _: any(self._station.incidents_with(mine)), 30, "the scan is seen"
        )
        first_packet = next(n["at_ns"] for n in self._notes("scan") if n["what"] == "first packet")
        self._report.detected = True
        self._report.seconds_to_first_finding = round((seen - first_packet) / 1e9, 3)
        self._tell(
            Who.REMPART, f"first finding {self._report.seconds_to_first_finding:.1f} s after the first packet"
        )
        self._world.wait("scan", 30)
        self._world.start("ward-pc", "malware", self._attacker("malware"))
        self._tell(
            Who.ATTACKER,
            "a ward PC that opened the wrong attachment begins to ask a server outside for orders",
        )
        self._finish("attacker", "probe", 30)
        self._tell(Who.ATTACKER, f"tries {len(self._notes('probe'))} known holes on the website")
        self._finish("attacker", "guess", 60)
        self._tell(
            Who.ATTACKER,
            f"guesses a password on the portal: {len(self._plan.attack.passwords)} tries, and in",
        )
        self._world.wait("scanner", 30)
        parties = self._parties()

        def seen_whole(_: object) -> bool:
            kinds = {kind for incident in self._station.incidents_with(parties) for kind in incident.kinds}
            return {"records", "command", "exfiltration"} <= kinds

        self._station.wait_for(
            seen_whole, 90, "the records taken, the loads sent out and the commands obeyed are seen"
        )
        self._await(lambda: self._wrote("malware", "taken all"), 30, "the malware has done its work")
        incident = self._gravest()
        blocked = [m.target for m in self._station.status.measures if m.action == "block"]
        self._tell(Who.REMPART, f"blocked by itself so far: {', '.join(blocked) or 'nobody'}")
        self._tell(
            Who.REMPART,
            f"incident {incident.id}: {', '.join(incident.kinds)}; {incident.persons_touched or '…'} persons touched",
        )
        return incident.id

    def _parties(self) -> tuple[str, ...]:
        """Addresses of everything that truly takes part in the attack."""
        plan = self._plan
        return (*plan.host("attacker").addresses, plan.address("command"), plan.address("ward-pc"))

    def _gravest(self) -> IncidentStatus:
        found = list(self._station.incidents_with(self._parties()))
        return max(found, key=lambda incident: (incident.level, incident.findings))

    def _attacker(self, verb: str) -> list[str]:
        return python("demo.attacker", verb, str(self._plan.seed), str(self._truth / f"{verb}.jsonl"))

    def _finish(self, machine: str, verb: str, seconds: float) -> None:
        """Let the attacker do one thing to its end."""
        self._world.start(machine, verb, self._attacker(verb))
        try:
            code = self._world.wait(verb, seconds)
        except subprocess.TimeoutExpired as late:
            raise StationFailed(f"the attacker's {verb} was not done after {seconds:.0f} s") from late
        if code:
            raise StationFailed(f"the attacker's {verb} ended with {code}: {self._world.said(verb)}")

    # -- the cut -------------------------------------------------------------------------------------------------

    def _contain(self) -> None:
        measurement = Measurement(self._world)
        measurement.start()
        time.sleep(3)
        answered_before, calls_before = self._maintenance_answers(), self._calls()
        self._tell(Who.DUTY, "orders: contain (rempart contain)")
        cut = self._station.cut(Contain(by=DUTY, reason="des dossiers sortent de la maison"))
        self._cut_at = cut.received_ns
        self._tell(
            Who.REMPART,
            f"cut off; acknowledged by the kernel {(cut.enforced_ns - cut.received_ns) / 1e6:.1f} ms later",
        )
        self._station.order(Isolate(by=DUTY, asset="ward-pc-1", reason="il obéit à quelqu'un dehors"))
        website, portal = self._visit(), self._sign_in()
        self._report.website_status = website.status
        self._report.website_shows_phone = self._plan.fallback_phone in website.body.decode(errors="replace")
        self._tell(
            Who.PUBLIC, f"the website answers {website.status} with the number {self._plan.fallback_phone}"
        )
        time.sleep(max(0.0, cut.received_ns / 1e9 + AFTER_THE_CUT + 0.5 - time.monotonic()))
        self._report.maintenance_answers = self._maintenance_answers() - answered_before
        self._report.calls_answered_while_cut = self._calls() - calls_before
        seen = measurement.stop()
        found = passages(measurement.streams, seen, cut.enforced_ns)
        self._judge_the_cut(cut, found, seen)
        self._hear_the_witness(cut, measurement.witness)
        through_portal = [p for p in found if p.stream.opening == "gp-portal"]
        self._say_what_goes_on()
        self._ask_the_wards()
        self._go_by_name()
        self._report.portal_closed = portal.status == 503 and not any(p.passed_after for p in through_portal)

    def _ask_the_wards(self) -> None:
        """What people say of care, and what the probes found: both are sealed."""
        for ward in WARDS:
            self._station.order(AttestCare(by=DUTY, ward=ward, reply=Reply.YES))
        self._station.wait_for(
            lambda status: all(probe.right for probe in status.care.probes),
            20,
            "the probes are as they should be",
        )
        care = self._station.ask().care
        self._report.wards_confirmed = sum(ward.standing == Standing.GOES_ON for ward in care.wards)
        self._report.probes_right = sum(probe.right is True for probe in care.probes)
        self._tell(
            Who.STAFF,
            f"{self._report.wards_confirmed} wards confirm that care goes on; the care files answer the prober, and "
            "nothing answers it through the cut",
        )

    def _go_by_name(self) -> None:
        """While cut: a hosted service is reached by its name at once, and names are no way to anything else."""
        tried, report = Names(self._world).tried(), self._report
        report.names_made, report.names_failed = tried.made, tried.failed
        report.names_forbidden_tried = sum(tried.forbidden.values())
        report.names_forbidden_passed = sum(tried.passed.values())
        report.names = {kind: [count, tried.passed[kind]] for kind, count in tried.forbidden.items()}
        self._tell(
            Who.STAFF,
            f"{tried.made - tried.failed} of {tried.made} PCs ask the station for {self._plan.prescriptions} and are "
            "connected at once",
        )
        self._tell(
            Who.MEASURED,
            f"{report.names_forbidden_passed} of {report.names_forbidden_tried} attempts past the name passed: wrong "
            "name, direct address, other resolver, data in names",
        )

    def _judge_the_cut(self, cut: Cut, found: list[Passage], seen: Mapping[str, Seen]) -> None:
        report = self._report
        lifelines = {opening["id"] for opening in openings(self._plan) if opening.get("lifeline")}
        saved = [p for p in found if p.stream.opening in lifelines]
        inside = [p for p in found if p.stream.way is Way.INSIDE]
        outward = [p for p in found if p.stream.way is Way.OUTWARD and p not in saved]
        inward = [p for p in found if p.stream.way is Way.INWARD and p not in saved]
        report.cut_ms = max(0.0, round((max(p.last_passed_ns for p in outward) - cut.received_ns) / 1e6, 3))
        report.cut_ms_at_most = max(0.0, round((first_stopped(outward, seen) - cut.received_ns) / 1e6, 3))
        report.ack_ms = round((cut.enforced_ns - cut.received_ns) / 1e6, 3)
        report.outward_packets_sent = sum(p.sent for p in outward)
        report.outward_packets_after_ack = sum(p.passed_after for p in outward)
        report.inward_packets_after_ack = sum(p.passed_after for p in inward)
        report.lifeline_packets_sent = sum(p.sent for p in saved)
        report.lifeline_packets_lost = sum(p.lost for p in saved)
        report.inside_packets_sent = sum(p.sent for p in inside)
        report.inside_packets_lost = sum(p.lost for p in inside)
        steady = [p for p in found if p.stream.carrier == "udp" or p in saved or p in inside]
        report.slowest_stream_per_second = round(min(p.per_second for p in steady if p.sent), 1)
        report.streams = [p.told() for p in found]

    def _hear_the_witness(self, cut: Cut, witness: Sightings) -> None:
        """What left the hospital on the wire after the acknowledgement, apart by what it was."""
        report, plan = self._report, self._plan
        spared = {plan.address("operator"), plan.address("suppliers", 0), plan.address("suppliers", 1)}

        def responder(sort: Sort) -> bool:
            return (sort.protocol, sort.source, sort.source_port) == (6, plan.uplink, 80)

        def lifeline(sort: Sort) -> bool:  # the name server's address is also one that people browse to
            names = (sort.source, sort.target, sort.target_port) == (plan.uplink, plan.name_server, 53)
            return sort.target in spared or names

        after = witness.after(cut.enforced_ms)
        report.outward_lifeline_packets_after_ack = sum(n for s, n in after.items() if lifeline(s))
        report.outward_responder_packets_after_ack = sum(n for s, n in after.items() if responder(s))
        leaked = {s: n for s, n in after.items() if not lifeline(s) and not responder(s)}
        report.leaked = [f"{n} × {s}" for s, n in sorted(leaked.items())[:20]]
        report.outward_packets_after_ack = max(report.outward_packets_after_ack or 0, sum(leaked.values()))
        ordinary = [ms for s, ms in witness.counts if not lifeline(s) and not responder(s)]
        report.wire_cut_ms = max(0, max(ordinary) - cut.received_ms)
        report.witness_missed = witness.missed
        self._tell(
            Who.MEASURED,
            f"last outward packet {report.cut_ms} ms after the order; {report.outward_packets_after_ack} after the "
            f"acknowledgement; lifelines lost {report.lifeline_packets_lost} of {report.lifeline_packets_sent}, "
            f"inside {report.inside_packets_lost} of {report.inside_packets_sent}",
        )

    def _say_what_goes_on(self) -> None:
        calls = self._report.calls_answered_while_cut
        self._tell(
            Who.STAFF, f"{calls} telephone calls answered meanwhile, care files open, the outside is gone"
        )

    def _calls(self) -> int:
        """Telephone calls answered so far, by the exchange inside and by the operator outside."""
        return sum(self._world.said(f"telephone-{end}").count("answered") for end in ("exchange", "operator"))

    def _maintenance_answers(self) -> int:
        """Answers 503 in the proxy's log: the responder is the one thing that still speaks to the outside."""
        lines = self._station.places.proxy_log.read_text(errors="replace").splitlines()
        return sum('"status":503' in line for line in lines)

    # -- the way back --------------------------------------------------------------------------------------------

    def _way_back(self, incident: str) -> None:
        self._world.stop("malware")
        self._tell(Who.TECHNICIAN, "takes the ward PC away and puts a fresh one in its place")
        self._reopen("ehealth-platform", lambda: self._platform().status == 200)
        self._try("gp-portal")
        self._await(lambda: self._sign_in().status == 200, 10, "the portal answers on trial")
        self._tell(Who.PUBLIC, "a general practitioner signs in again: the portal is on trial")
        self._relapse()
        self._programs.disable(self._plan.guessed)
        self._tell(Who.TECHNICIAN, "disables the stolen account; the gates are answered again")
        self._reopen("gp-portal", lambda: self._sign_in().status == 200)
        self._reopen("mail", None)
        self._reopen("offsite-backup", None)
        self._reopen("website", lambda: self._visit().status == 200)
        self._reopen("web-browse", lambda: self._browse().status == 200)
        self._station.order(Release(by=TECHNICIAN, asset="ward-pc-1", reason="réinstallé"))
        self._station.order(Normalise(by=DIRECTOR, reason="toutes les portes sont stables"))
        self._station.wait_for(lambda s: s.posture == "normal", 10, "the posture is normal again")
        self._count_incidents(incident)

    def _reopen(self, opening: str, works: Callable[[], bool] | None) -> None:
        """Gates, trial, proof that it works, confirmation."""
        self._try(opening)
        if works is not None:
            self._await(works, 10, f"{opening} works on trial")
        time.sleep(0.5)
        self._station.order(ConfirmTrial(by=TECHNICIAN, opening=opening))
        self._report.reopened.append(opening)
        self._tell(Who.REMPART, f"{opening} is open again, filtered: trial confirmed")

    def _try(self, opening: str) -> None:
        for gate in Gate:
            by = DIRECTOR if gate is Gate.APPROVAL else TECHNICIAN
            proof = f"vérifié pendant la démonstration: {gate.value}"
            self._station.order(
                AnswerGate(by=by, opening=opening, gate=gate.value, answer=GateAnswer.YES, proof=proof)
            )
        self._station.order(
            Reopen(by=TECHNICIAN, opening=opening, state=OpeningState.FILTERED, seconds=_TRIAL)
        )

    def _relapse(self) -> None:
        self._finish("attacker", "relapse", 60)
        asked = [note for note in self._notes("relapse") if note["what"] == "relapse"]
        self._station.wait_for(
            lambda _: self._station.opening("gp-portal").state is OpeningState.CLOSED,
            10,
            "the portal closes by itself",
        )
        served = [number for number, note in enumerate(asked) if note["status"] == HTTPStatus.OK]
        if served and served[-1] + 1 == len(asked):
            raise StationFailed("the portal went on answering the attacker")
        # The portal writes its log before its answer has passed the proxy: the door may shut ahead of the first page.
        last_ns = asked[served[-1]]["done_ns"] if served else asked[0]["at_ns"]
        self._report.relapse_reclosed_ms = round((last_ns - asked[0]["at_ns"]) / 1e6, 1)
        self._tell(Who.ATTACKER, "comes back from another address with the stolen account")
        self._tell(
            Who.REMPART,
            f"blocked him and closed the portal again by itself after {self._report.relapse_reclosed_ms:.0f} ms",
        )

    # -- after ---------------------------------------------------------------------------------------------------

    def _count_incidents(self, incident: str) -> None:
        report = self._report
        taken = {n["number"] for n in self._notes("malware") if n["what"] == "asked" and n["status"] == 200}
        report.persons_truth = len(taken)
        status = self._station.ask()
        true_ones = {found.id for found in self._station.incidents_with(self._parties())}
        report.incidents = len(true_ones)
        others = [found for found in status.incidents if found.id not in true_ones]
        report.other_incidents = len(others)
        scanner = self._plan.host("scanner").addresses
        apart = [found.id in true_ones for found in status.incidents if touches(found, scanner)]
        report.scanner_apart = apart != [] and not any(apart)
        mine = next(found for found in status.incidents if found.id == incident)
        report.persons_touched = mine.persons_touched
        report.final_posture = status.posture.value
        report.journal_entries = status.journal_entries
        since = [n for n in self._people() if n["at_ns"] >= self._cut_at and n["what"] == "care-file"]
        report.inside_requests_failed = sum(note["status"] != 200 for note in since)
        self._tell(
            Who.MEASURED,
            f"{report.incidents} incident of the attack, {report.other_incidents} of others; "
            f"{report.persons_touched} persons touched (truly {report.persons_truth}); "
            f"{len(since)} care files opened by staff since the cut, {report.inside_requests_failed} failed",
        )

    def _write_papers(self, papers: Path) -> None:
        incident = self._gravest().id
        state, site = str(self._station.places.state), str(self._station.places.site)
        where = ["--state", state, "--site", site]
        complaint, bag = papers / "complaint.fr.pdf", papers / "evidence"
        self._must("paper", "complaint", incident, "--lang", "fr", "--out", str(complaint), *where)
        self._must("export", incident, "--out", str(bag), *where)
        self._report.complaint_pdf, self._report.evidence_bag = str(complaint), str(bag)
        self._report.complaint_pages = len(pypdf.PdfReader(complaint).pages)
        self._report.evidence_valid = bagit.Bag(str(bag)).is_valid() and self._verified(bag)
        self._report.journal_verified = self._verified(self._station.places.journal)
        self._tell(
            Who.REMPART,
            f"complaint of {self._report.complaint_pages} pages, evidence bag and journal verified",
        )

    def _must(self, *arguments: str) -> str:
        done = self._station.run(*arguments)
        if done.returncode:
            raise StationFailed(f"rempart {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _verified(self, path: Path) -> bool:
        done = self._station.run("verify", str(path))
        self._narrator.aside(done.stdout or done.stderr)
        return done.returncode == 0

    # -- looking -------------------------------------------------------------------------------------------------

    def _visit(self) -> Answer:
        return ask(
            (self._plan.uplink, 80), "/", host=self._plan.website, namespace=self._world.path("visitor")
        )

    def _sign_in(self) -> Answer:
        return ask(
            (self._plan.uplink, 80),
            "/resultats/",
            host=self._plan.portal,
            account=self._plan.practitioners[1],
            namespace=self._world.path("gp"),
        )

    def _platform(self) -> Answer:
        door = (self._plan.address("ehealth"), 443)
        return ask(door, "/", namespace=self._world.path("ward-staff"), timeout=2)

    def _browse(self) -> Answer:
        door = (self._plan.address("internet"), 80)
        return ask(door, "/", namespace=self._world.path("ward-staff"), timeout=2)

    def _notes(self, verb: str) -> list[dict]:  # type: ignore[type-arg]  # one JSON object a line
        return read_notes(self._truth / f"{verb}.jsonl")

    def _wrote(self, verb: str, what: str) -> bool:
        return any(note["what"] == what for note in self._notes(verb))

    def _people(self) -> list[dict]:  # type: ignore[type-arg]  # one JSON object a line
        if not self._people_notes.exists():
            return []
        whole = self._people_notes.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def _await(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        limit = time.monotonic() + seconds
        while not holds():
            _end_if_asked()
            if time.monotonic() > limit:
                raise StationFailed(f"waited {seconds:.0f} s in vain: {what}\n{self._station.last_words()}")
            time.sleep(0.05)


_asked_to_end: list[str] = []
"""The signals that came. Python loses what is raised while an object is thrown away, so each step looks here too."""


def ending_on_signals() -> None:
    """SIGINT, SIGTERM and SIGHUP end the demo in order, leaving nothing."""

    def end(number: int, _: object) -> None:
        _asked_to_end.append(signal.Signals(number).name)
        _end_if_asked()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _end_if_asked() -> None:
    if _asked_to_end:
        raise KeyboardInterrupt(_asked_to_end[0])
