"""A page: a TOML file as it is read, table by table, with every mistake in it, its line, and how to mend it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Generic, TypeVar

from rempart.errors import Problem
from rempart.site.flaw import Flaw

Path = tuple[str | int, ...]
"""A place in the file: ``("openings", 2, "fallback", "phone")``."""

T = TypeVar("T")

_LONG_STRING = re.compile(r'"""[\s\S]*?"""|' + r"'''[\s\S]*?'''")
_HEADER = re.compile(r"^\s*\[(\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=")


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of each table and key of a TOML text.

    A scan for messages only: a key inside an inline table is found at the line of that table's key.
    """
    found: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(_without_long_strings(text).splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _entered(header.group(2), counts, repeated=bool(header.group(1)))
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(table + tuple(re.split(r"\s*\.\s*", key.group(1))), number)
    return found


def _without_long_strings(text: str) -> str:
    return _LONG_STRING.sub(lambda match: "\n" * match.group().count("\n"), text)


def _entered(name: str, counts: dict[Path, int], *, repeated: bool) -> Path:
    """The path of a header, given how many tables of each array came before it."""
    path: Path = ()
    *parents, last = name.split(".")
    for parent in parents:
        path = (*path, parent)
        if path in counts:
            path = (*path, counts[path] - 1)
    path = (*path, last)
    if repeated:
        counts[path] = counts.get(path, 0) + 1
        path = (*path, counts[path] - 1)
    return path


@dataclass(slots=True, kw_only=True)
class Page:
    """The file being read, and the mistakes found in it so far."""

    where: str
    values: dict[str, Any]
    lines: Mapping[Path, int]
    mistakes: list[tuple[int, Problem]] = field(default_factory=list)
    misshapen: bool = False
    """A list or table is something else, so that entries cannot be counted against the file."""

    def root(self) -> "Table":
        """The whole file."""
        return Table(self, (), self.values)

    def wrong(self, path: Path, what: str, mend: str) -> None:
        """Note a mistake in one value or table: at which place, what it is, and how to mend it."""
        self._note(path, Problem(f"{self.named(path)}{what}", self._at(path), mend))

    def disagrees(self, path: Path, flaw: Flaw) -> None:
        """Note that a place does not agree with the rest of the file."""
        kind, what = str(path[0]) if path else "", f"{self.named(path)}{flaw.what}"
        found = replace(flaw, kind=kind, id=self._identity(path), what=what, where=self._at(path))
        self._note(path, found)

    def _note(self, path: Path, problem: Problem) -> None:
        self.mistakes.append((self.line(path), problem))

    def _at(self, path: Path) -> str:
        return f"{self.where}, line {self.line(path)}"

    def _identity(self, path: Path) -> str:
        """The id of the entry of a list that a path leads through; empty where it leads through none."""
        if len(path) < 2 or not isinstance(path[1], int):
            return ""
        entry = self.values[str(path[0])][path[1]]
        return str(entry.get("id", entry.get("name", path[1] + 1)))

    def line(self, path: Path) -> int:
        """The line of the nearest enclosing table or key that was seen."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def named(self, path: Path) -> str:
        """A path as a person reads it: ``openings website: fallback.phone: ``."""
        return "".join(f"{word}: " for word in self._words(path))

    def _words(self, path: Path) -> Iterator[str]:
        if len(path) >= 2 and isinstance(path[1], int):
            yield f"{path[0]} {self._called(path[:2])}"
            path = path[2:]
        if path:
            yield ".".join(str(part) if isinstance(part, int) else shown(part, quoted=False) for part in path)

    def _called(self, path: Path) -> str:
        entry = self.values[str(path[0])][path[1]]
        identity = entry.get("id", entry.get("name")) if isinstance(entry, dict) else None
        return shown(identity) if isinstance(identity, str) else f"number {int(path[1]) + 1}"

    def in_order(self) -> tuple[Problem, ...]:
        """All mistakes, in the order of the file."""
        return tuple(problem for _, problem in sorted(self.mistakes, key=lambda mistake: mistake[0]))


def shown(value: object, *, quoted: bool = True) -> str:
    """A value from the file in a message: escaped (ANSI, bidi) and capped."""
    text = repr(value) if isinstance(value, str) else repr(value).replace("\n", " ")
    text = text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"
    return text if quoted else text.strip("'\"")


class Wrong(Exception):
    """A value cannot be used: what is wrong, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """What a key accepts. ``blank`` stands in for a refused value until all mistakes have been gathered."""

    accept: Callable[[Any], T]
    blank: T


class _Required(StrEnum):
    """The mark of a key that has no default."""

    KEY = "required"


class Table:
    """One table of the file: hands out its keys and remembers which it was asked for."""

    def __init__(self, page: Page, path: Path, values: dict[str, Any]) -> None:
        self.page = page
        self.path = path
        self.values = values
        self.known: list[str] = []

    def read(self, key: str, rule: Rule[T], default: T | _Required = _Required.KEY) -> T:
        """The value of ``key``; without a default the key must be there."""
        self.known.append(key)
        if key not in self.values:
            if isinstance(default, _Required):
                self.page.wrong(self.path, f"{key} is missing", f"Add a line `{key} = …`.")
                return rule.blank
            return default
        return self._accepted((*self.path, key), self.values[key], rule)

    def each(
        self, key: str, rule: Rule[T], default: tuple[T, ...] | _Required = _Required.KEY
    ) -> tuple[T, ...]:
        """The values of the list ``key``, each by ``rule``; a refused one is left out."""
        found = self.read(key, _LIST, None if isinstance(default, tuple) else default)
        if found is None:
            return default if isinstance(default, tuple) else ()
        accepted = [self._accepted((*self.path, key), value, rule) for value in found]
        return tuple(value for value in accepted if value != rule.blank)

    def one(self, key: str) -> "Table | None":
        """The table ``key``, or None when it is not there."""
        self.known.append(key)
        return self._table((*self.path, key), self.values[key]) if key in self.values else None

    def required(self, key: str) -> "Table | None":
        """The table ``key``; its absence is a mistake."""
        table = self.one(key)
        if key not in self.values:
            self.page.wrong(
                self.path, f"{key} is missing", f"Add a table `[{'.'.join((*self._names(), key))}]`."
            )
        return table

    def many(self, key: str) -> Iterator["Table"]:
        """The tables of the array ``[[key]]``."""
        values = self.read(key, _LIST, [])
        self.page.misshapen |= values is None
        for number, value in enumerate(values or ()):
            table = self._table((*self.path, key, number), value)
            if table is not None:
                yield table

    def done(self) -> None:
        """Every key left over is a mistake, with the nearest known key as a suggestion."""
        for key in self.values.keys() - set(self.known):
            near = get_close_matches(key, self.known, n=1)
            mend = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(sorted(self.known))}."
            self.page.wrong((*self.path, key), "unknown key", mend)

    def _names(self) -> Iterator[str]:
        return (part for part in self.path if isinstance(part, str))

    def _table(self, path: Path, value: object) -> "Table | None":
        if isinstance(value, dict):
            return Table(self.page, path, value)
        self.page.misshapen = True
        self.page.wrong(path, "this is no table", "Write it as a table with keys of its own.")
        return None

    def _accepted(self, path: Path, value: object, rule: Rule[T]) -> T:
        try:
            return rule.accept(value)
        except Wrong as wrong:
            self.page.wrong(path, wrong.what, wrong.mend)
            return rule.blank


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(f"{shown(value)} is no list", "Put it between square brackets.")
    return value


_LIST: Rule[list[Any] | None] = Rule(_list, None)
