"""What a run of the demo measured, as JSON, and what must hold for it to have gone well."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True, kw_only=True)
class Report:
    """Filled in as the story goes; None: not measured, which never counts as good."""

    seed: int
    root: bool
    """False: in a user namespace, the station's processes are not isolated from one another."""
    console_answers: bool | None = None
    """Through the door in this machine's own network."""
    rehearsal_stopped: bool | None = None
    """While the cut was rehearsed the outside could not be reached, and a call to the operator was answered."""
    rehearsal_undone_ms: float | None = None
    """From the end that was announced to the first page of the internet that came through again."""
    rehearsal_answers: int | None = None
    """Questions that wards answered during the rehearsal."""
    detected: bool | None = None
    seconds_to_first_finding: float | None = None
    """From the attack's first packet to the published incident with the attacker in it."""
    incidents: int | None = None
    """In which the attacker, the command server or the ward PC takes part."""
    other_incidents: int | None = None
    scanner_apart: bool | None = None
    """The unrelated scanner has an incident of its own, and no part in the attack's."""
    cut_ms: float | None = None
    """From the order's arrival, sealing included, to the last outward packet that passed."""
    ack_ms: float | None = None
    """From the order's arrival to the kernel's acknowledgement."""
    cut_ms_at_most: float | None = None
    """From the order's arrival to the first outward packet that did not pass: the cut lies in between."""
    wire_cut_ms: int | None = None
    """As `cut_ms`, by the witness on the wire, whole milliseconds."""
    outward_packets_after_ack: int | None = None
    """Sent after the acknowledgement and arrived, or seen on the wire after it; lifelines and responder apart."""
    outward_lifeline_packets_after_ack: int | None = None
    outward_responder_packets_after_ack: int | None = None
    """Of the maintenance responder: the proxy's front on the gateway."""
    leaked: list[str] = field(default_factory=list)
    """What the wire carried after the acknowledgement and should not have."""
    witness_missed: int | None = None
    """Packets that the witness could not count."""
    inward_packets_after_ack: int | None = None
    outward_packets_sent: int | None = None
    lifeline_packets_sent: int | None = None
    lifeline_packets_lost: int | None = None
    maintenance_answers: int | None = None
    """Answers of the maintenance responder during the measurement: the one thing that still speaks outward."""
    calls_answered_while_cut: int | None = None
    """Telephone calls from inside and from outside, while the streams ran after the cut."""
    inside_packets_sent: int | None = None
    inside_packets_lost: int | None = None
    inside_requests_failed: int | None = None
    """Care files that staff could not open, from the cut to the end."""
    slowest_stream_per_second: float | None = None
    """Of the streams that nothing interrupts: UDP, lifelines and inside."""
    wards_confirmed: int | None = None
    """Wards that said, while cut, that care goes on."""
    probes_right: int | None = None
    """Probes as they should be while cut: inside answers, nothing through the cut."""
    names_made: int | None = None
    """Ward PCs that asked the station for an allowed name while cut, and connected right after the answer."""
    names_failed: int | None = None
    names_forbidden_tried: int | None = None
    """Attempts past the name while cut: wrong name, direct address, other resolver, data in names."""
    names_forbidden_passed: int | None = None
    names: dict[str, list[int]] = field(default_factory=dict)
    """These by kind: tried and passed."""
    website_status: int | None = None
    website_shows_phone: bool | None = None
    portal_closed: bool | None = None
    reopened: list[str] = field(default_factory=list)
    relapse_reclosed_ms: float | None = None
    """From the relapse's first request to the last answer before nothing but refusals came; 0: none came."""
    final_posture: str | None = None
    journal_entries: int | None = None
    journal_verified: bool | None = None
    persons_touched: int | None = None
    persons_truth: int | None = None
    complaint_pdf: str | None = None
    complaint_pages: int | None = None
    evidence_bag: str | None = None
    evidence_valid: bool | None = None
    leftovers: int | None = None
    leftover_names: dict[str, list[str]] = field(default_factory=dict)
    seconds: float | None = None
    streams: list[dict[str, Any]] = field(default_factory=list)
    """What became of every measuring stream."""

    def write(self, path: Path) -> None:
        """Write it whole or not at all."""
        unfinished = path.with_suffix(path.suffix + ".part")
        unfinished.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n")
        unfinished.replace(path)

    def shortfalls(self) -> Iterator[str]:
        """What is not as it must be, in words; nothing when all is well."""
        for name, wanted in _EXACTLY.items():
            if getattr(self, name) != wanted:
                yield f"{name} is {getattr(self, name)!r}, should be {wanted!r}"
        for name, least in _AT_LEAST.items():
            value = getattr(self, name)
            if value is None or value < least:
                yield f"{name} is {value!r}, should be at least {least!r}{_CAUSES.get(name, '')}"
        for name in _MEASURED:
            if getattr(self, name) is None:
                yield f"{name} was not measured"
        if self.persons_touched != self.persons_truth:
            yield f"{self.persons_touched} persons touched are told, {self.persons_truth} were"
        if self.reopened[:1] != ["ehealth-platform"]:
            yield f"the e-health platform was not the first to reopen: {self.reopened}"


_EXACTLY = {
    "console_answers": True,
    "rehearsal_stopped": True,
    "rehearsal_answers": 10,
    "detected": True,
    "incidents": 1,
    "scanner_apart": True,
    "outward_packets_after_ack": 0,
    "inward_packets_after_ack": 0,
    "witness_missed": 0,
    "lifeline_packets_lost": 0,
    "inside_packets_lost": 0,
    "inside_requests_failed": 0,
    "wards_confirmed": 2,
    "probes_right": 2,
    "names_failed": 0,
    "names_forbidden_passed": 0,
    "website_status": 503,
    "website_shows_phone": True,
    "portal_closed": True,
    "final_posture": "normal",
    "journal_verified": True,
    "evidence_valid": True,
    "leftovers": 0,
}
_AT_LEAST = {
    "other_incidents": 1,
    "inside_packets_sent": 10_000,
    "slowest_stream_per_second": 1000,
    "journal_entries": 1,
    "complaint_pages": 1,
    "persons_truth": 1,
    "maintenance_answers": 1,
    "names_made": 3,
    "names_forbidden_tried": 30,
    "calls_answered_while_cut": 1,
}
_CAUSES = {
    "slowest_stream_per_second": ": this machine was too busy to measure with. What was told above stands; "
    "play it again when nothing else runs",
}
"""Why a figure falls short, where only one thing can be the reason."""

_MEASURED = (
    "rehearsal_undone_ms",
    "seconds_to_first_finding",
    "cut_ms",
    "relapse_reclosed_ms",
    "complaint_pdf",
    "evidence_bag",
)
