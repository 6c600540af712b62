"""An incident, the shipped words and obligations: what papers and duties are made from."""

import pytest

from rempart.adapters import shipped
from rempart.detection.finding import Kind, Level
from rempart.duties import duty, words
from rempart.duties.duty import Obligations
from rempart.duties.words import Words
from rempart.incidents.incident import Incident, IncidentState
from rempart.instants import after, minutes, parse_rfc3339


@pytest.fixture(scope="session")
def spoken() -> Words:
    """The words that ship with Rempart."""
    return words.parse(shipped.text("duties/words.toml"), "words.toml")


@pytest.fixture(scope="session")
def obligations() -> Obligations:
    """The obligations that ship with Rempart."""
    return duty.parse(shipped.text("duties/obligations.toml"))


@pytest.fixture
def incident() -> Incident:
    """Passwords guessed, then care files opened by the hundred."""
    opened = parse_rfc3339("2026-11-20T15:00:00Z")
    return Incident(
        id="I-7",
        opened=opened,
        last_seen=after(opened, minutes(9)),
        state=IncidentState.CONTAINED,
        level=Level.HIGH,
        kinds=frozenset({Kind.GUESSING, Kind.RECORDS}),
        actors=frozenset({"203.0.113.7", "2001:db8::77"}),
        accounts=frozenset({"dr.martin"}),
        assets=frozenset({"10.10.0.23"}),
        findings=9,
        persons_touched=1180,
    )
