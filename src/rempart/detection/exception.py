"""Exceptions: what a site has decided not to be told, or to be told as less or more serious, by whom and until when.

They stand in ``exceptions.toml`` beside ``site.toml``, so that a rule others wrote need not be changed:

    [[exceptions]]                                # hides what matches all of it
    rules = ["Care files are opened by the hundred"]        # ids, names or titles; left out: every rule
    fields = { cs-username = "export", c-ip = ["10.0.2.7", "10.0.3.0/24"] }     # left out: the rule is disabled
    reason = "The nightly export to the pharmacy"
    author = "A. Peeters"
    until = 2027-01-31                            # its last day, in Belgium; afterwards it hides nothing

    [[severities]]
    rules = ["web-probe"]
    level = "low"
    reason = "The website is hosted elsewhere"
    author = "A. Peeters"
    until = 2027-01-31                            # may be left out

An event that is hidden is not counted by correlations either. An exception that names a correlation is held against
the group it was reached by (its ``group-by`` fields), because one event of many says nothing of the others. Time is
that of the newest event seen, so a replay hides what was hidden before, and a forged old time revives nothing. No
event is hidden from the store.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from unicodedata import category

from rempart.detection.finding import Level
from rempart.detection.rule import Correlation, RuleCard, RuleSet
from rempart.detection.surroundings import normal
from rempart.errors import InputRefused, Problem
from rempart.instants import Instant
from rempart.site.belgian_time import last_midnight
from rempart.site.page import lines

MAX_VALUES = 1_000
"""Values of one field of one exception; beyond that an opening or an asset is missing in the site's description."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a field must hold: a text in any case, ``*`` standing for anything, an address, or a network."""

    text: str

    def holds(self, given: object) -> bool:
        """Whether the field's value is meant; of a list, one of its values."""
        if isinstance(given, list | tuple):
            return any(self.holds(each) for each in given)
        if given is None:
            return False
        said = str(given).lower()
        return _like(self.text.lower().split("*"), said) or self._covers(said)

    def _covers(self, said: str) -> bool:
        network = _network(self.text)
        address = normal(said) if network else None
        return network is not None and address is not None and address in network


