"""The languages that Rempart speaks."""

import re
from enum import StrEnum


class Language(StrEnum):
    """The languages of the interface."""

    FRENCH = "fr"
    DUTCH = "nl"
    GERMAN = "de"
    ENGLISH = "en"

    @property
    def own_name(self) -> str:
        """As those who speak it call it."""
        return _OWN_NAMES[self]


_OWN_NAMES = {
    Language.FRENCH: "Français",
    Language.DUTCH: "Nederlands",
    Language.GERMAN: "Deutsch",
    Language.ENGLISH: "English",
}

_APART = re.compile(r" (?=[:;!?»])|(?<=«) ")


def typeset(text: str, language: str) -> str:
    """The text as its language is printed: in French no line begins with ``:`` or ends with ``«``."""
    return _APART.sub("\u00a0", text) if language == Language.FRENCH else text
