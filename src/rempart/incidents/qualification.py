"""What people may say an attack was: who, why, whether a ransom was asked, and how it ended (after VERIS's words)."""

from enum import StrEnum


class Author(StrEnum):
    """From where whoever did it comes."""

    UNKNOWN = "unknown"
    EXTERNAL = "external"
    INTERNAL = "internal"
    PARTNER = "partner"
    """A supplier, or through one."""
    NOBODY = "nobody"
    """It was no attack: a fault, or a mistake."""


class Intent(StrEnum):
    """What they seem to have wanted."""

    UNKNOWN = "unknown"
    MONEY = "money"
    DATA = "data"
    DISRUPTION = "disruption"
    NONE = "no-intent"
    """Nothing: a fault, or a mistake."""


class Ransom(StrEnum):
    """Whether somebody asked for a ransom."""

    UNKNOWN = "unknown"
    NO = "no"
    ASKED = "asked"
    PAID = "paid"


class Ending(StrEnum):
    """How the attack ended, as far as is known."""

    UNKNOWN = "unknown"
    ONGOING = "ongoing"
    FAILED = "failed"
    PARTIAL = "partial"
    SUCCEEDED = "succeeded"
    FALSE_ALARM = "false-alarm"
