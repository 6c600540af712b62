"""What is wrong with a site's description, or blank in it, in the words of whoever reads it."""

from rempart.console.words import Words
from rempart.incidents.incident import Sentence
from rempart.phrase import Phrase
from rempart.site.flaw import Flaw


def tell(flaw: Flaw, words: Words) -> str:
    """Where, what, and what would mend it."""
    return f"{_placed(flaw, words)}. {_said(flaw.advice, words)}"


def blank(flaw: Flaw, words: Words) -> str:
    """Where and what: what is blank is filled in, whatever the advice."""
    return _placed(flaw, words)


def _placed(flaw: Flaw, words: Words) -> str:
    said = _said(flaw.said, words)
    if not words.has(f"flaw-place.{flaw.kind}"):
        return said[:1].upper() + said[1:]
    place = words.say(f"flaw-place.{flaw.kind}")
    if flaw.id:
        place = words.say("flaw-place.one", kind=place, name=flaw.id)
    if flaw.blank:
        place = words.say("flaw-place.blank", place=place, blank=flaw.blank)
    return words.labelled(place, said)


def _said(said: Phrase, words: Words) -> str:
    return words.tell(Sentence(f"flaw.{said.key}", dict(said.arguments)))
