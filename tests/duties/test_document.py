from collections.abc import Callable

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.duties import document
from rempart.duties.document import Account, Complainant, Fields, Paper, Prose, Seals
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


def account(incident: Incident, *lines: Line) -> Account:
    return Account(incident=incident, lines=lines, seals=SEALS, who=WHO)


@pytest.mark.parametrize("make", [document.timeline, document.complaint])
@pytest.mark.parametrize("language", Language)
def test_masks_and_what_is_left_out_are_said_at_the_beginning(
    make: Callable[[Account, Words, Language], Paper], language: Language, incident: Incident, spoken: Words
) -> None:
    plain = account(incident)
    told = msgspec.structs.replace(plain, masked=True, left_out=37)

    def said(paper: Paper) -> str:
        return " ".join(
            text for each in paper.sections[:3] if isinstance(each, Prose) for text in each.paragraphs
        )

    assert "person-…" in said(make(told, spoken, language))
    assert "37" in said(make(told, spoken, language))
    assert "person-…" not in said(make(plain, spoken, language))


@pytest.mark.parametrize("language", Language)
def test_the_complaint_in_words(
    language: Language,
    incident: Incident,
    entries: list[Line],
    spoken: Words,
    snapshot: SnapshotAssertion,
) -> None:
    paper = document.complaint(account(incident, *entries), spoken, language)
    assert msgspec.to_builtins(paper) == snapshot


def test_what_is_not_known_is_said_to_be_unknown(incident: Incident, spoken: Words) -> None:
    nobody = Account(incident=incident, lines=(), seals=SEALS)
    paper = document.complaint(nobody, spoken, Language.ENGLISH)
    facts = {f.label: f for s in paper.sections if isinstance(s, Fields) for f in s.fields}
    assert facts["Author"].value == facts["Ransom"].value == facts["Intent"].value == "unknown"
    assert facts["Institution"].blank
    assert facts["Damage, as estimated"].blank
    assert paper.as_of == incident.last_seen


def test_the_paper_is_dated_by_its_last_entry(incident: Incident, entries: list[Line], spoken: Words) -> None:
    paper = document.timeline(account(incident, *entries), spoken, Language.FRENCH)
    assert paper.as_of == entries[-1].at
