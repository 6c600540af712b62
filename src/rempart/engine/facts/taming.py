"""Facts about taming: exceptions that people made by an order, and their end."""

from rempart.detection.trait import Trait
from rempart.engine.facts.fact import Fact


class ExceptionMade(Fact, frozen=True, tag=True, kw_only=True):
    """A person decided not to be told what a rule finds where these fields have these values, to that day's end."""

    exception: str
    """`rempart.detection.exception.Exemption.id`."""
    rule: str
    traits: list[Trait]
    by: str
    reason: str
    until: str
    even_grave: bool = False


class ExceptionEnded(Fact, frozen=True, tag=True, kw_only=True):
    """An exception ended before its day, by an order."""

    exception: str
    by: str
    reason: str


TamingFact = ExceptionMade | ExceptionEnded
