"""The words of the pages: one folder per language, the same keys in each; hostile arguments are made visible."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from babel import Locale
from babel.numbers import format_decimal

from rempart.adapters import shipped
from rempart.detection.explain import Explanation, Plain
from rempart.detection.words import WORDS
from rempart.duties import duty
from rempart.duties.duty import Obligations
from rempart.incidents.incident import Sentence
from rempart.phrase import WORDS as REFUSED
from rempart.site.flaw import WORDS as FLAWS
from rempart.site.language import Language, typeset

LONGEST = 120
"""Characters of one argument that a page shows; the journal holds the whole of it."""

_HOLE = re.compile(r"\{([a-z_]+)\}")
_ASIDE = re.compile(r"[ \u00a0]\(\{([a-z_]+)\}\)")
"""What stands in brackets of its own is left out where it is not known: *(unknown)* helps nobody at night."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


SENTENCES = 1000
"""Characters of whole sentences that the guard said."""


def plain(text: str, longest: int = LONGEST) -> str:
    """Text from outside as a page shows it: what is invisible becomes ``⟨U+202E⟩``, what is too long ends in ``…``.

    A name in a right-to-left script is isolated (Unicode TR9, FSI and PDI), so that it cannot reorder the sentence
    around it. Escaping for HTML is left to the template.
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    shown = "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN else c for c in cut)
    shown = shown.replace("« ", "«\u00a0").replace(
        " »", "\u00a0»"
    )  # no line begins with the end of a quotation
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in shown):
        return f"\u2068{shown}\u2069"
    return shown


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: key to text, with ``{holes}`` for arguments."""

    language: Language
    texts: Mapping[str, str] = field(repr=False)

    @property
    def locale(self) -> Locale:
        """How dates and numbers are written; in English as in Europe."""
        return Locale(self.language.value, "GB" if self.language is Language.ENGLISH else "BE")

    def say(self, key: str, **arguments: object) -> str:
        """The words of ``key``. A key nobody has written is a mistake of ours: KeyError."""
        return self._filled(self.texts[self._counted(key, arguments)], arguments)

    def tell(self, sentence: Sentence) -> str:
        """A sentence that another part of the station made. An unknown key is shown with its arguments, never lost."""
        text = self.texts.get(self._counted(sentence.key, sentence.arguments))
        if text is None:
            arguments = ", ".join(f"{name}={value}" for name, value in sentence.arguments.items())
            return plain(f"{sentence.key} ({arguments})")
        return self._filled(text, sentence.arguments)

    def explain(self, explanation: Explanation) -> tuple[str, ...]:
        """A finding in plain words, sentence by sentence. What is not known reads *somebody* or *a machine*."""
        return tuple(self._plainly(each) for each in explanation.sentences)

    def _plainly(self, sentence: Plain) -> str:
        text = self.texts[sentence.key]
        holes = dict.fromkeys(_HOLE.findall(text))
        missing = {name: self.texts[f"unknown.{name}"] for name in holes if name not in sentence.arguments}
        said = self._filled(text, {**missing, **sentence.arguments})
        begins_unknown = next((text.startswith(f"{{{name}}}") for name in missing), False)
        return said[:1].upper() + said[1:] if begins_unknown else said

    def has(self, key: str) -> bool:
        """Whether the key has words."""
        return key in self.texts

    def labelled(self, label: str, text: str) -> str:
        """A name and what is said of it."""
        return f"{label}\u00a0: {text}" if self.language is Language.FRENCH else f"{label}: {text}"

    def under(self, prefix: str) -> dict[str, str]:
        """All the words under ``prefix.``, by the rest of their key."""
        start = f"{prefix}."
        return {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}

    def _counted(self, key: str, arguments: Mapping[str, Any]) -> str:
        """The key, or its form for the argument ``count`` where there are several (Unicode's plural rules, CLDR)."""
        count = arguments.get("count")
        if key in self.texts or not isinstance(count, int):
            return key
        form = f"{key}.{self.locale.plural_form(count)}"
        return form if form in self.texts else f"{key}.other"

    def _filled(self, text: str, arguments: Mapping[str, Any]) -> str:
        said = _ASIDE.sub(lambda aside: aside[0] if _known(arguments.get(aside[1])) else "", text)
        return _HOLE.sub(lambda hole: self._argument(arguments.get(hole.group(1))), said)

    def _argument(self, value: object) -> str:
        if not _known(value):
            return self.texts["word.unknown"]
        if isinstance(value, int) and not isinstance(value, bool):
            return format_decimal(value, locale=self.locale)
        return plain(str(value))


def _known(value: object) -> bool:
    return value is not None and value != ""


@cache
def words(language: Language) -> Words:
    """The words of a language, as they ship: those of the pages, and those of findings."""
    texts: dict[str, str] = dict(_ENGLISH) if language is Language.ENGLISH else {}
    for file in _files(language):
        flat = _flat(tomllib.loads(file.read_text(encoding="utf-8")))
        found = {key: typeset(text, language) for key, text in flat}
        if twice := texts.keys() & found.keys():
            raise ValueError(f"{file.name} of {language.value} says again: {', '.join(sorted(twice))}")
        texts |= found
    return Words(language, texts)


