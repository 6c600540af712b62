"""What the answers make wrong together is told by name, in the language of whoever installs."""

import re
from collections.abc import Mapping

import pytest

from rempart.console.app import rendered
from rempart.console.frame import Frame
from rempart.console.setup import setup_page, why
from rempart.console.words import words
from rempart.first_hour import flaws, form, questions
from rempart.first_hour.answers import Step
from rempart.first_hour.described import site_toml
from rempart.site.flaw import WORDS
from rempart.site.language import Language

from .test_first_hour import AROUND, BOOK, answered, site, walked

WRONG: Mapping[str, tuple[Step, Mapping[str, str]]] = {
    "wide-safeguard": (Step.LIFELINES, {"safeguard.networks": "0.0.0.0/0"}),
    "overlap": (
        Step.NETWORK,
        {"zone.servers.interface": "eth2", "zone.servers.networks": "10.0.0.0/16"},
    ),
    "uplink-inside": (Step.NETWORK, {"uplink-addresses": "10.0.1.9"}),
    "star-beside": (Step.OPENINGS, {"door.telephone.hosts": "*, 198.51.100.7"}),
    "address-twice": (
        Step.DEVICES,
        {
            f"device.{number}.{key}": value
            for number in (60, 61)
            for key, value in {"address": "10.0.1.7", "name": "Bureau", "kind": "server"}.items()
        },
    ),
}
"""Answers that are right one by one, and what they make wrong together."""


def refused(step: Step, typed: Mapping[str, str], language: Language) -> tuple[form.Fault, ...]:
    answers = walked(language={"language": language})
    with pytest.raises(form.Unfit) as unfit:
        answered(answers, step, typed)
    return unfit.value.faults


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("key", WRONG)
def test_no_page_of_the_first_hour_shows_an_english_fault_in_another_language(
    key: str, language: Language
) -> None:
    step, typed = WRONG[key]
    answers, spoken = walked(language={"language": language}), words(language)
    faults = refused(step, typed, language)
    assert key in {fault.flaw.said.key for fault in faults if fault.flaw}
    page = setup_page(
        step,
        answers,
        questions.fields(step, answers, AROUND, BOOK),
        spoken,
        "",
        faults=faults,
        blanks=flaws.blank(site(answers)),
    )
    around = Frame(
        language=language, site_name="", account="", csrf="", ways=(), labels=spoken.under("label")
    )
    shown = re.sub(r"&#\d+;", "'", rendered("setup.html", page, around))
    for english in filter(None, WORDS.values()):
        long = max(re.split(r"\{[a-z]+\}", english), key=len).strip(" .'")
        assert language is Language.ENGLISH or len(long) < 12 or long not in shown
    flaw = next(fault.flaw for fault in faults if fault.flaw and fault.flaw.said.key == key)
    assert why(form.Fault("", "", flaw=flaw), spoken) in [text for _, text in page.faults]


def test_a_fault_names_zones_and_machines_as_people_do() -> None:
    faults = refused(*WRONG["overlap"], Language.FRENCH)
    told = [
        why(fault, words(Language.FRENCH)).replace("\u00a0", " ").replace("\u202f", " ") for fault in faults
    ]
    assert told == [
        "Zone « Serveurs » : 10.0.0.0/16 recouvre 10.0.1.0/24 de la zone « Soins ». "
        "Une adresse n'est que dans une seule zone ; séparez les réseaux."
    ]


def test_what_a_person_typed_is_shown_for_what_it_is() -> None:
    """A name is checked when it is typed; a description that came from elsewhere is not believed to have been."""
    found = flaws.flaw("uplink-inside", "openings", "a\u202eb" * 90, address="?", zone="\x1b[2J" * 60)
    told = why(form.Fault("", "", flaw=found), words(Language.GERMAN))
    assert "\u202e" not in told
    assert "\x1b" not in told
    assert len(told) < 1000
    assert "\x1b" not in str(found.what)


def test_a_mistake_in_one_value_is_said_to_be_ours() -> None:
    text = site_toml(walked(), BOOK).replace('phone = "04 000 00 10"', 'phone = "call me"')
    (found,) = flaws.unfit(text)
    assert "Telefon" not in why(form.Fault("", "", flaw=found), words(Language.DUTCH))
    assert why(form.Fault("", "", flaw=found), words(Language.DUTCH)).startswith(
        "De antwoorden geven geen leesbare beschrijving (site.toml, line "
    )


def test_every_flaw_has_words_of_its_own_in_every_language() -> None:
    for language in set(Language) - {Language.ENGLISH}:
        texts = words(language).texts
        assert [key for key, english in WORDS.items() if texts[f"flaw.{key}"] == english] == []