def _like(parts: list[str], said: str) -> bool:
    """Linear in the text, whatever stands in it: a hostile value cannot make it slow."""
    if len(parts) == 1:
        return said == parts[0]
    first, *middle, last = parts
    if not (len(said) >= len(first) + len(last) and said.startswith(first) and said.endswith(last)):
        return False
    position, end = len(first), len(said) - len(last)
    for part in middle:
        found = said.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """One entry of ``[[exceptions]]`` (the word `Exception` is Python's). Without ``fields`` it disables its rules."""

    rules: tuple[str, ...]
    """Ids, names or titles; empty: every rule."""
    fields: tuple[tuple[str, tuple[Value, ...]], ...]
    """All of them must hold, each by one of its values."""
    reason: str
    author: str
    until: date
    """The last day on which it hides, by the clock on the wall in Belgium."""
    where: str = ""

    @property
    def id(self) -> str:
        """What tells it from others, wherever in the file it stands."""
        fields = [(name, [value.text for value in values]) for name, values in self.fields]
        said = repr((self.rules, fields, self.reason, self.author, self.until.isoformat()))
        return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def covers(self, fields: Mapping[str, Any]) -> bool:
        """Whether it speaks of an event, or of a group, with these fields."""
        return all(any(value.holds(fields.get(name)) for value in values) for name, values in self.fields)

    def ended(self, time: Instant) -> bool:
        """Whether its last day is over."""
        return time >= last_midnight(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """One entry of ``[[severities]]``: these rules are told at another level."""

    rules: tuple[str, ...]
    level: Level
    reason: str
    author: str
    until: date | None = None
    where: str = ""

    def ended(self, time: Instant) -> bool:
        """Whether its last day is over."""
        return self.until is not None and time >= last_midnight(self.until)


@dataclass(frozen=True, slots=True)
class Exceptions:
    """All of a site. ``Exceptions()`` hides nothing."""

    exemptions: tuple[Exemption, ...] = ()
    severities: tuple[Severity, ...] = ()

    def ended(self, time: Instant) -> tuple[Exemption | Severity, ...]:
        """Those past their end date: they are without effect, and somebody should know."""
        entries: tuple[Exemption | Severity, ...] = (*self.exemptions, *self.severities)
        return tuple(each for each in entries if each.ended(time))


# -- on rules that are loaded -----------------------------------------------------------------------------------------


class Tamed:
    """Exceptions as they bear on one rule set."""

    def __init__(self, exceptions: Exceptions, rules: RuleSet) -> None:
        self.exceptions = exceptions
        self._named = _Named(rules)
        self._everywhere = [each for each in exceptions.exemptions if not each.rules]
        self._exemptions: dict[str, list[Exemption]] = {}
        self._severities: dict[str, list[Severity]] = {}
        problems: list[Problem] = []
        for exemption in exceptions.exemptions:
            for identifier in self._named.resolve(exemption, problems):
                self._exemptions.setdefault(identifier, [*self._everywhere]).append(exemption)
        for severity in exceptions.severities:
            for identifier in self._named.resolve(severity, problems):
                self._severities.setdefault(identifier, []).append(severity)
        self.problems = tuple(problems)
        """Entries that hide nothing as things are: the rule is not loaded, or cannot be asked for that field."""

    def hiding(self, rule: str, fields: Mapping[str, Any], time: Instant) -> Exemption | None:
        """The exception that hides what a rule says of an event, or a correlation of a group; None: it is told."""
        for exemption in self._exemptions.get(rule, self._everywhere):
            if not exemption.ended(time) and exemption.covers(fields):
                return exemption
        return None

    def card(self, card: RuleCard, time: Instant) -> RuleCard:
        """The card at the level at which the site wants to be told."""
        level = self.level(card.id, card.level, time)
        return card if level is card.level else replace(card, level=level)

    def level(self, rule: str, given: Level, time: Instant) -> Level:
        """The level of what a rule says, ``given`` its own; the last entry wins."""
        wanted = (each.level for each in reversed(self._severities.get(rule, ())) if not each.ended(time))
        return next(wanted, given)


_BESIDE = ("behaviour.", "indicator.")
"""How the ids of what is found without a rule begin; they are named by their ids only."""


class _Named:
    """Rules and correlations by what an operator may call them."""

    def __init__(self, rules: RuleSet) -> None:
        self._correlations: dict[str, Correlation] = {each.card.id: each for each in rules.correlations}
        self._ids: dict[str, list[str]] = {}
        cards = [each.card for each in rules.rules] + [each.card for each in rules.correlations]
        for card in cards:
            for name in {card.id.lower(), card.name.lower(), card.title.lower()} - {""}:
                self._ids.setdefault(name, []).append(card.id)

    def resolve(self, entry: Exemption | Severity, problems: list[Problem]) -> Iterator[str]:
        """The ids that an entry means; what it cannot mean is added to the problems."""
        for name in entry.rules:
            ids = self._ids.get(name.lower(), [])
            if name.startswith(_BESIDE):
                yield name
            elif not ids:
                near = get_close_matches(name.lower(), self._ids, n=1)
                mend = f"Did you mean {near[0]!a}?" if near else "Correct the name, or remove the entry."
                problems.append(Problem(f"no rule that is loaded is called {name!a}", entry.where, mend))
            for identifier in ids:
                problem = self._unaskable(entry, identifier)
                if problem:
                    problems.append(problem)
                else:
                    yield identifier

    def _unaskable(self, entry: Exemption | Severity, identifier: str) -> Problem | None:
        correlation = self._correlations.get(identifier)
        if correlation is None or isinstance(entry, Severity):
            return None
        missing = [name for name, _ in entry.fields if name not in correlation.group_by]
        if not missing:
            return None
        known = ", ".join(correlation.group_by) or "nothing"
        return Problem(
            f"{correlation.card.title!a} counts by {known}, not by {', '.join(map(ascii, missing))}",
            entry.where,
            f"Name the rule that it counts instead: {', '.join(correlation.rules)}.",
        )


# -- from the file ----------------------------------------------------------------------------------------------------

_KEYS = {
    "exceptions": ("rules", "fields", "reason", "author", "until"),
    "severities": ("rules", "level", "reason", "author", "until"),
}


def parse(text: str, where: str) -> Exceptions:
    """The exceptions that ``text`` (TOML) describes; ``where`` is the file's name in messages.

    Raises `InputRefused` with every mistake at once, in the order of the file.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(
            f"this is not TOML: {error}", where=where, now="Mend it; nothing was changed."
        ) from error
    page = _Page(where, values, lines(text))
    page.only((), values, tuple(_KEYS))
    exceptions = Exceptions(
        tuple(page.exemption(path, entry) for path, entry in page.entries("exceptions")),
        tuple(page.severity(path, entry) for path, entry in page.entries("severities")),
    )
    if page.mistakes:
        raise InputRefused(
            f"{len(page.mistakes)} mistake(s) in the exceptions",
            where=where,
            now="Mend the lines below; nothing was changed.",
            problems=tuple(problem for _, problem in sorted(page.mistakes, key=lambda pair: pair[0])),
        )
    return exceptions


def written(exemption: Exemption) -> str:
    """The exception as an entry of ``exceptions.toml``, that `parse` reads."""
    lines = ["[[exceptions]]"]
    if exemption.rules:
        lines.append(f"rules = [{', '.join(map(_quoted, exemption.rules))}]")
    if exemption.fields:
        fields = (
            f"{_quoted(name)} = [{', '.join(_quoted(value.text) for value in values)}]"
            for name, values in exemption.fields
        )
        lines.append(f"fields = {{ {', '.join(fields)} }}")
    lines += [
        f"reason = {_quoted(exemption.reason)}",
        f"author = {_quoted(exemption.author)}",
        f"until = {exemption.until.isoformat()}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, except that TOML also wants DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


Path = tuple[str | int, ...]


@dataclass(slots=True)
class _Page:
    """The file being read, and the mistakes found in it so far."""

    where: str
    values: dict[str, Any]
    lines: Mapping[Path, int]
    mistakes: list[tuple[int, Problem]] = field(default_factory=list)

    def wrong(self, path: Path, what: str, mend: str) -> None:
        line = self._line(path)
        name = f"{_named(path[-1])}: " if path and isinstance(path[-1], str) else ""
        self.mistakes.append((line, Problem(f"{name}{what}", f"{self.where}, line {line}", mend)))

    def _line(self, path: Path) -> int:
        while path not in self.lines and (*path, 0) not in self.lines:
            path = path[:-1]
        return self.lines.get(path) or self.lines[*path, 0]

    def place(self, path: Path) -> str:
        return f"{self.where}, line {self._line(path)}"

    def only(self, path: Path, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Every other key is a mistake: a misspelt ``fields`` would hide far too much."""
        for key in table.keys() - set(known):
            near = get_close_matches(key, known, n=1)
            mend = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
            self.wrong((*path, key), "unknown key", mend)

    def entries(self, kind: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        found = self.values.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            self.wrong((kind,), "this is no list of tables", f"Begin each entry with [[{kind}]].")
            return
        for number, entry in enumerate(found):
            self.only((kind, number), entry, _KEYS[kind])
            yield (kind, number), entry

    def exemption(self, path: Path, entry: dict[str, Any]) -> Exemption:
        rules, fields = self._rules(path, entry), self._fields(path, entry)
        if not {"rules", "fields"} & entry.keys():
            self.wrong(
                path, "it names neither rules nor fields", "It would hide everything: name one of them."
            )
        until = self._until(path, entry)
        if until is None and "until" not in entry:
            self.wrong(path, "until is missing", "Add its last day: `until = 2027-01-31`.")
        return Exemption(
            rules=rules,
            fields=fields,
            reason=self._said(path, entry, "reason"),
            author=self._said(path, entry, "author"),
            until=until or date.min,
            where=self.place(path),
        )

    def severity(self, path: Path, entry: dict[str, Any]) -> Severity:
        if "rules" not in entry:
            self.wrong(path, "rules is missing", "Name the rules whose level changes.")
        names = [level.name.lower() for level in Level]
        level = entry.get("level")
        if level not in names:
            self.wrong((*path, "level"), f"{_shown(level)} is no level", f"Write one of: {', '.join(names)}.")
        return Severity(
            rules=self._rules(path, entry),
            level=Level(names.index(level)) if level in names else Level.INFORMATIONAL,
            reason=self._said(path, entry, "reason"),
            author=self._said(path, entry, "author"),
            until=self._until(path, entry),
            where=self.place(path),
        )

    def _rules(self, path: Path, entry: dict[str, Any]) -> tuple[str, ...]:
        if "rules" not in entry:
            return ()
        return tuple(self._texts((*path, "rules"), entry["rules"]))

    def _fields(self, path: Path, entry: dict[str, Any]) -> tuple[tuple[str, tuple[Value, ...]], ...]:
        given = entry.get("fields")
        if given is None:
            return ()
        path = (*path, "fields")
        if not isinstance(given, dict) or not given:
            self.wrong(path, f"{_shown(given)} names no field", 'Write `fields = { c-ip = "192.0.2.7" }`.')
            return ()
        return tuple((name, tuple(self._values((*path, name), values))) for name, values in given.items())

    def _values(self, path: Path, given: object) -> Iterator[Value]:
        for text in self._texts(path, given):
            if not text.strip("*"):
                self.wrong(
                    path, "a star alone hides whatever has the field", "Write the value that is meant."
                )
            else:
                yield Value(text)

    def _texts(self, path: Path, given: object) -> Iterator[str]:
        """One text or several; whole numbers are taken as they are written."""
        several = given if isinstance(given, list) else [given]
        if not several or len(several) > MAX_VALUES:
            self.wrong(path, f"{len(several)} values", f"Name at least one, and at most {MAX_VALUES}.")
            return
        for each in several:
            text = str(each) if isinstance(each, int) and not isinstance(each, bool) else each
            if isinstance(text, str) and is_plain(text):
                yield text
            else:
                self.wrong(
                    path, f"{_shown(each)} is no plain text", "Write text between quotes, on one line."
                )

    def _said(self, path: Path, entry: dict[str, Any], key: str) -> str:
        """A sentence that must be there: who comes later has to understand."""
        if key not in entry:
            self.wrong(path, f"{key} is missing", f'Add a line `{key} = "…"`.')
            return ""
        return next(self._texts((*path, key), entry[key] if isinstance(entry[key], str) else [None]), "")

    def _until(self, path: Path, entry: dict[str, Any]) -> date | None:
        day = entry.get("until")
        if day is None:
            return None
        if isinstance(day, date) and not isinstance(day, datetime):
            return day
        self.wrong((*path, "until"), f"{_shown(day)} is no day", "Write it as 2027-01-31, without quotes.")
        return None


def is_plain(text: str) -> bool:
    """Format characters make one name look like another (CVE-2021-42574); control characters move the cursor."""
    return bool(text.strip()) and len(text) <= 500 and not any(category(c) in _UNPRINTABLE for c in text)


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _named(key: str) -> str:
    return key if is_plain(key) and len(key) <= 60 else _shown(key)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"
