"""The card of a behaviour detector: what each of its findings carries, as a rule's card does."""

from rempart.detection.finding import Kind, Level, Outcome
from rempart.detection.meaning import Meaning
from rempart.detection.rule import RuleCard


def card(
    name: str, title: str, level: Level, kind: Kind, *tags: str, outcome: Outcome = Outcome.ATTEMPT
) -> RuleCard:
    """A card whose id is ``behaviour.<name>``. What is unusual is a reason to look, never alone one for a machine to
    act: like what could be forged.
    """
    return RuleCard(
        id=f"behaviour.{name}",
        name="",
        title=title,
        level=level,
        author="Rempart",
        tags=tags,
        path="",
        meaning=Meaning(kind=kind, outcome=outcome, spoofable=True),
    )
