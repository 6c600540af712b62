"""The languages that Rempart speaks."""

from enum import StrEnum


class Language(StrEnum):
    """The languages of the interface."""

    FRENCH = "fr"
    DUTCH = "nl"
    GERMAN = "de"
    ENGLISH = "en"