def _files(language: Language) -> list[Traversable]:
    """The files of a language, one for each part of the pages."""
    folder = resources.files("rempart.console").joinpath("locale", language.value)
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )


_QUOTED = re.compile(r"\{(title|account)\}")
_ENGLISH = (
    {key: _QUOTED.sub(r"“{\1}”", text) for key, text in WORDS.items()}
    | {f"refused.{key}": text.replace("{because}", "[because]") for key, text in REFUSED.items()}
    | {f"flaw.{key}": text for key, text in FLAWS.items()}
    | {
        "unknown.actor": "somebody",
        "unknown.victim": "a machine",
        "unknown.account": "unknown",
        "unknown.title": "without a title",
    }
)
"""Of findings, refusals and flaws the English stands with the code that makes them; hostile arguments in quotes."""


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


LONGEST_SENTENCE = 30
"""Words of a sentence; a frightened person loses a longer one."""

_ABBREVIATION = re.compile(r"(?<![\w{/.-])[A-Z]{2,}[A-Za-z0-9]*")
_BRACKETED = re.compile(r"\w \(([A-Z][A-Za-z0-9]+(?:/[A-Z][A-Za-z0-9]+)*)\)")
_COMMAND = re.compile(r"\brempart( [a-z-]+)+( [A-Z]+)*")
"""What is typed on the box: what stands in capitals there is to be filled in."""

EXPLAINED = frozenset({"OK", "PDF", "WLAN", "GB", "IPv4", "IPv6", "SHA", "TLS"})
"""Abbreviations that pages may use: known to everybody, or (IPv4, IPv6, SHA, TLS) read by technicians only, who look
them up by that name. All else is written out or said otherwise."""

_LAWS = frozenset({"NIS2", "EU", "UE"})
"""What the law itself is called by, in questions and duties (duties/obligations.toml)."""


def gaps() -> Iterator[str]:
    """What is missing or wrong in the words of a language, held against English; empty when all is there."""
    english = words(Language.ENGLISH).texts
    for language in Language:
        texts = words(language).texts
        for key in sorted(english.keys() ^ texts.keys()):
            yield f"{language.value}: {key} {'is missing' if key in english else 'is not in English'}"
        for key in sorted(english.keys() & texts.keys()):
            yield from (f"{language.value}: {key}: {fault}" for fault in _faults(texts[key], english[key]))
    yield from _unexplained(duty.parse(shipped.text("duties/obligations.toml")))


def _unexplained(law: Obligations) -> Iterator[str]:
    """Abbreviations that a question or a duty does not spell out once, with the abbreviation in brackets behind it."""
    for language in Language:
        spoken = language.value
        told: dict[str, tuple[str, ...]] = {
            asked.id: (asked.text[spoken], asked.why[spoken]) for asked in law.questions.values()
        }
        told |= {
            owed.id: (owed.name[spoken], owed.recipient[spoken], owed.law[spoken], *owed.fields[spoken])
            for owed in law.duties.values()
        }
        for name, texts in told.items():
            text = "\n".join(texts)
            bracketed = set("/".join(_BRACKETED.findall(text)).split("/"))
            for short in sorted({*_ABBREVIATION.findall(text)} - bracketed - EXPLAINED - _LAWS):
                yield f"{spoken}: {name}: the abbreviation {short} is not explained"


def _faults(text: str, english: str) -> Iterator[str]:
    if not text.strip():
        yield "it says nothing"
    if set(_HOLE.findall(text)) != set(_HOLE.findall(english)):
        yield f"its holes are {sorted(_HOLE.findall(text))}, in English {sorted(_HOLE.findall(english))}"
    longest = max((len(sentence.split()) for sentence in re.split(r"[.!?:;] ", text)), default=0)
    if longest > LONGEST_SENTENCE:
        yield f"a sentence of {longest} words"
    for short in sorted({*_ABBREVIATION.findall(_COMMAND.sub("", text))} - EXPLAINED):
        yield f"the abbreviation {short} is not explained"


def chosen(asked: str | None, accepted: str, offered: tuple[Language, ...]) -> Language:
    """The language of a page: the one asked for, else the browser's best (RFC 9110 12.5.4), else the site's first."""
    wanted = [asked or "", *_preferred(accepted)]
    for tag in wanted:
        primary = tag.split("-")[0].lower()
        if primary in set(Language):
            return Language(primary)
    return offered[0] if offered else Language.ENGLISH


def _preferred(accepted: str) -> list[str]:
    """The tags of an Accept-Language header, best first; what cannot be read is left out."""
    weighed: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        if re.fullmatch(r"[A-Za-z-]{1,20}", tag) and re.fullmatch(r"(0(\.\d{1,3})?|1(\.0{1,3})?)?", quality):
            weighed.append((float(quality or 1), tag))
    return [tag for quality, tag in sorted(weighed, key=lambda each: -each[0]) if quality > 0]
