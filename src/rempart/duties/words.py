"""The words of the papers: message keys with typed arguments, in each language that their file has.

Hostile text comes in arguments. Here it is only made visible (`plain`); each edge still escapes it for its own
syntax.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rempart.errors import InputRefused
from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.site.belgian_time import belgian
from rempart.site.language import Language, typeset

LONGEST = 400
"""Characters of one argument that a paper shows; the journal holds the whole of it."""

MOMENTS = frozenset({"at", "until", "since", "on", "believed", "made"})
"""Arguments with these names are instants; other whole numbers are numbers."""

_HOLE = re.compile(r"\{([a-z_]+)\}")

# What the fonts that travel with the papers can draw. Everything else (controls, bidirectional overrides, emoji,
# private use) is shown by its code point: PDF/A refuses a character without a glyph, and an investigator wants to
# see that a name held an override rather than be fooled by it.
_DRAWN = re.compile("[\u0020-\u007e\u00a0-\u00ac\u00ae-\u017f\u2013\u2014\u2018-\u201e\u2026\u20ac]")


def plain(text: str, longest: int = LONGEST) -> str:
    """Text as a paper can draw it: other characters become ``<U+202E>``, what is too long ends in ``…``."""
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if _DRAWN.match(c) else f"<U+{ord(c):04X}>" for c in shown)


@dataclass(frozen=True, slots=True)
class Words:
    """Message key to sentence, per language."""

    sentences: Mapping[str, Mapping[str, str]] = field(repr=False)
    names: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict, repr=False)
    """Argument to id to what it is called, per language."""

    def tell(self, sentence: Sentence, language: Language) -> str:
        """The sentence in words. A key without words is told as the key and its arguments, never dropped."""
        told = self.sentences.get(sentence.key)
        if told is None:
            arguments = ", ".join(f"{name}={value}" for name, value in sentence.arguments.items())
            return plain(f"{sentence.key} ({arguments})")
        return _HOLE.sub(lambda hole: self._argument(hole[1], sentence.arguments, language), told[language])

    def say(self, key: str, language: Language, **arguments: Any) -> str:
        """The words of ``key`` with these arguments."""
        return self.tell(Sentence(key, arguments), language)

    def word(self, value: str, language: Language) -> str:
        """One word of the interface when it is one ("unknown", "yes", "closed"), else the text itself."""
        known = self.sentences.get(f"word.{value}")
        return known[language] if known else plain(value)

    def naming(self, **ids: Mapping[str, Mapping[str, str]]) -> "Words":
        """These words, and by argument what the ids in it are called in each language: duties, questions."""
        return replace(self, names=ids)

    def _argument(self, name: str, arguments: Mapping[str, Any], language: Language) -> str:
        match arguments.get(name):
            case None | "" | [] | ():
                return self.word("unknown", language)
            case bool(yes):
                return self.word("yes" if yes else "no", language)
            case int(moment) if name in MOMENTS:
                return belgian(Instant(moment))
            case list(several) | tuple(several):
                return plain(", ".join(str(one) for one in several))
            case value if called := self.names.get(name, {}).get(str(value)):
                return plain(called[language])
            case value:
                return self.word(str(value), language)


def parse(text: str, where: str, languages: Iterable[Language] = tuple(Language)) -> Words:
    """The words of a TOML text in these languages. Raises InputRefused naming the keys that lack one."""
    sentences = tomllib.loads(text)
    wanted = tuple(languages)
    lacking = [key for key, told in sentences.items() if not all(language in told for language in wanted)]
    if lacking:
        raise InputRefused(
            f"no words in every language for: {', '.join(lacking)}",
            where=where,
            now=f"Give each key a sentence in {', '.join(wanted)}.",
        )
    return Words(
        {
            key: {language: typeset(words, language) for language, words in told.items()}
            for key, told in sentences.items()
        }
    )
