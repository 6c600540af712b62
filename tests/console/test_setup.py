"""What could not be done in the first hour, as whoever installs reads it."""

import pytest

from rempart.console.setup import undone
from rempart.console.words import words
from rempart.errors import InputRefused, RempartError, StationUnreachable, phrased
from rempart.first_hour.answers import Step
from rempart.phrase import WORDS, phrase
from rempart.site.language import Language

DEEDS = sorted(key for key in WORDS if key.startswith("deed-") and not key.endswith("-now"))


@pytest.mark.parametrize("language", Language)
def test_a_deed_that_failed_is_told_with_what_to_do_now(language: Language) -> None:
    fault = phrased(StationUnreachable, "deed-no-finding", path="/var/log/proxy.log", seconds=60)
    what, now = undone(fault, words(language))
    assert "/var/log/proxy.log" in what
    assert "60" in what
    assert "rempart-watch" in now
    assert (what == undone(fault, words(Language.ENGLISH))[0]) == (language is Language.ENGLISH)
    assert fault.diagnostics() == f"{fault.said.text if fault.said else ''}\n{fault.now}"


@pytest.mark.parametrize("key", DEEDS)
def test_no_deed_fails_without_saying_what_to_do(key: str) -> None:
    assert f"{key}-now" in WORDS


@pytest.mark.parametrize("language", Language)
def test_steps_are_named_as_the_page_names_them(language: Language) -> None:
    spoken = words(language)
    what, _ = undone(phrased(InputRefused, "deed-steps", steps=[Step.NETWORK, Step.PEOPLE]), spoken)
    assert spoken.say("setup.step.network") in what
    assert spoken.say("setup.step.people") in what


@pytest.mark.parametrize("language", Language)
def test_a_silent_station_and_a_refusal_of_its_own_have_words_and_the_rest_stays_english(
    language: Language,
) -> None:
    spoken = words(language)
    silent = undone(StationUnreachable("the station does not answer (Connection refused)"), spoken)
    assert silent == undone(phrased(StationUnreachable, "deed-silent"), spoken)
    refused = InputRefused("there are 500 accounts already")
    refused.said = phrase("many-accounts", count=500)
    assert "500" in undone(refused, spoken)[0]
    assert undone(RempartError("the paper could not be set", now="Tell us."), spoken) == (
        "the paper could not be set Tell us.",
        "",
    )
