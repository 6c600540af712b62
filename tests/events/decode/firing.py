"""Which rules fire on one event, as the decoders' tests ask it."""

from collections.abc import Mapping

from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.events.event import Event


def fired(texts: Mapping[str, str], event: Event) -> set[str]:
    """The titles of those of these rules that match: ``texts`` are log source and detection, by title."""
    rules = load((title, f"title: {title}\nlevel: high\n{text}") for title, text in texts.items())
    assert not rules.refused
    return {rule.card.title for rule in Matcher(rules.rules).matches(event)}
