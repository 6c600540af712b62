"""The papers for the envelope: one page each, in every language, and hostile names are drawn."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from engine.home import NOW, SITE
from rempart.adapters import paper, shipped
from rempart.care import envelope
from rempart.duties.words import parse
from rempart.site.language import Language
from rempart.site.placement import ByHand
from rempart.site.site import Contact

WORDS = parse(shipped.text("care/words.toml"), "care/words.toml", tuple(Language))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("make", [envelope.bypass, envelope.replacing, envelope.by_hand])
def test_each_is_one_page_in_every_language(make, language: Language) -> None:  # type: ignore[no-untyped-def]
    made = paper.pdf(make(SITE, NOW, WORDS, language))
    assert b"/Count 1" in made


def test_the_steps_by_hand_are_the_houses_own_each_with_room_for_a_tick() -> None:
    plan = ByHand(cut=("FortiGate in the cellar: unplug port 1",), isolate=("Switch in room 012",))
    made = envelope.by_hand(replace(SITE, by_hand=plan), NOW, WORDS, Language.ENGLISH)
    steps = [field for section in made.sections for field in getattr(section, "fields", ()) if field.blank]
    assert [step.label for step in steps if "FortiGate" in step.label] == [f"2. {plan.cut[0]}"]
    assert len(steps) == 5
    assert "Nobody has written" not in str(made)
    assert "Nobody has written" in str(envelope.by_hand(SITE, NOW, WORDS, Language.ENGLISH))


def test_the_bypass_names_every_port() -> None:
    made = envelope.bypass(SITE, NOW, WORDS, Language.ENGLISH)
    values = [field.value for section in made.sections for field in getattr(section, "fields", ())]
    assert SITE.uplink.interface in values
    assert any(all(f"{zone.name}:\u00a0{zone.interface}" in value for zone in SITE.zones) for value in values)


def test_whom_to_call_is_said_in_the_language_of_the_paper_with_room_for_a_number() -> None:
    anne = Contact(role="technician", name="Anne Dupont", phone="")
    nobody = Contact(role="director", name="Leitung", phone="04 1")
    made = envelope.replacing(replace(SITE, contacts=(anne, nobody)), NOW, WORDS, Language.GERMAN)
    fields = {field.label: field for section in made.sections for field in getattr(section, "fields", ())}
    assert fields["Anne Dupont (Techniker)"].blank
    assert fields["Leitung"].value == "04 1"


@pytest.mark.parametrize("make", [envelope.bypass, envelope.replacing, envelope.by_hand])
def test_whom_to_call_is_told_in_the_papers_language_and_a_role_of_the_house_as_it_is(make) -> None:  # type: ignore[no-untyped-def]
    called = (
        Contact(role="privacy-officer", name="Anne", phone="1"),
        Contact(role="intendance", name="Bo", phone="2"),
    )
    made = make(replace(SITE, contacts=called), NOW, WORDS, Language.FRENCH)
    labels = {field.label for section in made.sections for field in getattr(section, "fields", ())}
    assert {"Anne (délégué à la protection des données)", "Bo (intendance)"} <= labels


def test_a_hostile_name_stays_a_name_in_the_drawing() -> None:
    drawn = envelope.drawing("<script>", "a & b", "\u202e")
    texts = [node.text for node in ET.fromstring(drawn).iter() if node.text]
    assert "<script>" in texts
    assert "\u202e" not in drawn


def test_a_site_with_many_zones_still_fits() -> None:
    zones = tuple(replace(SITE.zones[0], id=f"z{n}", name=f"Wohnbereich {n}") for n in range(6))
    assert b"/Count 1" in paper.pdf(envelope.bypass(replace(SITE, zones=zones), NOW, WORDS, Language.GERMAN))
