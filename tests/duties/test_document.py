import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.duties import document
from rempart.duties.document import Complainant, Fields, Seals
from rempart.duties.timeline import Line
from rempart.duties.words import Words
from rempart.incidents.incident import Incident, Sentence
from rempart.instants import after, minutes
from rempart.site.language import Language

WHO = Complainant("Résidence Les Tilleuls", "+32 4 224 71 11")
SEALS = Seals(431, "ab" * 32)


@pytest.fixture
def entries(incident: Incident) -> list[Line]:
    return [
        Line(entry=12, at=incident.opened, sentence=Sentence("story.records", {"asset": "pc", "count": 180})),
        Line(
            entry=14,
            at=after(incident.opened, minutes(2)),
            sentence=Sentence("story.contained", {"by": "Anne"}),
        ),
    ]


@pytest.mark.parametrize("language", Language)
def test_the_complaint_in_words(
    language: Language,
    incident: Incident,
    entries: list[Line],
    spoken: Words,
    snapshot: SnapshotAssertion,
) -> None:
    paper = document.complaint(incident, entries, spoken, language, who=WHO, seals=SEALS)
    assert msgspec.to_builtins(paper) == snapshot


def test_what_is_not_known_is_said_to_be_unknown(incident: Incident, spoken: Words) -> None:
    paper = document.complaint(incident, [], spoken, Language.ENGLISH, who=Complainant(), seals=SEALS)
    facts = {f.label: f for s in paper.sections if isinstance(s, Fields) for f in s.fields}
    assert facts["Author"].value == facts["Ransom"].value == facts["Intent"].value == "unknown"
    assert facts["Institution"].blank
    assert facts["Damage, as estimated"].blank
    assert paper.as_of == incident.last_seen


def test_the_paper_is_dated_by_its_last_entry(incident: Incident, entries: list[Line], spoken: Words) -> None:
    paper = document.timeline(incident, entries, spoken, Language.FRENCH, who=WHO)
    assert paper.as_of == entries[-1].at
