"""The templates: complete in four languages, every lifeline marked, every opening with its fallback."""

import re
import tomllib
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.site import soundness, template
from rempart.site.description import parse
from rempart.site.site import Language, Site


def packaged(name: str) -> template.Table:
    return tomllib.loads(resources.files("rempart.site").joinpath(name).read_text(encoding="utf-8"))


CATALOGUE = packaged("openings.toml")


def text(name: str, called: str = "Les Tilleuls", language: Language = Language.ENGLISH) -> str:
    about = packaged(f"templates/{name}.toml")
    return template.written(template=name, about=about, catalogue=CATALOGUE, name=called, language=language)


def site(name: str) -> Site:
    return parse(text(name), name)


def translated(table: object) -> list[dict[str, str]]:
    """Every table of translations in a table."""
    match table:
        case dict():
            own = [table] if set(table) & set(Language) else []
            return own + [found for value in table.values() for found in translated(value)]
        case list():
            return [found for value in table for found in translated(value)]
        case _:
            return []


@pytest.mark.parametrize("name", ["openings.toml", *(f"templates/{name}.toml" for name in template.NAMES)])
def test_nothing_is_missing_in_a_language(name: str) -> None:
    found = translated(packaged(name))
    assert found
    for words in found:
        assert set(words) == set(Language)
        assert all(word.strip() for word in words.values())


@pytest.mark.parametrize("name", template.NAMES)
def test_each_template_is_sound(name: str) -> None:
    described = site(name)
    assert soundness.check(described) == ()
    assert described.safeguards
    assert described.outside_wall
    assert described.contacts
    for opening in described.openings:
        assert opening.fallback.text
        assert opening.zones


@pytest.mark.parametrize("name", template.NAMES)
def test_lifelines_come_first_and_are_those_that_care_hangs_on(name: str) -> None:
    lifelines = [opening.lifeline for opening in site(name).openings]
    assert lifelines == sorted(lifelines, reverse=True)
    marked = {opening.id for opening in site(name).lifelines()}
    assert {"telephone", "intrusion-alarm", "telemonitoring", "care-file", "sign-in", "pharmacy"} <= marked
    if name != "medical-house":
        assert {"nurse-call", "fire-alarm", "lift-alarm"} <= marked


def test_the_telephone_has_its_media_ports() -> None:
    (telephone,) = (entry for entry in CATALOGUE["openings"] if entry["id"] == "telephone")
    assert "udp/10000-20000" in telephone["services"]


def test_marks_are_written_down() -> None:
    assert len(re.findall(r"^mark = ", text("nursing-home"), re.MULTILINE)) == len(
        site("nursing-home").openings
    )


def test_every_opening_of_the_catalogue_is_used() -> None:
    used = {opening.id for name in template.NAMES for opening in site(name).openings}
    assert used == {entry["id"] for entry in CATALOGUE["openings"]}


def test_the_smallest_template_reads_well(snapshot: SnapshotAssertion) -> None:
    assert text("medical-house", "Maison médicale du Parc", Language.FRENCH) == snapshot


@settings(deadline=None)  # a busy machine is no mistake
@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=200))
def test_any_name_survives_the_writing(name: str) -> None:
    if name.strip():
        assert parse(text("medical-house", name), "x").name == name.strip()


@settings(deadline=None)  # a busy machine is no mistake
@given(st.text(max_size=80))
def test_an_id_can_be_made_of_any_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", template.identifier(name))
