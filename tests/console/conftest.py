"""A home and its status at a fixed instant, for pages to be made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rempart.incidents.incident import IncidentState, Qualification, Sentence
from rempart.instants import Instant, parse_rfc3339
from rempart.messages import IncidentStatus, MeasureStatus, OpeningStatus, Posture, Status
from rempart.site.description import parse
from rempart.site.opening import OpeningState
from rempart.site.site import Site

NOW = parse_rfc3339("2026-11-21T02:12:03Z")
MINUTE = 60_000_000

Make = Callable[..., Status]


@pytest.fixture(scope="session")
def now() -> Instant:
    return NOW


@pytest.fixture(scope="session")
def site() -> Site:
    file = Path(__file__).with_name("tilleuls.toml")
    return parse(file.read_text(), file.name)


@pytest.fixture(scope="session")
def make(site: Site) -> Make:
    """Makes a status of the home; ``contained`` decides the doors."""

    def status(posture: Posture = Posture.NORMAL, **others: Any) -> Status:
        at = others.pop("now", NOW)
        standing: dict[str, Any] = {
            "site": site.id,
            "now": at,
            "posture": posture,
            "since": Instant(at - 632 * MINUTE),
            "openings": [_opening(site, each.id, posture, at) for each in site.openings],
            "incidents": [],
            "measures": [],
            "journal_entries": 214,
            "journal_root": "5f" * 32,
            "enforcement_verified": Instant(at - 3_000_000),
        }
        return Status(**(standing | others))

    return status


def _opening(site: Site, opening_id: str, posture: Posture, at: Instant) -> OpeningStatus:
    opening = site.opening(opening_id)
    cut = posture in (Posture.CONTAINED, Posture.REOPENING)
    back = posture is Posture.REOPENING and opening_id == "ehealth-platform"
    shut = OpeningState.FILTERED if opening.lifeline or back else OpeningState.CLOSED
    return OpeningStatus(
        id=opening.id,
        name=opening.name,
        state=shut if cut else opening.normally,
        lifeline=opening.lifeline,
        direction=opening.direction.value,
        care=opening.care,
        zones=list(opening.zones),
        fallback=opening.fallback.text,
        fallback_phone=opening.fallback.phone,
        trial_until=Instant(at + 41 * 60 * MINUTE + MINUTE) if back else None,
    )


@pytest.fixture(scope="session")
def attack() -> IncidentStatus:
    """A ward's computer that opened files by the hundred and sent them out."""
    began = Instant(NOW - 640 * MINUTE)
    return IncidentStatus(
        id="inc-2026-001",
        state=IncidentState.CONTAINED,
        level=4,
        kinds=["command", "exfiltration", "guessing", "records"],
        opened=began,
        last_seen=Instant(NOW - 600 * MINUTE),
        findings=37,
        actors=["203.0.113.66"],
        accounts=["dr.exemple"],
        assets=["10.0.1.12"],
        summary=Sentence("incident.records", {"actors": 1, "accounts": "dr.exemple", "assets": "10.0.1.12"}),
        story=[
            (
                began,
                Sentence(
                    "story.guessing",
                    {
                        "actor": "203.0.113.66",
                        "asset": "gp-portal",
                        "account": "dr.exemple",
                        "count": 41,
                        "title": "",
                    },
                ),
            ),
            (
                Instant(began + 6 * MINUTE),
                Sentence(
                    "story.exfiltration",
                    {"actor": "203.0.113.66", "asset": "10.0.1.12", "account": "", "count": 1, "title": ""},
                ),
            ),
            (Instant(began + 8 * MINUTE), Sentence("story.contained", {"by": "Direction"})),
        ],
        qualification=Qualification(ransom="no", outcome="failed"),
        persons_touched=212,
    )


@pytest.fixture(scope="session")
def isolation() -> MeasureStatus:
    return MeasureStatus(
        target="ward-pc-2",
        action="isolate",
        since=Instant(NOW - 630 * MINUTE),
        until=None,
        by="Direction",
        reason="",
    )
